"""Stages of a run: each pretraining phase once, then the cycle of phases in epochs."""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import tensorflow as tf

from cirs_tf.config.sections import Config
from cirs_tf.data.batches import sampled_dataset, training_dataset
from cirs_tf.data.image_split import ImageSplit
from cirs_tf.data.share import Share
from cirs_tf.training.loop import PhaseSums, TrainingLoop
from cirs_tf.training.phases import PSEUDO_LABELS, Initialization, Method, Phase


@dataclasses.dataclass(frozen=True)
class Stage:
    """A stretch of the run that repeats one cycle of phases.

    Attributes:
        name: Shown in the progress bar and the log.
        loop: Runs the phases.
        batches: Maps a batch size, the number of batches to leave out and the share of
            a worker to a dataset.
        start: Mini-batches of the run before it.
        end: Mini-batches of the run when it is over.
        part_steps: Mini-batches from one checkpoint to the next: an epoch, or all.
        epochs: How many epochs it has; None: it is pretraining.
    """

    name: str
    loop: TrainingLoop
    batches: Callable[[int, int, Share], tf.data.Dataset]
    start: int
    end: int
    part_steps: int
    epochs: int | None

    @property
    def cycle(self) -> list[int]:
        """Mini-batches per cycle, by phase."""
        return [phase.steps for phase in self.loop.phases]

    @property
    def tag(self) -> str:
        """Prefix of TensorBoard tags; empty for training itself."""
        return "" if self.epochs is not None else "pretraining/"

    def part_end(self, step: int) -> int:
        """Return the step at which the part that `step` begins or is in ends."""
        parts = (step - self.start) // self.part_steps + 1
        return self.start + parts * self.part_steps

    def means(self, sums: Iterable[PhaseSums]) -> dict[str, float]:
        """Return the mean of every term, named by phase where there are several.

        Args:
            sums: Of each phase.
        """
        phases = self.loop.phases
        named = len(phases) > 1 or self.epochs is None
        means = {}
        for phase, (totals, steps) in zip(phases, sums, strict=True):
            prefix = f"{phase.name}/" if named else ""
            for name, total in zip(phase.reported, totals, strict=True):
                if steps:
                    means[prefix + name] = float(total / steps)
        return means

    def no_sums(self) -> list[PhaseSums]:
        """Return sums over no mini-batch."""
        return [PhaseSums(np.zeros(len(p.reported)), 0) for p in self.loop.phases]


def make_stages(
    method: Method,
    config: Config,
    strategy: tf.distribute.Strategy,
    train: ImageSplit,
    initialization: Initialization,
) -> list[Stage]:
    """Return the stages of a run, in order; the last one is training in epochs.

    A method without phases has none, and no pretraining.

    Args:
        method: With its phases.
        config: The run.
        strategy: The scope in which the method was built.
        train: Training images, and masks where the method needs them.
        initialization: What the method took from the images.
    """
    options, seed = config.training, config.seed
    stages, start = [], 0

    def loop(phases: Sequence[Phase]) -> TrainingLoop:
        return TrainingLoop(phases, strategy, options.batch_size)

    for phase in method.pretraining:
        sampled = train.first(phase.num_images, initialization.get(PSEUDO_LABELS))
        batches = functools.partial(
            sampled_dataset, sampled, phase.steps * options.batch_size, seed
        )
        name = f"pretraining {phase.name}"
        end = start + phase.steps
        stages.append(
            Stage(name, loop([phase]), batches, start, end, phase.steps, epochs=None)
        )
        start = end
    if not method.phases:
        return stages
    one_pass = math.ceil(len(train.images) / options.batch_size)
    per_epoch = options.steps_per_epoch or one_pass
    batches = functools.partial(training_dataset, train, seed)
    end = start + options.epochs * per_epoch
    training = loop(method.phases)
    stages.append(
        Stage("train", training, batches, start, end, per_epoch, options.epochs)
    )
    return stages
