"""Padding and cropping, for networks that halve the resolution several times."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("cirs_tf")
class PadToMultiple(keras.layers.Layer):
    """Repeat the last row and column until height and width divide by `multiple`.

    `[batch, height, width, channels]` to the same with height and width rounded up.
    Repeating works for images smaller than the padding, which reflection does not.

    Args:
        multiple: At least 1.

    Example:
        >>> PadToMultiple(8)(tf.zeros([1, 30, 35, 3])).shape
        TensorShape([1, 32, 40, 3])
    """

    def __init__(self, multiple: int, **kwargs):
        super().__init__(**kwargs)
        self.multiple = multiple

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Return the padded images, the input itself where nothing is missing."""
        for axis in (1, 2):
            size = images.shape[axis]
            if size is not None and size % self.multiple == 0:
                continue
            size = tf.shape(images)[axis]
            # Of positive numbers alone: ONNX divides integers toward zero.
            rounded = (size + self.multiple - 1) // self.multiple * self.multiple
            indices = tf.minimum(tf.range(rounded), size - 1)
            images = tf.gather(images, indices, axis=axis)
        return images

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Round height and width up, where they are known."""
        batch, *sizes, channels = input_shape
        sizes = [
            None if s is None else -(-s // self.multiple) * self.multiple for s in sizes
        ]
        return (batch, *sizes, channels)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        return {**super().get_config(), "multiple": self.multiple}


@keras.saving.register_keras_serializable("cirs_tf")
class CropToSize(keras.layers.Layer):
    """Cut `[batch, height, width, channels]` to the height and width of `reference`.

    Example:
        >>> padded, images = tf.zeros([1, 32, 40, 4]), tf.zeros([1, 30, 35, 3])
        >>> CropToSize()(padded, images).shape
        TensorShape([1, 30, 35, 4])
    """

    def call(self, values: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
        """Return the top left part of `values`."""
        if values.shape[1:3].is_fully_defined() and (
            values.shape[1:3] == reference.shape[1:3]
        ):
            return values
        height, width = tf.shape(reference)[1], tf.shape(reference)[2]
        return values[:, :height, :width]

    def compute_output_shape(self, values_shape, reference_shape) -> tuple:
        """Return the reference's size with the channels of `values`."""
        return (*reference_shape[:3], values_shape[-1])
