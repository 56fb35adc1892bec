"""Gumbel noise against its distribution."""

import numpy as np
import scipy.stats
import tensorflow as tf

from cirs_tf.layers.gumbel_noise import gumbel_noise


def test_noise_has_the_gumbel_distribution_and_its_seed():
    noise = gumbel_noise([20_000], tf.constant([1, 2]), tf.float32)
    assert scipy.stats.kstest(noise.numpy(), "gumbel_r").pvalue > 0.01
    again = gumbel_noise([20_000], tf.constant([1, 2]), tf.float32)
    np.testing.assert_array_equal(noise, again)
    other = gumbel_noise([20_000], tf.constant([1, 3]), tf.float32)
    assert (noise != other).numpy().mean() > 0.99


def test_argmax_of_noisy_logits_is_a_draw_from_their_softmax():
    logits = tf.constant([1.0, 0.0, -1.0])
    noise = gumbel_noise([40_000, 3], tf.constant([0, 0]), tf.float32)
    drawn = np.bincount(tf.argmax(logits + noise, axis=-1), minlength=3) / 40_000
    # The standard deviation of a share is below 0.0025.
    np.testing.assert_allclose(drawn, tf.nn.softmax(logits), atol=0.01)
