"""The head of the lowest loss of late."""

import numpy as np
import tensorflow as tf

from cirs_tf.layers.best_head import BestHead

LOGITS = tf.reshape(tf.range(2 * 1 * 2 * 6, dtype=tf.float32), [2, 1, 2, 6])


def test_the_lowest_running_mean_is_chosen():
    layer = BestHead(3)
    np.testing.assert_array_equal(layer(LOGITS), LOGITS[..., 0:2])  # before any loss
    layer.update(tf.constant([3.0, 1.0, 2.0]))
    np.testing.assert_allclose(layer.mean_losses, [3, 1, 2])
    np.testing.assert_array_equal(layer(LOGITS), LOGITS[..., 2:4])
    expected = np.array([3.0, 1.0, 2.0])
    for _ in range(20):
        layer.update(tf.constant([3.0, 3.0, 2.0]))
        expected = 0.95 * expected + 0.05 * np.array([3.0, 3.0, 2.0])
    np.testing.assert_allclose(layer.mean_losses, expected, rtol=1e-5)
    np.testing.assert_array_equal(layer(LOGITS), LOGITS[..., 4:6])


def test_one_bad_mini_batch_changes_nothing():
    layer = BestHead(2)
    layer(LOGITS)
    for losses in ([1.0, 1.5], [3.0, 1.5]):
        layer.update(tf.constant(losses))
    assert layer.best == 0
