"""The guided filter against loops over squares and pixels."""

import numpy as np
import tensorflow as tf

from cirs_tf.layers.guided_filter import GuidedFilter

RNG = np.random.default_rng(0)
HEIGHT, WIDTH, RADIUS, EPSILON = 7, 9, 2, 1e-2
GRAY = RNG.random((HEIGHT, WIDTH))
MAPS = RNG.dirichlet(np.ones(3), (HEIGHT, WIDTH))


def squares(row, column):
    """Return the rows and columns of the square around a pixel, cut at the border."""
    return (
        slice(max(row - RADIUS, 0), row + RADIUS + 1),
        slice(max(column - RADIUS, 0), column + RADIUS + 1),
    )


def filtered_by_loops(values):
    """Return a map filtered as in He et al. 2010, equations 5, 6 and 8."""
    slope, offset = np.empty((2, HEIGHT, WIDTH))
    for row in range(HEIGHT):
        for column in range(WIDTH):
            window = squares(row, column)
            gray, value = GRAY[window].ravel(), values[window].ravel()
            covariance = np.cov(gray, value, bias=True)
            slope[row, column] = covariance[0, 1] / (covariance[0, 0] + EPSILON)
            offset[row, column] = value.mean() - slope[row, column] * gray.mean()
    output = np.empty((HEIGHT, WIDTH))
    for row in range(HEIGHT):
        for column in range(WIDTH):
            window = squares(row, column)
            mean_slope, mean_offset = slope[window].mean(), offset[window].mean()
            output[row, column] = mean_slope * GRAY[row, column] + mean_offset
    return output


def test_every_channel_is_filtered_as_by_loops():
    layer = GuidedFilter(RADIUS, EPSILON)
    maps = tf.constant(MAPS[None], tf.float32)
    found = layer(maps, tf.constant(GRAY[None, ..., None], tf.float32))[0].numpy()
    for channel in range(3):
        expected = filtered_by_loops(MAPS[..., channel])
        np.testing.assert_allclose(found[..., channel], expected, atol=2e-6)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-5)


def test_colors_count_by_their_luminance():
    images = RNG.random((2, HEIGHT, WIDTH, 3)).astype(np.float32)
    gray = images @ np.float32([0.2989, 0.587, 0.114])  # ITU-R BT.601
    maps = tf.constant(RNG.random((2, HEIGHT, WIDTH, 1)), tf.float32)
    layer = GuidedFilter(RADIUS, EPSILON)
    expected = layer(maps, tf.constant(gray[..., None]))
    np.testing.assert_allclose(layer(maps, images), expected, atol=1e-5)


def test_a_blurred_step_is_drawn_to_the_edge_of_the_image():
    columns = np.arange(32)
    gray = np.tile((columns >= 16) * 1.0, (32, 1))
    blurred = np.tile(np.clip((columns - 11) / 10, 0, 1), (32, 1))
    layer = GuidedFilter(8, 1e-4)
    found = layer(
        tf.constant(blurred[None, ..., None], tf.float32),
        tf.constant(gray[None, ..., None], tf.float32),
    )[0, 16, :, 0].numpy()
    step = found[16] - found[15]
    assert step > 0.6 > 0.11 > blurred[16, 16] - blurred[16, 15]


def test_one_gray_leaves_means_of_means():
    maps = tf.constant(MAPS[None], tf.float32)
    found = GuidedFilter(50, EPSILON)(maps, tf.fill((1, HEIGHT, WIDTH, 1), 0.3))
    mean = np.broadcast_to(MAPS.mean((0, 1)), MAPS.shape)
    np.testing.assert_allclose(found[0], mean, atol=1e-5)
