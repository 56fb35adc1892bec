"""Training phases: which loss updates which variables, for how many steps."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.data.image_split import Batch, ImageArray

Terms = dict[str, tf.Tensor]
# What a method takes from unlabeled images before the first step, by name.
Initialization = Mapping[str, np.ndarray]
SUMMARY = "summary"
PSEUDO_LABELS = "pseudo_labels"
GRADIENT_COSINE = "gradient_cosine"


@dataclasses.dataclass(frozen=True)
class Phase:
    """One loss and the variables that it updates.

    Attributes:
        name: Shown in logs; no two phases of a method share one.
        loss: Maps a batch to its loss terms, in a fresh forward pass in training mode.
            Each term is `[batch]` or a scalar (see `scale_loss`); `loss` is minimized.
        terms: The names of the terms, `loss` first.
        variables: What is updated, and nothing else.
        optimizer: Keeps its state from cycle to cycle.
        steps: Mini-batches per cycle; of a `PretrainingPhase`, in all.
        watched: Some of the variables, whose `gradient_cosine` is added to the terms:
            the cosine of their gradient and the running mean of those before (Adam's
            first moment). Near 1 the mini-batches agree on where to go; near 0 their
            gradients are noise. Empty: none.
    """

    name: str
    loss: Callable[[Batch], Terms]
    terms: tuple[str, ...]
    variables: Sequence[keras.Variable]
    optimizer: keras.optimizers.Optimizer
    steps: int = 1
    watched: Sequence[keras.Variable] = dataclasses.field(default=(), kw_only=True)

    @property
    def reported(self) -> tuple[str, ...]:
        """The names of all that is reported: the terms, and what is watched."""
        return (*self.terms, GRADIENT_COSINE) if self.watched else self.terms


@dataclasses.dataclass(frozen=True)
class PretrainingPhase(Phase):
    """A phase that runs once, before the cycle.

    Its batches are drawn with replacement from the first training images. They hold
    `image` and, where the method's initialization has `pseudo_labels`, `mask`.

    Attributes:
        num_images: How many of the first training images it sees.
    """

    num_images: int = 1_500


class Method(Protocol):
    """What the trainer needs of a system.

    Attributes:
        networks: Every model by name; `segmenter` maps `[batch, height, width, 3]`
            float images in [0, 1] to `[batch, height, width, K]` logits.
        pretraining: Phases that run once, one after the other; may be empty.
        phases: One cycle of training; empty where all that the networks learn comes
            from `Initializes`.
        needs_masks: Whether batches hold the truth; no method without labels does.
    """

    networks: dict[str, keras.Model]
    pretraining: list[PretrainingPhase]
    phases: list[Phase]
    needs_masks: bool

    def validation_terms(self, batch: Batch) -> Terms:
        """Return loss terms in inference mode, `loss` among them."""
        ...


@runtime_checkable
class Initializes(Protocol):
    """A method that takes something from unlabeled images before the first step.

    A class may name in `initialized_by` the settings, or the beginnings of their names,
    that this depends on: a run cannot go on with others.
    """

    def initialize(self, images: ImageArray) -> Initialization:
        """Compute what is taken from the images; weights stay as they are.

        The result is stored with the run, so that resuming does not compute it again.

        Args:
            images: `[images, height, width, 3]` uint8, all training images. They may
                lie in records: index them by number, slice or array of numbers, as many
                at a time as memory is to hold.

        Returns:
            Arrays by name. `summary`, a string, is logged; `pseudo_labels`
            `[num_images, height, width]` uint8 come as `mask` in pretraining batches.
        """
        ...

    def assign(self, initialization: Initialization) -> None:
        """Set weights from what `initialize` returned."""
        ...


@runtime_checkable
class HasDiagnostics(Protocol):
    """A method that can tell a working run from a collapsed one by more than terms."""

    def diagnostics(self, batch: Batch) -> Terms:
        """Return scalars by TensorBoard tag, in inference mode.

        Args:
            batch: Unlabeled validation images.
        """
        ...


@runtime_checkable
class ShowsPictures(Protocol):
    """A method that has more to show than segments."""

    def pictures(self, images: np.ndarray) -> dict[str, Image.Image]:
        """Draw pictures by TensorBoard tag.

        Args:
            images: A few `[images, height, width, 3]` uint8.
        """
        ...


class StepPlan(NamedTuple):
    """A stretch of training that one call of the compiled loop runs.

    Attributes:
        cycles: How often `counts` is repeated.
        counts: Mini-batches of each phase, in order.
    """

    cycles: int
    counts: tuple[int, ...]

    @property
    def steps(self) -> int:
        """Mini-batches in all."""
        return self.cycles * sum(self.counts)


def plan_steps(cycle: Sequence[int], step: int, limit: int) -> StepPlan:
    """Plan the longest stretch that starts at `step` and ends at `limit` or before.

    Args:
        cycle: Mini-batches per cycle, by phase.
        step: Mini-batches done.
        limit: Where to stop at the latest, after `step`.

    Returns:
        Whole cycles where `step` is at the start of one and one fits, else the rest
        of the current cycle as far as `limit` allows.
    """
    length = sum(cycle)
    done = step % length
    room = limit - step
    if done == 0 and room >= length:
        return StepPlan(room // length, tuple(cycle))
    counts = []
    for steps in cycle:
        skipped = min(done, steps)
        taken = min(steps - skipped, room)
        done -= skipped
        room -= taken
        counts.append(taken)
    return StepPlan(1, tuple(counts))
