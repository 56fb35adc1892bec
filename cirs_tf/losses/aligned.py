"""The error of pixels against templates laid where a pose puts them."""

import tensorflow as tf


def aligned_error(
    images: tf.Tensor,
    colors: tf.Tensor,
    support: tf.Tensor,
    outside: float,
    behind: float,
) -> tf.Tensor:
    """Return, for each segment, what each of its pixels would cost.

        e[b, k] = s[b, k] mean_channel (x - r[b, k])^2 + (1 - s[b, k]) outside
        e[b, 0] = the same + behind max_{k > 0} s[b, k]

    Thesis 4.2 compares aligned pixels of matched segments with their mean over the
    images; with a pose, the mean is a template, and its support says which pixels are
    there to be aligned. The background, segment 0, has support 1 everywhere, and is
    not seen where an object is: such a pixel costs it more, so that an object keeps
    parts that have the background's color.

    Args:
        images: `[batch, height, width, 3]` float x in [0, 1].
        colors: `[batch, K, height, width, 3]` float r, templates at their poses.
        support: `[batch, K, height, width]` float s in [0, 1].
        outside: Cost of a pixel outside of a segment's support, > 0.
        behind: What the background's cost grows by within an object, at least 0.

    Returns:
        `[batch, K, height, width]`.
    """
    squared = tf.reduce_mean(tf.square(images[:, None] - colors), axis=-1)
    errors = support * squared + (1 - support) * outside
    hidden = behind * tf.reduce_max(support[:, 1:], axis=1, keepdims=True)
    return tf.concat([errors[:, :1] + hidden, errors[:, 1:]], axis=1)


def outline_error(support: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Compare supports with the pixels that segments hold.

        e[b] = mean_pixel sum_{k > 0} [label in {0, k}] (s[b, k] - [label = k])^2

    Its minimum makes a support the mean over the images of aligned masks, as a template
    is that of aligned pixels. Pixels of other objects are left out: these may hide it.

    Args:
        support: `[batch, K, height, width]` float s in [0, 1], the background's first.
        labels: `[batch, height, width]` integer in [0, K), 0 being the background.

    Returns:
        `[batch]`.
    """
    segments = support.shape[1]
    masks = tf.one_hot(labels, segments, axis=1, dtype=support.dtype)  # (B, K, H, W)
    counted = masks[:, 1:] + masks[:, :1]
    squared = tf.square(support[:, 1:] - masks[:, 1:])
    return tf.reduce_mean(tf.reduce_sum(counted * squared, axis=1), axis=[1, 2])


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
