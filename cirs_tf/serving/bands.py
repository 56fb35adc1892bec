"""Pictures made some rows at a time, in TensorFlow, to hold what few rows need."""

from collections.abc import Callable

import tensorflow as tf


def in_bands(
    height: tf.Tensor,
    rows: tf.Tensor,
    band: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    dtype: tf.DType,
) -> tf.Tensor:
    """Return the rows of all bands, one after the other.

    Args:
        height: `[]` int32, number of rows in all.
        rows: `[]` int32, rows of a band; the last one has fewer.
        band: Maps the first row and the number of rows to `[rows, ...]`.
        dtype: Of what `band` returns.

    Returns:
        `[height, ...]`.
    """
    count = -(-height // rows)
    bands = tf.TensorArray(dtype, count, infer_shape=False, element_shape=None)

    def add(number: tf.Tensor, bands: tf.TensorArray) -> tuple:
        first = number * rows
        values = band(first, tf.minimum(rows, height - first))
        return number + 1, bands.write(number, values)

    _, bands = tf.while_loop(
        lambda number, _: number < count, add, (0, bands), parallel_iterations=1
    )
    return bands.concat()
