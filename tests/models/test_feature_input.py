"""The input of g, by NumPy loops."""

import itertools

import numpy as np
import tensorflow as tf

from cirs_tf.models.feature_input import feature_input

RNG = np.random.default_rng(0)
IMAGES = RNG.random((2, 6, 9, 3)).astype(np.float32)
MASKS = np.eye(2, dtype=np.float32)[RNG.integers(0, 2, (2, 6, 9))]
MASKS = MASKS.transpose(0, 3, 1, 2)[..., None]
MASKED = MASKS * IMAGES[:, None]


def seen(kind, masked=MASKED, masks=MASKS, cells=3):
    masked, masks = tf.constant(masked), tf.constant(masks)
    return feature_input(masked, masks, kind=kind, cells=cells).numpy()


def test_the_whole_image_is_left_as_it_is():
    np.testing.assert_array_equal(seen("image"), MASKED)


def test_pooled_is_the_mean_of_each_cell():
    found = seen("pooled")
    assert found.shape == (2, 2, 3, 3, 3)
    for row, column in itertools.product(range(3), range(3)):
        cell = MASKED[:, :, 2 * row : 2 * row + 2, 3 * column : 3 * column + 3]
        expected = cell.mean(axis=(2, 3))
        np.testing.assert_allclose(found[:, :, row, column], expected, atol=1e-6)


def test_area_normalized_has_the_mean_color_of_the_segment_as_its_mean():
    found = seen("area_normalized")
    for image, segment in itertools.product(range(2), range(2)):
        inside = MASKS[image, segment, ..., 0] == 1
        color = IMAGES[image][inside].mean(axis=0)
        mean = found[image, segment].mean(axis=(0, 1))
        np.testing.assert_allclose(mean, color, atol=1e-6)


def test_area_tells_nothing():
    """A segment of one color in every cell: half of the cell, or a sixth of it."""
    masks = np.zeros((1, 2, 6, 9, 1), np.float32)
    masks[0, 0, ::2] = 1
    masks[0, 1, ::2, ::3] = 1
    masked = masks * np.array([0.2, 0.4, 0.8], np.float32)
    one, other = seen("area_normalized", masked, masks)[0]
    np.testing.assert_allclose(one, other, atol=1e-6)
    one, other = seen("pooled", masked, masks)[0]
    np.testing.assert_allclose(one, 3 * other, atol=1e-6)


def test_an_empty_segment_is_black_and_its_gradient_finite():
    masks = tf.zeros((1, 1, 6, 9, 1))
    with tf.GradientTape() as tape:
        tape.watch(masks)
        masked = masks * IMAGES[:1, None]
        found = feature_input(masked, masks, kind="area_normalized", cells=3)
    assert not found.numpy().any()
    assert np.isfinite(tape.gradient(found, masks)).all()
