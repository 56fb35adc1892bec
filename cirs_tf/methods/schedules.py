"""What methods of two networks share: the masks, and who trains when."""

from collections.abc import Callable

import keras
import tensorflow as tf

from cirs_tf.config import TrainingConfig
from cirs_tf.data.pipeline import Batch
from cirs_tf.layers.argmax_in_place import argmax_in_place
from cirs_tf.training.phases import Phase, Terms

Rate = float | keras.optimizers.schedules.LearningRateSchedule
# Share of the learning rate that is left when it has fallen.
FINAL_RATE = 0.02


def segment_probabilities(
    segmenter: keras.Model, images: tf.Tensor, training: bool
) -> tf.Tensor:
    """Return the softmax `[batch, height, width, K]` of the segmenter; thesis 6."""
    return tf.nn.softmax(segmenter(images, training=training))


def hard_masks(probabilities: tf.Tensor) -> tf.Tensor:
    """Return one-hot masks `[batch, K, height, width, 1]` by argmax-in-place."""
    masks = argmax_in_place(probabilities)
    return tf.transpose(masks, [0, 3, 1, 2])[..., None]


def masked_images(images: tf.Tensor, masks: tf.Tensor) -> tf.Tensor:
    """Return `[batch, K, height, width, 3]`: the image under each mask, 0 elsewhere."""
    return masks * tf.cast(images, masks.dtype)[:, None]


def learning_rate_schedule(config: TrainingConfig) -> Rate:
    """Return the learning rate, constant or falling as half a cosine."""
    if config.decay_steps is None:
        return config.learning_rate
    return keras.optimizers.schedules.CosineDecay(
        config.learning_rate, config.decay_steps, alpha=FINAL_RATE
    )


def adam(variables: list, rate: Rate) -> keras.optimizers.Optimizer:
    """Return Adam with its slots in place, so that a checkpoint can hold them."""
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build(variables)
    return optimizer


def adam_phase(
    name: str,
    loss: Callable[[Batch], Terms],
    variables: list,
    rate: Rate,
    terms: tuple[str, ...] = ("loss",),
    steps: int = 1,
) -> Phase:
    """Return a phase with an Adam of its own; arguments as in `Phase`."""
    return Phase(name, loss, terms, variables, adam(variables, rate), steps)


def two_network_phases(
    loss: Callable[[Batch], Terms],
    terms: tuple[str, ...],
    variables: dict[str, list],
    schedule: str,
    steps: tuple[int, int],
    rate: Rate,
    optimizer: Callable[[list], keras.optimizers.Optimizer] | None = None,
) -> list[Phase]:
    """Return the phases of a method whose two networks minimize one loss.

    Args:
        loss: In training mode.
        terms: Its terms, `loss` first.
        variables: Of the segmenter and of the other network, by name, in order.
        schedule: `joint` updates both in one step, `alternating` in turns.
        steps: Mini-batches a cycle for each, where they alternate.
        rate: Learning rate of Adam.
        optimizer: Maps the variables of a phase to what takes Adam's place.
    """
    if schedule == "joint":
        variables = {"joint": sum(variables.values(), [])}
        steps = (1,)
    make = optimizer or (lambda of: adam(of, rate))
    return [
        Phase(name, loss, terms, of, make(of), count)
        for (name, of), count in zip(variables.items(), steps, strict=True)
    ]
