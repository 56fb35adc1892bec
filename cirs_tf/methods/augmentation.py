"""Augmentation of training images, the same for the methods that offer it."""

import dataclasses

import tensorflow as tf

from cirs_tf.config.settings import Section, one_of, setting
from cirs_tf.data.transforms import (
    flip_where,
    random_flips,
    random_shift_flip_turn,
)
from cirs_tf.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class AugmentationSection(Section):
    """What happens to training images."""

    augmentation: str = setting(
        "none",
        one_of(
            "none",
            "flip",
            "shift_flip_rotate",
            renamed={"shift_flip_turn": "shift_flip_rotate"},
        ),
        "Training images as they are; half of them mirrored; or cyclically shifted, "
        "flipped and rotated by quarter turns at random, so that no place in the image "
        "stays the same.",
    )

    def check_size(self, height: int, width: int) -> None:
        """Refuse to rotate images that are not square.

        Args:
            height: Height of the images in pixels.
            width: Width of the images in pixels.

        Raises:
            ConfigError: They are to be rotated, and are not square.
        """
        if self.augmentation == "shift_flip_rotate" and height != width:
            raise ConfigError(
                f"{self.full_key('augmentation')}: {self.augmentation} needs square "
                f"images, got {height} x {width} pixels"
            )


def augment(images: tf.Tensor, kind: str, seed: tf.Tensor) -> tf.Tensor:
    """Return the images as a training step sees them.

    Args:
        images: `[batch, height, width, 3]`.
        kind: One of `AugmentationSection.augmentation`.
        seed: `[2]` integers, other ones at each step.

    Returns:
        The same shape.
    """
    if kind == "shift_flip_rotate":
        return random_shift_flip_turn(images, seed)
    if kind == "flip":
        return flip_where(images, random_flips(tf.shape(images)[0], seed))
    return images
