"""What the background around each pixel would continue as."""

import tensorflow as tf

_SMALLEST = 4  # side of the smallest squares in pixels
_PRIOR = 0.1  # share of pixels that the fill of the next larger square counts as
_EMPTY = 1e-6


def surroundings(images: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Return what the colors inside a mask would continue as, everywhere.

    Means of the colors inside the mask over squares of side 4, and where a square has
    few such pixels, over those of side 8, and so on up to the whole image: with c and n
    the sum of colors and the number of pixels inside the mask, both over side^2,

        fill = (c + 0.1 fill of the next larger square) / (n + 0.1)

    enlarged bilinearly. In squares that the image's border cuts, what lies beyond
    counts as outside the mask.

    Args:
        images: `[batch, height, width, 3]` float in [0, 1].
        mask: `[batch, height, width, 1]` float, 0 or 1.

    Returns:
        The shape of `images`.

    Gradient: none.
    """
    images, mask = tf.stop_gradient(images), tf.stop_gradient(mask)
    height, width = images.shape[1:3]
    values = tf.concat([images * mask, mask], axis=-1)
    whole = tf.reduce_mean(values, axis=[1, 2], keepdims=True)
    mean = tf.reduce_mean(images, axis=[1, 2], keepdims=True)  # of an empty mask
    fill = (whole[..., :3] + _EMPTY * mean) / (whole[..., 3:] + _EMPTY)
    largest = _SMALLEST
    while largest < max(height, width):
        largest *= 2
    rows, columns = -height % largest, -width % largest
    level = tf.pad(values, [[0, 0], [0, rows], [0, columns], [0, 0]])
    level = _means_of_squares(level, _SMALLEST)
    levels = [level]
    while max(level.shape[1:3]) > 1:
        level = _means_of_squares(level, 2)
        levels.append(level)
    for level in reversed(levels):
        fill = tf.cast(tf.image.resize(fill, level.shape[1:3]), level.dtype)
        fill = (level[..., :3] + _PRIOR * fill) / (level[..., 3:] + _PRIOR)
    fill = tf.image.resize(fill, [height + rows, width + columns])
    return tf.cast(fill[:, :height, :width], images.dtype)


def _means_of_squares(values: tf.Tensor, side: int) -> tf.Tensor:
    """Return means over squares that divide `[batch, height, width, channels]`."""
    _, height, width, channels = values.shape
    shape = [-1, height // side, side, width // side, side, channels]
    return tf.reduce_mean(tf.reshape(values, shape), axis=[2, 4])
