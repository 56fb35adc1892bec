"""Argmax-in-place: hard masks forward, a straight-through gradient backward."""

import keras
import tensorflow as tf


@tf.custom_gradient
def argmax_in_place(probabilities: tf.Tensor):
    """Set the largest entry of the last axis to 1 and all others to 0.

        masks[..., k] = 1 if k = argmax_j probabilities[..., j] else 0

    Ties go to the lowest index.

    Args:
        probabilities: `[..., K]` float, for example a softmax over K segments.

    Returns:
        `[..., K]` of the same dtype, one-hot along the last axis.

    Gradient:
        Straight-through: d loss / d probabilities = d loss / d masks, as if the
        softmax had not been made hard.

    Reference: thesis 6.1 and Figure 6.

    Example:
        >>> argmax_in_place(tf.constant([[0.2, 0.5, 0.3]])).numpy()
        array([[0., 1., 0.]], dtype=float32)
    """
    winner = tf.argmax(probabilities, axis=-1)
    masks = tf.one_hot(
        winner, tf.shape(probabilities)[-1], dtype=probabilities.dtype, axis=-1
    )
    masks = tf.ensure_shape(masks, probabilities.shape)

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return upstream

    return masks, gradient


@keras.saving.register_keras_serializable("cirs_tf")
class ArgmaxInPlace(keras.layers.Layer):
    """Layer form of `argmax_in_place`; the same shapes, no weights.

    `[..., K]` float to `[..., K]`, one-hot along the last axis.

    Example:
        >>> inputs = keras.Input((None, None, 4))
        >>> masks = ArgmaxInPlace()(keras.layers.Softmax()(inputs))
        >>> keras.Model(inputs, masks)(tf.constant([[[[1.0, 3.0, 0.0, 2.0]]]])).numpy()
        array([[[[0., 1., 0., 0.]]]], dtype=float32)
    """

    def call(self, probabilities: tf.Tensor) -> tf.Tensor:
        """Return one-hot masks `[..., K]` for probabilities `[..., K]`."""
        return argmax_in_place(probabilities)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the input's shape."""
        return input_shape
