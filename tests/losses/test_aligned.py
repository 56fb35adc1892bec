import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.losses.aligned import (
    aligned_error,
    outline_error,
    pose_error,
)


def test_error_against_a_loop():
    rng = np.random.default_rng(0)
    images = rng.random((2, 3, 4, 3))
    colors = rng.random((2, 5, 3, 4, 3))
    support = rng.random((2, 5, 3, 4))
    found = aligned_error(
        tf.constant(images),
        tf.constant(colors),
        tf.constant(support),
        out_of_support_cost=0.3,
        occlusion_penalty=0.7,
    ).numpy()
    for b, k, y, x in np.ndindex(2, 5, 3, 4):
        squared = sum(
            (images[b, y, x, c] - colors[b, k, y, x, c]) ** 2 for c in range(3)
        )
        s = support[b, k, y, x]
        expected = s * squared / 3 + (1 - s) * 0.3
        if k == 0:
            expected += 0.7 * max(support[b, 1:, y, x])
        assert found[b, k, y, x] == pytest.approx(expected)


def test_outline_error_against_a_loop():
    rng = np.random.default_rng(1)
    support = rng.random((2, 3, 4, 5))
    labels = rng.integers(0, 3, (2, 4, 5))
    found = outline_error(tf.constant(support), tf.constant(labels)).numpy()
    for b in range(2):
        total = 0.0
        for k, y, x in np.ndindex(3, 4, 5):
            if k > 0 and labels[b, y, x] in (0, k):
                total += (support[b, k, y, x] - (labels[b, y, x] == k)) ** 2
        assert found[b] == pytest.approx(total / 20)


def test_pose_error_by_hand():
    true = [[3.0, 4.0, 1.0, 0.0]] * 4
    predicted = [
        [3.0, 4.0, 2.0, 0.0],  # the same direction
        [6.0, 8.0, 1.0, 0.0],  # 5 pixels away, canvas 10
        [3.0, 4.0, 0.0, -3.0],  # a quarter turn
        [3.0, 4.0, -1.0, 0.0],  # half a turn
    ]
    found = pose_error(tf.constant(predicted), tf.constant(true), 10).numpy()
    np.testing.assert_allclose(found, [0, 0.25, 0.5, 1], atol=1e-5)
