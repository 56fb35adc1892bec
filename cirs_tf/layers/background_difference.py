"""What differs from the background of a fixed camera, whatever the light."""

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.layers.binary_morphology import (
    close,
    fill_holes,
    majority,
    open_by_reconstruction,
)

# A pixel says how bright the light is where neither is nearly black or white.
_DARKEST, _BRIGHTEST = 16 / 255, 250 / 255
_EVERY = 5  # the light is measured by every fifth pixel
_NO_RATIO = 1e9


@keras.saving.register_keras_serializable("cirs_tf")
class BackgroundDifference(keras.layers.Layer):
    """Masks of what is in front of a background that stands still.

    1. *Light.* The gain g of a channel is the median over pixels of image / background.
    2. *Difference.* A pixel differs where in any channel (image - g background) / g is
       further from 0 than the threshold; g background ends at 1, as images do, and
       where the background is white only what is darker differs.
    3. *Cleaning.* The majority of a square; gaps closed by the same square; parts that
       it does not fit into removed; holes filled.

    `[batch, height, width, 3]` float in [0, 1] to `[batch, height, width, 1]` float32
    of 0 and 1; or, `signed`, to `[batch, height, width, 3]`, the image by its light
    minus the background. For images of another size the background is resized. Weights
    are not trainable; `assign` sets them.

    Args:
        height: Of the background, in pixels.
        width: Of the background, in pixels.
        cleaning: Side of the square in pixels, odd; 1: masks stay as they are.
        signed: Whether the output is the difference itself.

    Gradient: none.
    """

    def __init__(
        self, height: int, width: int, cleaning: int, signed: bool = False, **kwargs
    ):
        super().__init__(**kwargs)
        self.height, self.width = height, width
        self.cleaning, self.signed = cleaning, signed

    def build(self, _) -> None:
        """Create the weights, all 0."""

        def add(name: str, shape: tuple[int, ...]):
            return self.add_weight(
                name=name, shape=shape, initializer="zeros", trainable=False
            )

        self.background = add("background", (self.height, self.width, 3))
        self.threshold = add("threshold", ())

    def assign(self, background: np.ndarray, threshold: float) -> None:
        """Set the weights.

        Args:
            background: `[height, width, 3]` float in [0, 1].
            threshold: Difference in any channel, in (0, 1).
        """
        self.background.assign(background)
        self.threshold.assign(threshold)

    def background_of(self, images: tf.Tensor) -> tf.Tensor:
        """Return `[1, height, width, 3]`, the background at the size of images."""
        background = self.background.value[None]
        if images.shape[1:3] == background.shape[1:3]:
            return background
        return tf.image.resize(background, tf.shape(images)[1:3])

    def signed_difference(self, images: tf.Tensor) -> tf.Tensor:
        """Return `[batch, height, width, 3]`: images - background in their light.

        Divided by the gain of that light.
        """
        background = self.background_of(images)
        gains = _gains(images, background)
        signed = (images - tf.minimum(gains * background, 1.0)) / gains
        # How much brighter than white the background is, nothing tells.
        return tf.where(background < _BRIGHTEST, signed, tf.minimum(signed, 0.0))

    def difference(self, images: tf.Tensor) -> tf.Tensor:
        """Return `[batch, height, width, 1]`, the largest difference of a channel."""
        signed = self.signed_difference(images)
        return tf.reduce_max(tf.abs(signed), axis=-1, keepdims=True)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Return the masks, or the differences."""
        if self.signed:
            return tf.stop_gradient(self.signed_difference(images))
        differs = self.difference(images) > self.threshold.value
        mask = tf.cast(differs, tf.float32)
        if self.cleaning > 1:
            mask = close(majority(mask, self.cleaning), self.cleaning)
            mask = fill_holes(open_by_reconstruction(mask, self.cleaning))
        return tf.stop_gradient(mask)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return `(batch, height, width, 1)`, or 3 channels."""
        return (*input_shape[:-1], 3 if self.signed else 1)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        own = {
            "height": self.height,
            "width": self.width,
            "cleaning": self.cleaning,
            "signed": self.signed,
        }
        return {**super().get_config(), **own}


def _gains(images: tf.Tensor, background: tf.Tensor) -> tf.Tensor:
    """Return `[batch, 1, 1, 3]`, the median of image / background of each channel."""
    dark = (images <= _DARKEST) | (background <= _DARKEST)
    usable = ~dark & (images < _BRIGHTEST) & (background < _BRIGHTEST)
    ratios = tf.where(usable, images / tf.maximum(background, _DARKEST), _NO_RATIO)
    batch, channels = tf.shape(images)[0], images.shape[-1]
    ratios = tf.reshape(ratios, [batch, -1, channels])[:, ::_EVERY]
    ordered = tf.sort(tf.transpose(ratios, [0, 2, 1]))  # (B, 3, pixels)
    counts = tf.reduce_sum(tf.cast(ordered < _NO_RATIO, tf.int32), axis=-1)
    medians = tf.gather(ordered, tf.maximum(counts - 1, 0) // 2, batch_dims=2)
    medians = tf.where((counts > 0) & (medians > 0), medians, 1.0)
    return medians[:, None, None]
