import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.losses.aligned import (
    aligned_error,
    outline_error,
    pose_error,
    surroundings,
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


def sky_and_hole():
    """Return an image, red left and blue right with a green square, and its mask."""
    image = np.zeros((1, 32, 32, 3))
    image[:, :, :16] = [0.8, 0.1, 0.1]
    image[:, :, 16:] = [0.1, 0.2, 0.9]
    image[:, 8:20, 3:13] = [0, 1, 0]
    mask = np.ones((1, 32, 32, 1))
    mask[:, 8:20, 3:13] = 0
    return image, mask


def test_surroundings_continue_near_colors_and_hide_what_the_mask_leaves_out():
    image, mask = sky_and_hole()
    fill = surroundings(tf.constant(image), tf.constant(mask)).numpy()
    assert np.abs(fill[0, 8:20, 3:8] - image[0, 0, 0]).max() < 0.05
    assert np.abs(fill[0, :, 20:] - image[0, 0, -1]).max() < 0.02
    # Whatever is in the hole.
    other = np.where(mask == 1, image, 0.3)
    again = surroundings(tf.constant(other), tf.constant(mask))
    np.testing.assert_allclose(again, fill, atol=1e-6)


def test_surroundings_by_hand():
    """4 x 8 pixels: two squares of 4, then one of 8 that is cut to both."""
    image = np.zeros((1, 4, 8, 3))
    image[:, :, :4] = 0.5
    image[:, :, 4:] = 1
    mask = np.zeros((1, 4, 8, 1))
    mask[:, :, :4] = 1
    mask[:, 0, 4] = 1  # 1 / 16 of the second square
    whole = (16 * 0.5 + 1) / 17
    both = (9 / 32 + 0.1 * whole) / (17 / 32 + 0.1)
    first = (0.5 + 0.1 * both) / 1.1
    second = (1 / 16 + 0.1 * both) / (1 / 16 + 0.1)
    fill = surroundings(tf.constant(image), tf.constant(mask)).numpy()
    # Cells of 4 enlarged bilinearly: centers lie between columns 1, 2 and 5, 6.
    np.testing.assert_allclose(fill[0, :, :2], first, atol=1e-6)
    np.testing.assert_allclose(fill[0, :, 6:], second, atol=1e-6)
    middle = (fill[0, :, 3] + fill[0, :, 4]) / 2
    np.testing.assert_allclose(middle, (first + second) / 2, atol=1e-6)


def test_surroundings_of_nothing_are_the_mean_and_take_no_gradient():
    image, _ = sky_and_hole()
    images, mask = tf.Variable(image), tf.Variable(np.zeros((1, 32, 32, 1)))
    with tf.GradientTape() as tape:
        fill = surroundings(images, mask)
    expected = np.broadcast_to(image.mean((1, 2)), fill.shape)
    np.testing.assert_allclose(fill, expected, atol=1e-6)
    assert tape.gradient(fill, [images, mask]) == [None, None]
