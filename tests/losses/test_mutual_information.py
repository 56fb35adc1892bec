import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from cirs_tf.losses.mutual_information import (
    displaced_joints,
    negative_mutual_information,
)

RNG = np.random.default_rng(0)


def soft(*shape):
    values = RNG.random(shape).astype(np.float32)
    return values / values.sum(-1, keepdims=True)


@pytest.mark.parametrize("reach", [0, 1, 2])
def test_joints_equal_a_loop(reach):
    first, second = soft(2, 4, 5, 3), soft(2, 4, 5, 3)
    found = displaced_joints(first, second, reach).numpy()
    number = 0
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            expected, pixels = np.zeros((3, 3)), 0
            for y in range(4):
                for x in range(5):
                    if 0 <= y + down < 4 and 0 <= x + right < 5:
                        pair = (
                            first[:, y, x, :, None]
                            * second[:, y + down, x + right, None]
                        )
                        expected += pair.mean(0)
                        pixels += 1
            np.testing.assert_allclose(found[number], expected / pixels, atol=1e-6)
            number += 1
    assert len(found) == number
    np.testing.assert_allclose(found.sum((1, 2)), 1, atol=1e-5)  # sums of 20 float32


def test_information_of_hard_labels_is_scikit_learns():
    labels = RNG.integers(0, 3, (6, 4, 5))
    anything = RNG.integers(0, 3, labels.shape)
    others = np.where(RNG.random(labels.shape) < 0.5, labels, anything)
    # Both orders of every pair: the joint is made symmetric.
    both = np.concatenate([labels, others]), np.concatenate([others, labels])
    expected = mutual_info_score(both[0].ravel(), both[1].ravel())
    hard = np.eye(3, dtype=np.float32)
    joints = displaced_joints(hard[labels], hard[others], 0)
    found = negative_mutual_information(joints)
    np.testing.assert_allclose(found, -expected, atol=1e-6)


def test_extremes():
    """By hand: equal segments known exactly give ln K; one segment for all gives 0."""
    certain = np.eye(4, dtype=np.float32)[np.arange(16).reshape(1, 4, 4) % 4]
    constant = np.full((1, 4, 4, 4), 0.25, np.float32)
    one = np.eye(4, dtype=np.float32)[np.zeros((1, 4, 4), int)]
    for values, expected in [(certain, -np.log(4)), (constant, 0), (one, 0)]:
        joints = displaced_joints(values, values, 0)
        found = negative_mutual_information(joints)
        np.testing.assert_allclose(found, expected, atol=1e-6)
