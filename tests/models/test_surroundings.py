"""What a background around each pixel would continue as, by hand."""

import numpy as np
import tensorflow as tf

from cirs_tf.models.surroundings import surroundings


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
    """4 x 8 pixels: two squares of side 4, then one of side 8, half of it outside."""
    image = np.zeros((1, 4, 8, 3))
    image[:, :, :4] = 0.5
    image[:, :, 4:] = 1
    mask = np.zeros((1, 4, 8, 1))
    mask[:, :, :4] = 1
    mask[:, 0, 4] = 1  # 1 / 16 of the second square
    whole = (16 * 0.5 + 1) / 17
    both = (9 / 64 + 0.1 * whole) / (17 / 64 + 0.1)
    first = (0.5 + 0.1 * both) / 1.1
    second = (1 / 16 + 0.1 * both) / (1 / 16 + 0.1)
    fill = surroundings(tf.constant(image), tf.constant(mask)).numpy()
    # Squares enlarged bilinearly: centers lie between columns 1, 2 and 5, 6.
    np.testing.assert_allclose(fill[0, :2, :2], first, atol=1e-6)
    np.testing.assert_allclose(fill[0, :2, 6:], second, atol=1e-6)
    middle = (fill[0, :2, 3] + fill[0, :2, 4]) / 2
    np.testing.assert_allclose(middle, (first + second) / 2, atol=1e-6)


def test_surroundings_of_nothing_are_the_mean_and_take_no_gradient():
    image, _ = sky_and_hole()
    images, mask = tf.Variable(image), tf.Variable(np.zeros((1, 32, 32, 1)))
    with tf.GradientTape() as tape:
        fill = surroundings(images, mask)
    expected = np.broadcast_to(image.mean((1, 2)), fill.shape)
    np.testing.assert_allclose(fill, expected, atol=1e-6)
    assert tape.gradient(fill, [images, mask]) == [None, None]
