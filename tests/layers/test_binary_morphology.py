"""Morphology inside a model against SciPy and scikit-image."""

import numpy as np
import pytest
import scipy.ndimage as ndi
import tensorflow as tf
from skimage.measure import label

from cirs_tf.layers import binary_morphology as morphology

RNG = np.random.default_rng(0)
# From crumbs to large parts with holes.
MASKS = np.stack(
    [ndi.gaussian_filter(RNG.random((33, 47)), s) > 0.5 for s in (0.5, 1, 1.5, 2, 3)]
)


def applied(function, *arguments):
    found = function(tf.constant(MASKS[..., None], tf.float32), *arguments)
    return found.numpy()[..., 0].astype(bool)


@pytest.mark.parametrize("side", [3, 5])
def test_dilation_erosion_and_closing_are_scipys(side):
    square = np.ones((side, side))
    for found, expected in (
        (morphology.dilate, lambda m: ndi.binary_dilation(m, square)),
        (morphology.erode, lambda m: ndi.binary_erosion(m, square, border_value=1)),
    ):
        np.testing.assert_array_equal(
            applied(found, side), [expected(mask) for mask in MASKS]
        )
    grown = [ndi.binary_dilation(mask, square) for mask in MASKS]
    closed = [ndi.binary_erosion(mask, square, border_value=1) for mask in grown]
    np.testing.assert_array_equal(applied(morphology.close, side), closed)


def test_the_majority_counts_what_lies_in_the_image():
    found = applied(morphology.majority, 3)
    for place in np.ndindex(MASKS.shape):
        number, *center = place
        around = tuple(slice(max(at - 1, 0), at + 2) for at in center)
        square = MASKS[number][around]
        assert found[place] == (2 * square.sum() > square.size)


def test_holes_are_filled_as_by_scipy():
    expected = [ndi.binary_fill_holes(mask) for mask in MASKS]
    assert (np.stack(expected) != MASKS).any()
    np.testing.assert_array_equal(applied(morphology.fill_holes), expected)


@pytest.mark.parametrize("side", [3, 5])
def test_parts_that_hold_no_square_are_removed(side):
    expected = np.zeros_like(MASKS)
    for mask, kept in zip(MASKS, expected, strict=True):
        parts = label(mask, connectivity=2)
        inside = ndi.binary_erosion(mask, np.ones((side, side)), border_value=1)
        kept[:] = mask & np.isin(parts, parts[inside])
    assert (expected != MASKS).any()
    assert expected.any()
    found = applied(morphology.open_by_reconstruction, side)
    np.testing.assert_array_equal(found, expected)


def test_a_spiral_is_one_part():
    spiral = np.array(
        [
            [1, 1, 1, 1, 1, 1, 1],
            [0, 0, 0, 0, 0, 0, 1],
            [1, 1, 1, 1, 1, 0, 1],
            [1, 0, 0, 0, 1, 0, 1],
            [1, 0, 1, 1, 1, 0, 1],
            [1, 0, 0, 0, 0, 0, 1],
            [1, 1, 1, 1, 1, 1, 1],
        ]
    )
    mask = tf.constant(spiral[None, ..., None], tf.float32)
    np.testing.assert_array_equal(morphology.fill_holes(mask), mask)
    filled = morphology.fill_holes(1 - mask)
    assert filled.numpy().sum() == spiral.size - spiral.sum()


def test_sizes_that_are_known_only_later():
    spec = tf.TensorSpec([None, None, None, 1], tf.float32)
    traced = tf.function(morphology.fill_holes, input_signature=[spec])
    mask = tf.constant(MASKS[..., None], tf.float32)
    np.testing.assert_array_equal(traced(mask), morphology.fill_holes(mask))
