"""Pose networks side by side: each has its own object and its own weights."""

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.models.pose_nets import POSE_INPUT, pose_nets

RNG = np.random.default_rng(0)


def crops(objects):
    shape = (5, objects, POSE_INPUT, POSE_INPUT, 4)
    return RNG.random(shape).astype(np.float32)


@pytest.mark.parametrize("objects", [1, 3])
def test_each_network_sees_its_own_object(objects):
    networks = pose_nets(objects, seed=2)
    seen = crops(objects)
    before = networks(seen, training=True).numpy()
    assert before.shape == (5, objects, 4)
    for changed in range(objects):
        others = seen.copy()
        others[:, changed] = crops(1)[:, 0]
        after = networks(others, training=True).numpy()
        same = [number for number in range(objects) if number != changed]
        np.testing.assert_allclose(after[:, same], before[:, same], atol=1e-5)
        assert np.abs(after[:, changed] - before[:, changed]).max() > 1e-3


def test_no_two_kernels_begin_with_the_same_draws():
    """Nor do layers of one shape; seeds of K - 1 objects do not overlap."""
    kernels = [
        np.ravel(kernel / np.std(kernel))[:50]
        for variable in pose_nets(3, seed=0).trainable_variables
        if len(variable.shape) > 2
        for kernel in variable.numpy()
    ]
    assert len(kernels) == 3 * 5
    for number, kernel in enumerate(kernels):
        for other in kernels[:number]:
            assert np.abs(kernel - other).max() > 0.1


def test_a_networks_statistics_are_its_own():
    """A brighter object moves nobody else's running means."""
    networks = pose_nets(2, seed=1)
    seen = crops(2)
    seen[:, 1] += 100
    networks(seen, training=True)
    first = next(v for v in networks.non_trainable_variables if "mean" in v.name)
    ours, other = tf.split(first.value, 2)
    assert np.abs(ours).max() < np.abs(other).max() / 10


def test_many_objects_have_seeds_for_all_layers():
    assert pose_nets(300, seed=0).output_shape == (None, 300, 4)
