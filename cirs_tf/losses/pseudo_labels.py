"""Pseudo-labels: the segment of least error at each pixel, borders by color."""

import numpy as np
import tensorflow as tf

_INSIDE = 3  # height and width of a neighborhood that lies in one segment, in pixels
REACH = 2  # colors are taken from pixels up to so far away, in rows and in columns
SPREAD = 0.7  # standard deviation of their weights, in pixels


def pseudo_labels(images: tf.Tensor, errors: tf.Tensor) -> tf.Tensor:
    """Return the segment of least error at each pixel, border pixels settled by color.

    Args:
        images: `[batch, height, width, 3]` float.
        errors: `[batch, K, height, width]` float, of each pixel in each segment.

    Returns:
        `[batch, height, width]` int64.
    """
    return settle_borders(images, tf.argmin(errors, axis=1), errors.shape[1])


def settle_borders(images: tf.Tensor, labels: tf.Tensor, segments: int) -> tf.Tensor:
    """Decide border pixels anew, by the colors of the segments inside.

    At a border a pixel shows (1 - a) of one segment's color and a of the other's. An
    error against templates of mean colors gives too many of them to objects, since
    their rims were averaged from such mixtures. Here such a pixel goes to the segment
    whose color near by it resembles most, that is to the one that covers more of it:
    colors are means, with weights that fall off as a Gaussian, over the pixels of the
    5x5 neighborhood whose own 3x3 neighborhood lies in one segment. A pixel keeps its
    label where its segment has no such pixel near by, as in a stem of one or two
    pixels' width.

    Args:
        images: `[batch, height, width, 3]` float.
        labels: `[batch, height, width]` integer, 0 to `segments` - 1.
        segments: K.

    Returns:
        `[batch, height, width]` int64.
    """
    labels = tf.cast(labels, tf.int64)
    masks = tf.one_hot(labels, segments, dtype=images.dtype)  # (B, H, W, K)
    inside = 1 - tf.nn.max_pool2d(1 - masks, _INSIDE, 1, "SAME")
    weighted = inside[..., None] * images[..., None, :]  # (B, H, W, K, 3)
    size = tf.shape(images)
    flat = tf.reshape(weighted, [size[0], size[1], size[2], segments * 3])
    sums = gaussian_window_sums(tf.concat([inside, flat], axis=-1))
    weight, colors = tf.split(sums, [segments, segments * 3], axis=-1)
    colors = tf.reshape(colors, tf.shape(weighted))
    colors /= tf.maximum(weight, 1e-9)[..., None]
    known = weight > 1e-9
    distance = tf.reduce_sum(tf.square(images[..., None, :] - colors), axis=-1)
    nearest = tf.argmin(tf.where(known, distance, distance.dtype.max), axis=-1)
    decided = tf.reduce_any(inside > 0.5, axis=-1)
    own = tf.reduce_any((masks > 0.5) & known, axis=-1)
    return tf.where(own & ~decided, nearest, labels)


def gaussian_window_sums(values: tf.Tensor) -> tf.Tensor:
    """Sum values over 5x5 neighborhoods with Gaussian weights, per channel.

    The sum at q is sum_d exp(-|d|^2 / (2 SPREAD^2)) values(q + d) over rows and columns
    d of -REACH to REACH. Weights are not normalized: the middle one is 1. Outside of
    the image values are 0.

    Args:
        values: `[batch, height, width, channels]` float.

    Returns:
        Float of the same shape and dtype.

    Example:
        >>> values = tf.constant([[0.0, 0.0, 1.0, 0.0]])[None, ..., None]
        >>> print(gaussian_window_sums(values).numpy().ravel().round(3))
        [0.017 0.36  1.    0.36 ]
    """
    steps = np.arange(-REACH, REACH + 1)
    line = np.exp(-np.square(steps) / (2 * SPREAD**2))
    channels = values.shape[-1]
    for shape in ((len(line), 1), (1, len(line))):
        kernel = np.broadcast_to(line.reshape(*shape, 1, 1), (*shape, channels, 1))
        kernel = tf.constant(kernel, values.dtype)
        values = tf.nn.depthwise_conv2d(values, kernel, [1, 1, 1, 1], "SAME")
    return values
