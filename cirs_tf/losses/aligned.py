"""Errors of images, masks and poses against templates rendered at poses."""

import tensorflow as tf


def aligned_error(
    images: tf.Tensor,
    colors: tf.Tensor,
    support: tf.Tensor,
    out_of_support_cost: float,
    occlusion_penalty: float,
) -> tf.Tensor:
    """Return the error of every pixel against every segment's rendered template.

        e[b, k] = s[b, k] mean_channel (x - r[b, k])^2 + (1 - s[b, k]) c
        e[b, 0] = the same + o max_{k > 0} s[b, k]

    with c the cost outside a support and o the occlusion penalty. Thesis 4.2 compares
    aligned pixels of matched segments with their mean over the images; with a pose,
    that mean is a template, and its support says which pixels can be compared. The
    background, segment 0, has support 1 everywhere. Where an object is, the background
    is hidden: the penalty lets an object keep parts that have the background's color.

    Args:
        images: `[batch, height, width, 3]` float x in [0, 1].
        colors: `[batch, K, height, width, 3]` float r, templates at their poses.
        support: `[batch, K, height, width]` float s in [0, 1].
        out_of_support_cost: Cost of a pixel outside a segment's support, > 0.
        occlusion_penalty: Extra background cost, per pixel, inside an object's support,
            at least 0.

    Returns:
        `[batch, K, height, width]`.
    """
    squared = tf.reduce_mean(tf.square(images[:, None] - colors), axis=-1)
    errors = support * squared + (1 - support) * out_of_support_cost
    hidden = occlusion_penalty * tf.reduce_max(support[:, 1:], axis=1, keepdims=True)
    return tf.concat([errors[:, :1] + hidden, errors[:, 1:]], axis=1)


def outline_error(support: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Compare supports with the pixels that segments hold.

        e[b] = mean_pixel sum_{k > 0} [label in {0, k}] (s[b, k] - [label = k])^2

    Its minimum makes a support the mean of the aligned masks of all images, as a
    template is the mean of the aligned pixels. Pixels of other objects are left out:
    those may hide the object.

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


def pose_error(estimated: tf.Tensor, true: tf.Tensor, canvas: int) -> tf.Tensor:
    """Compare estimated poses with true ones.

        e[b] = |p - p'|^2 / canvas^2 + |d - d'|^2 / 4

    with centers p in pixels and unit vectors d of the directions.

    Args:
        estimated: `[..., 4]` float: x and y in pixels, cosine and sine of any length.
        true: The same.
        canvas: Height and width of a template in pixels.

    Returns:
        `[...]`.
    """
    place = tf.reduce_sum(tf.square((estimated - true)[..., :2] / canvas), axis=-1)
    directions = [
        pose[..., 2:]
        / tf.sqrt(tf.reduce_sum(pose[..., 2:] ** 2, -1, keepdims=True) + 1e-8)
        for pose in (estimated, true)
    ]
    turn = tf.reduce_sum(tf.square(directions[0] - directions[1]), axis=-1)
    return place + turn / 4
