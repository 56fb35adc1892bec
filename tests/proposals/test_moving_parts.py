"""Kinds of moving parts, by hand and by a loop."""

import numpy as np
import pytest
from skimage.color import rgb2lab
from skimage.measure import label, regionprops

from cirs_tf.proposals.moving_parts import (
    kind_centers,
    kinds_of_parts,
    part_features,
)

RNG = np.random.default_rng(0)


def test_features_are_mean_color_and_side():
    image, mask = RNG.random((20, 24, 3)), RNG.random((20, 24)) < 0.15
    parts, features = part_features(image, mask)
    expected = label(mask, connectivity=2)
    assert len(features) == expected.max() > 5
    for region in regionprops(expected):
        rows, columns = region.coords.T
        (number,) = np.unique(parts[rows, columns])
        mean = rgb2lab(image)[rows, columns].mean(axis=0) / 20
        np.testing.assert_allclose(features[number - 1, :3], mean, rtol=1e-6)
        side = 0.5 * np.log2(region.area)
        assert features[number - 1, 3] == pytest.approx(side)
    np.testing.assert_array_equal(parts > 0, mask)


def test_nothing_that_moves_has_no_parts():
    parts, features = part_features(np.zeros((4, 5, 3)), np.zeros((4, 5)))
    assert features.shape == (0, 4) and not parts.any()
    labels = kinds_of_parts(
        np.zeros((2, 4, 5, 3)), np.zeros((2, 4, 5)), np.ones((2, 4))
    )
    assert labels.shape == (2, 4, 5) and not labels.any()


def test_kinds_are_clusters_in_the_order_of_their_sizes():
    centers = np.array([[0.0, 0, 0, 5], [3, 0, 0, 2], [0, 3, 0, 3]])
    features = np.repeat(centers, 30, axis=0) + RNG.normal(0, 0.05, (90, 4))
    for seed in range(5):  # k-means gives them in another order each time
        found = kind_centers(features, 3, seed)
        np.testing.assert_allclose(found, centers[[1, 2, 0]], atol=0.05)
    with pytest.raises(ValueError, match="^2 parts move .* fewer than the 3 kinds"):
        kind_centers(np.repeat(centers[:2], 9, axis=0), 3, 0)


def test_each_part_is_of_the_nearest_kind():
    image = np.zeros((1, 10, 12, 3))
    mask = np.zeros((1, 10, 12))
    mask[0, :2, :2] = mask[0, 4:10, 5:11] = mask[0, 0, 6:8] = 1
    image[0, 4:10, 5:11] = 1.0  # white, L* 100
    centers = np.array([[0.0, 0, 0, 0.8], [5, 0, 0, 2.5]])
    labels = kinds_of_parts(image, mask, centers)
    expected = mask.astype(int)
    expected[0, 4:10, 5:11] = 2
    np.testing.assert_array_equal(labels, expected)
