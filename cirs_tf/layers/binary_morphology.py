"""Morphology of binary masks that runs inside a model, in TensorFlow alone.

Masks are `[batch, height, width, 1]` float of 0 and 1. Squares are cut at the border.
"""

import tensorflow as tf


def majority(mask: tf.Tensor, side: int) -> tf.Tensor:
    """Return 1 where more than half of the square of odd `side` around is 1."""
    mean = tf.nn.avg_pool2d(mask, side, strides=1, padding="SAME")
    return tf.cast(mean > 0.5, mask.dtype)


def dilate(mask: tf.Tensor, side: int) -> tf.Tensor:
    """Return 1 where any of the square of odd `side` around is 1."""
    for window in ((side, 1), (1, side)):
        mask = tf.nn.max_pool2d(mask, window, strides=1, padding="SAME")
    return mask


def erode(mask: tf.Tensor, side: int) -> tf.Tensor:
    """Return 1 where all of the square of odd `side` around is 1."""
    return 1 - dilate(1 - mask, side)


def close(mask: tf.Tensor, side: int) -> tf.Tensor:
    """Fill gaps that no square of odd `side` fits into: dilation, then erosion."""
    return erode(dilate(mask, side), side)


def open_by_reconstruction(mask: tf.Tensor, side: int) -> tf.Tensor:
    """Remove connected parts that no square of odd `side` fits into; keep the others.

    Parts are connected by edges or corners.

    Reference: Vincent 1993, Morphological grayscale reconstruction.

    Example:
        >>> column = tf.constant([0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0])
        >>> mask = tf.repeat(column[None, :, None, None], 3, axis=2)
        >>> print(open_by_reconstruction(mask, 3).numpy()[0, :, 1, 0])
        [0. 1. 1. 1. 0. 0. 0.]
    """
    return _reconstruct(erode(mask, side), mask, corners=True)


def fill_holes(mask: tf.Tensor) -> tf.Tensor:
    """Return the mask with 1 wherever 0 is not connected, by edges, to the border."""
    empty = 1 - mask
    inner = tf.ones_like(mask)[:, 1:-1, 1:-1]
    border = 1 - tf.pad(inner, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return 1 - _reconstruct(border * empty, empty, corners=False)


def _reconstruct(seed: tf.Tensor, mask: tf.Tensor, corners: bool) -> tf.Tensor:
    """Return the connected parts of the mask that hold any of the seed.

    Args:
        seed: Mask of where to begin.
        mask: What may be reached.
        corners: Whether parts are connected by corners too, or by edges alone.
    """

    def grow(grown: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        larger = dilate(grown, 3) * mask if corners else grown
        larger = _along_rows(larger, mask)
        larger = _transposed(_along_rows(_transposed(larger), _transposed(mask)))
        return larger, tf.reduce_any(larger > grown)

    grown, _ = tf.while_loop(
        lambda _, growing: growing, grow, (seed * mask, tf.constant(True))
    )
    return tf.stop_gradient(grown)


def _along_rows(grown: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Fill every unbroken run of the mask within a row that holds any of `grown`."""
    wall = ((0, 0), (0, 0), (1, 0), (0, 0))  # at the left of each row
    walls = tf.reshape(tf.pad(1 - mask, wall, constant_values=1), [-1])
    runs = tf.cumsum(tf.cast(walls, tf.int32))
    reached = tf.math.segment_max(tf.reshape(tf.pad(grown, wall), [-1]), runs)
    filled = tf.reshape(tf.gather(reached, runs), tf.shape(tf.pad(mask, wall)))
    return filled[:, :, 1:] * mask


def _transposed(mask: tf.Tensor) -> tf.Tensor:
    return tf.transpose(mask, [0, 2, 1, 3])
