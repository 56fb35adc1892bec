"""From segment probabilities to one-hot masks, and images under these masks."""

import keras
import tensorflow as tf

from cirs_tf.layers.argmax_in_place import ArgmaxInPlace


@keras.saving.register_keras_serializable("cirs_tf")
class SegmentMasks(keras.layers.Layer):
    """Turn probabilities into one-hot masks, one image plane per segment.

    `[batch, height, width, K]` float probabilities to `[batch, K, height, width, 1]`
    of the same dtype, by argmax-in-place.

    Gradient: that of `ArgmaxInPlace`, straight through.

    Reference: thesis 6 and 6.1.

    Example:
        >>> probabilities = tf.constant([[[[0.7, 0.3], [0.2, 0.8]]]])
        >>> SegmentMasks()(probabilities)[0, :, 0, :, 0].numpy()
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.argmax_in_place = ArgmaxInPlace()

    def call(self, probabilities: tf.Tensor) -> tf.Tensor:
        """Return the masks."""
        masks = self.argmax_in_place(probabilities)  # (B, H, W, K)
        return tf.transpose(masks, [0, 3, 1, 2])[..., None]  # (B, K, H, W, 1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return `(batch, K, height, width, 1)`."""
        batch, height, width, segments = input_shape
        return (batch, segments, height, width, 1)


def masked_images(images: tf.Tensor, masks: tf.Tensor) -> tf.Tensor:
    """Return each image under each of its masks, 0 elsewhere.

    Args:
        images: `[batch, height, width, channels]` float.
        masks: `[batch, K, height, width, 1]` float.

    Returns:
        `[batch, K, height, width, channels]` of the masks' dtype.
    """
    return masks * tf.cast(images, masks.dtype)[:, None]
