"""Bilinear enlargement of images whose size is known only when the model runs."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("cirs_tf")
class BilinearUpsampling(keras.layers.Layer):
    """Double height and width by bilinear interpolation.

    `[batch, height, width, channels]` to `[batch, 2 height, 2 width, channels]` of the
    same dtype. The values are those of `keras.layers.UpSampling2D(interpolation=
    "bilinear")`, which cannot be traced for an unknown height and width (it compares
    them with 0 in Python), and so not be exported either.

    Example:
        >>> images = tf.constant([0.0, 1.0])[None, None, :, None]
        >>> print(BilinearUpsampling()(images).numpy()[0, 0, :, 0])
        [0.   0.25 0.75 1.  ]
    """

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Return the enlarged images."""
        _, height, width, _ = keras.ops.shape(images)  # integers where known
        enlarged = tf.image.resize(images, (2 * height, 2 * width), "bilinear")
        return tf.cast(enlarged, images.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Double height and width, where they are known."""
        batch, *sizes, channels = input_shape
        return (batch, *(None if s is None else 2 * s for s in sizes), channels)
