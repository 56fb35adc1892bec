import numpy as np
import tensorflow as tf

from cirs_tf.losses.min_usage import min_usage_penalty


def batch_mean(values):
    return tf.reduce_mean(values, axis=0)


def test_by_hand_value_and_gradient():
    # Two images of two pixels; shares of the three segments: 0.7, 0.3 and 0.
    rows = [[[1, 0, 0], [0.8, 0.2, 0]], [[0.6, 0.4, 0], [0.4, 0.6, 0]]]
    probabilities = tf.constant(rows)[:, None]
    with tf.GradientTape() as tape:
        tape.watch(probabilities)
        found = min_usage_penalty(probabilities, 0.4, batch_mean)
    np.testing.assert_allclose(found, (0.1 + 0.4) / 0.4, rtol=1e-6)
    gradient = tape.gradient(found, probabilities).numpy()
    # Only segments below the floor are pulled, every pixel alike: -1 / (4 * 0.4).
    expected = np.broadcast_to([0, -0.625, -0.625], gradient.shape)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)


def test_nothing_is_asked_of_segments_above_the_floor():
    probabilities = np.full((3, 2, 2, 4), 0.25, np.float32)
    assert min_usage_penalty(probabilities, 0.2, batch_mean).numpy() == 0
