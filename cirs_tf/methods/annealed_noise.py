"""Gumbel noise on a segmenter's logits in training, which fades."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from cirs_tf.config.settings import WEIGHT, Section, at_least, setting
from cirs_tf.layers.gumbel_noise import gumbel_noise
from cirs_tf.layers.replica_random import replica_seed


@dataclasses.dataclass(frozen=True)
class NoiseSection(Section):
    """The scale of the noise."""

    gumbel_scale: float = setting(
        0.0, WEIGHT, "Scale of Gumbel noise on the logits in training, at first."
    )
    gumbel_steps: int | None = setting(
        None,
        at_least(1),
        "Updates of S over which that scale falls linearly to 0; null: it stays.",
    )


def add_gumbel_noise(
    logits: tf.Tensor, options: NoiseSection, updates: Sequence[tf.Tensor], seed: int
) -> tf.Tensor:
    """Add noise, another draw at each step and replica, the same after resuming.

    Args:
        logits: Of any shape.
        options: The scale.
        updates: Counts of updates of every phase, that of S first.
        seed: Seed of the run.

    Returns:
        The shape and dtype of `logits`; itself where the scale is 0 from the start.
    """
    if not options.gumbel_scale:
        return logits
    step_seed = replica_seed(seed, tf.add_n(list(updates)))
    noise = gumbel_noise(
        tf.shape(logits),
        tf.random.experimental.stateless_fold_in(step_seed, 1),
        logits.dtype,
    )
    scale = _annealed(options.gumbel_scale, options.gumbel_steps, updates[0])
    return logits + tf.cast(scale, logits.dtype) * noise


def _annealed(scale: float, steps: int | None, update: tf.Tensor) -> tf.Tensor:
    """Return a scale that falls linearly to 0.

    Args:
        scale: At update 0.
        steps: Updates until it is 0; None: it stays.
        update: Integer scalar.

    Returns:
        float32 scalar.
    """
    if steps is None:
        return tf.constant(scale, tf.float32)
    return scale * tf.nn.relu(1 - tf.cast(update, tf.float32) / steps)
