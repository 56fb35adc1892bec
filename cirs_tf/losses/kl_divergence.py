"""Divergence of Gaussian codes from a standard normal prior, in nats."""

import tensorflow as tf


def standard_normal_kl(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """Return the divergence of diagonal Gaussians from the standard normal.

        KL[b] = 1/2 sum_{segment, unit} (exp(l) + mu^2 - 1 - l)

    Args:
        mean: `[batch, ..., units]` float mu.
        log_variance: The same shape, l.

    Returns:
        `[batch]`, at least 0; 0 for mu = l = 0.

    Reference: Kingma and Welling 2014, appendix B.
    """
    # expm1: near the prior, exp(l) - 1 - l is a small difference.
    nats = tf.math.expm1(log_variance) - log_variance + tf.square(mean)
    return tf.reduce_sum(nats, axis=range(1, mean.shape.rank)) / 2
