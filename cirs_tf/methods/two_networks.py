"""Phases of two networks that minimize one loss, together or in turns."""

from collections.abc import Callable, Sequence

import keras

from cirs_tf.data.image_split import Batch
from cirs_tf.training.phases import Phase, Terms


def two_network_phases(
    loss: Callable[[Batch], Terms],
    terms: tuple[str, ...],
    variables: dict[str, list],
    schedule: str,
    steps: tuple[int, int],
    make_optimizer: Callable[[list], keras.optimizers.Optimizer],
    watched: Sequence[keras.Variable] = (),
) -> list[Phase]:
    """Return the phases of a method whose two networks minimize one loss.

    Args:
        loss: Loss terms in training mode.
        terms: Names of the terms, `loss` first.
        variables: Variables of both networks by name, the segmenter's first.
        schedule: `joint` updates both in one step, `alternating` in turns.
        steps: Mini-batches per cycle for each, where they alternate.
        make_optimizer: Maps the variables of a phase to its optimizer.
        watched: Variables of the first network, see `Phase.watched`.

    Returns:
        One phase `joint`, or one phase per network, named after it.
    """
    if schedule == "joint":
        variables = {"joint": sum(variables.values(), [])}
        steps = (1,)
    watches = [watched] + [()] * (len(variables) - 1)
    return [
        Phase(name, loss, terms, updated, make_optimizer(updated), count, watched=watch)
        for (name, updated), count, watch in zip(
            variables.items(), steps, watches, strict=True
        )
    ]
