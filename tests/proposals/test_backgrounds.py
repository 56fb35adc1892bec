"""Backgrounds, where the most frequent color is known."""

import numpy as np

from cirs_tf.proposals.backgrounds import flat_background_colors, static_background


def test_static_background_where_objects_cover_it_half_of_the_time():
    rng = np.random.default_rng(0)
    images = np.full((120, 4, 4, 3), 0.2, np.float32)
    hidden = rng.random((120, 4, 4)) < 0.55
    images[hidden] = rng.random((hidden.sum(), 3))
    np.testing.assert_allclose(static_background(images, 0.01), 0.2, atol=0.02)


def test_threshold_is_the_squared_distance_summed_over_channels():
    # 0.1 in each of three channels: 0.03. Two of three images are alike if that counts.
    images = np.zeros((3, 1, 1, 3), np.float32)
    images[1] = 0.1
    images[2] = 0.9
    np.testing.assert_allclose(static_background(images, 0.029), 0)
    # 1e-6: float32.
    np.testing.assert_allclose(static_background(images, 0.031), 0.05, rtol=1e-6)


def test_flat_background_is_the_most_frequent_color():
    images = np.zeros((2, 4, 4, 3), np.uint8)
    images[0] = (200, 10, 30)
    images[0, :2] = (1, 2, 3)
    images[0, 2, :2] = (100, 100, 100)
    images[1, :3] = (90, 91, 92)
    expected = [(1, 2, 3), (90, 91, 92)]
    np.testing.assert_array_equal(flat_background_colors(images), expected)
