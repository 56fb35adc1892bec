"""The one idea of the trainer: a method is networks and a list of phases."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.data.pipeline import Batch

Terms = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Phase:
    """What one update does, and how many mini-batches it lasts in a cycle.

    Attributes:
        name: Shown in logs; no two phases of a method share one.
        loss: Maps a batch to its loss terms, in a fresh forward pass in training mode.
            Each term is `[batch]` or a scalar (see `scale_loss`); `loss` is minimized.
        terms: The names of the terms, `loss` first.
        variables: What is updated, and nothing else.
        optimizer: Keeps its state from cycle to cycle.
        steps: Mini-batches a cycle.
    """

    name: str
    loss: Callable[[Batch], Terms]
    terms: tuple[str, ...]
    variables: Sequence[keras.Variable]
    optimizer: keras.optimizers.Optimizer
    steps: int = 1


class Method(Protocol):
    """What the trainer needs of a system.

    Attributes:
        networks: Every model by name; `segmenter` maps `[batch, height, width, 3]`
            float images in [0, 1] to `[batch, height, width, K]` logits.
        phases: One cycle of training.
        needs_masks: Whether batches hold the truth; no method without labels does.
    """

    networks: dict[str, keras.Model]
    phases: list[Phase]
    needs_masks: bool

    def validation_terms(self, batch: Batch) -> Terms:
        """Return loss terms in inference mode, `loss` among them."""
        ...


@runtime_checkable
class StartsFromImages(Protocol):
    """A method whose weights are set from unlabeled images before the first step."""

    def start_from(self, images: np.ndarray) -> str:
        """Set weights from `[images, height, width, 3]` uint8; return a log line."""
        ...


@runtime_checkable
class ShowsPictures(Protocol):
    """A method that has more to show than segments."""

    def pictures(self, images: np.ndarray) -> dict[str, Image.Image]:
        """Draw by TensorBoard tag, from a few `[images, height, width, 3]` uint8."""
        ...


class Part(NamedTuple):
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


def next_part(cycle: Sequence[int], step: int, limit: int) -> Part:
    """Plan the longest part that starts at `step` and ends at `limit` or before.

    Args:
        cycle: Mini-batches a cycle, by phase.
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
        return Part(room // length, tuple(cycle))
    counts = []
    for steps in cycle:
        skipped = min(done, steps)
        taken = min(steps - skipped, room)
        done -= skipped
        room -= taken
        counts.append(taken)
    return Part(1, tuple(counts))
