"""Resizing to the size of a reference, against a loop over places."""

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.layers.resize_like import ResizeLike

VALUES = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)


def by_loops(values, rows, columns):
    """Return bilinear interpolation between the middles of pixels."""
    batch, height, width, channels = values.shape
    resized = np.empty((batch, rows, columns, channels))
    for row in range(rows):
        y = np.clip((row + 0.5) * height / rows - 0.5, 0, height - 1)
        top = min(int(y), height - 2)
        for column in range(columns):
            x = np.clip((column + 0.5) * width / columns - 0.5, 0, width - 1)
            left = min(int(x), width - 2)
            down, right = y - top, x - left
            square = values[:, top : top + 2, left : left + 2]
            weights = np.outer([1 - down, down], [1 - right, right])
            resized[:, row, column] = np.einsum("byxc,yx->bc", square, weights)
    return resized


@pytest.mark.parametrize(
    ("size", "stride", "rows", "columns"),
    [((48, 64), 8, 6, 8), ((50, 57), 8, 7, 8), ((7, 6), 1, 7, 6)],
)
def test_values_at_every_place(size, stride, rows, columns):
    layer = ResizeLike(stride)
    found = layer(VALUES, tf.zeros((2, *size, 3)))
    np.testing.assert_allclose(found, by_loops(VALUES, rows, columns), atol=1e-6)
    shape = layer.compute_output_shape(VALUES.shape, (2, *size, 3))
    assert shape == tuple(found.shape)


def test_sizes_that_are_known_only_later():
    shape = ResizeLike(8).compute_output_shape((None, 3, 4, 5), (None, None, 64, 3))
    assert shape == (None, None, 8, 5)
