"""Gumbel noise, which makes an argmax of logits a draw from their softmax."""

import tensorflow as tf

_SMALLEST = 1e-7


def gumbel_noise(shape: tf.Tensor, seed: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Draw from the standard Gumbel distribution: -log(-log(u)), u uniform.

    Args:
        shape: Integers.
        seed: `[2]` int32, as for `tf.random.stateless_uniform`.
        dtype: A float type.

    Returns:
        `shape`; mean 0.577, variance pi^2 / 6, at least -2.8.

    Reference: Jang, Gu and Poole 2017; Maddison, Mnih and Teh 2017.
    """
    uniform = tf.random.stateless_uniform(shape, seed, _SMALLEST, 1.0, tf.float32)
    return tf.cast(-tf.math.log(-tf.math.log(uniform)), dtype)
