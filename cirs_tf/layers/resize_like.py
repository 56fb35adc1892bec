"""Bilinear resizing to the size of another map, known only when the model runs."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("cirs_tf")
class ResizeLike(keras.layers.Layer):
    """Resize maps to the height and width of a reference, or to a fraction of them.

    `[batch, rows, columns, channels]` to `[batch, height / stride, width / stride,
    channels]` of the same dtype, sizes rounded up; by bilinear interpolation between
    the middles of pixels, the edge values beyond the outermost.

    Args:
        stride: Pixels of the reference from one value to the next, at least 1.

    Example:
        >>> values, images = tf.zeros([1, 3, 4, 8]), tf.zeros([1, 48, 64, 3])
        >>> ResizeLike(stride=8)(values, images).shape
        TensorShape([1, 6, 8, 8])
    """

    def __init__(self, stride: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.stride = stride

    def call(self, values: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
        """Return the resized maps.

        Args:
            values: The maps.
            reference: `[batch, height, width, channels]`.
        """
        # Of positive numbers alone: ONNX divides integers toward zero.
        size = (tf.shape(reference)[1:3] + self.stride - 1) // self.stride
        return tf.cast(tf.image.resize(values, size), values.dtype)

    def compute_output_shape(self, values_shape, reference_shape) -> tuple:
        """Return the resized shape."""
        batch, _, _, channels = values_shape
        _, *sizes, _ = reference_shape
        resized = (None if s is None else -(-s // self.stride) for s in sizes)
        return (batch, *resized, channels)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        return {**super().get_config(), "stride": self.stride}
