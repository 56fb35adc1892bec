"""Histograms by hand, and objects told from mixtures of them."""

import numpy as np
import pytest

from cirs_tf.proposals.color_clusters import assign_objects, color_histogram


def test_histogram_by_hand():
    # Levels 0 to 3 per channel; red counts 16, green 4, blue 1. 1.0 is of level 3.
    pixels = np.array([[0, 0, 0], [0, 0, 0], [1, 0.25, 0.74], [0.5, 0, 0.24]])
    histogram = color_histogram(pixels)
    assert histogram.shape == (64,)
    expected = {0: 2 / 4, 3 * 16 + 1 * 4 + 2: 1 / 4, 2 * 16: 1 / 4}
    shares = np.zeros(64)
    shares[list(expected)] = list(expected.values())
    np.testing.assert_allclose(histogram, np.sqrt(shares))


def test_objects_that_touch_are_no_object_of_their_own():
    """A large cluster of mixtures does not displace a small one of an object."""
    rng = np.random.default_rng(0)
    pure = np.array([[1.0, 0, 0, 0], [0, 0.5, 0.5, 0], [0.4, 0.3, 0.3, 0]])
    true = np.repeat([0, 1, 2], [60, 40, 200])
    shares = np.abs(pure[true] + rng.normal(0, 0.004, (300, 4)))
    shares /= shares.sum(axis=1, keepdims=True)
    objects = assign_objects(np.sqrt(shares), np.full(300, 9), num_objects=2, seed=0)
    assert (objects[true == 2] == -1).all()
    for true_object in (0, 1):
        assigned = objects[(true == true_object) & (objects >= 0)]
        assert len(assigned) > 20 and len(set(assigned)) == 1


@pytest.mark.parametrize("first", [1, 3])
def test_k_means_divides_components_without_dense_clusters(first):
    shares = np.eye(4)[[*[0] * first, 1, 1]]  # 3, too few to look for clusters; 5
    objects = assign_objects(shares, np.full(first + 2, 9), num_objects=2, seed=0)
    assert sorted([set(objects[:first]), set(objects[first:])], key=min) == [{0}, {1}]
