"""The error of pixels against templates laid where a pose puts them."""

import tensorflow as tf


def aligned_error(
    images: tf.Tensor, colours: tf.Tensor, support: tf.Tensor, outside: float
) -> tf.Tensor:
    """Return, for each segment, what each of its pixels would cost.

        e[b, k] = s[b, k] mean_channel (x - r[b, k])^2 + (1 - s[b, k]) outside

    Thesis 4.2 compares aligned pixels of matched segments with their mean over the
    images; with a pose, the mean is a template, and its support says which pixels are
    there to be aligned. The background has support 1 everywhere.

    Args:
        images: `[batch, height, width, 3]` float x in [0, 1].
        colours: `[batch, K, height, width, 3]` float r, templates at their poses.
        support: `[batch, K, height, width]` float s in [0, 1].
        outside: Cost of a pixel outside of a segment's support, > 0.

    Returns:
        `[batch, K, height, width]`.
    """
    squared = tf.reduce_mean(tf.square(images[:, None] - colours), axis=-1)
    return support * squared + (1 - support) * outside


def pose_error(predicted: tf.Tensor, true: tf.Tensor, canvas: int) -> tf.Tensor:
    """Compare poses `[batch, 4]` (x, y in pixels, cosine, sine of any length).

    Returns:
        `[batch]`: squared distance in units of the canvas, plus the squared distance
        of the two directions on the unit circle, a quarter of it.
    """
    place = tf.reduce_sum(tf.square((predicted - true)[:, :2] / canvas), axis=1)
    directions = [
        one[:, 2:] / tf.sqrt(tf.reduce_sum(one[:, 2:] ** 2, 1, keepdims=True) + 1e-8)
        for one in (predicted, true)
    ]
    turn = tf.reduce_sum(tf.square(directions[0] - directions[1]), axis=1)
    return place + turn / 4
