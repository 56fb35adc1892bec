"""Squared errors of reconstructions, mean over the values of an image."""

import tensorflow as tf


def combined_error(
    images: tf.Tensor, reconstructions: tf.Tensor, masks: tf.Tensor
) -> tf.Tensor:
    """Compare each image with the sum of its masked reconstructions.

        e[b] = mean_{pixel, channel} (x - sum_k m_k r_k)^2

    Args:
        images: `[batch, height, width, channels]` float x.
        reconstructions: `[batch, K, height, width, channels]` float r.
        masks: `[batch, K, height, width, 1]` float m.

    Returns:
        `[batch]`.

    Reference: thesis 10.
    """
    combined = tf.reduce_sum(masks * reconstructions, axis=1)  # (B, H, W, C)
    return tf.reduce_mean(tf.square(images - combined), axis=[1, 2, 3])


def per_segment_error(
    images: tf.Tensor, reconstructions: tf.Tensor, masks: tf.Tensor
) -> tf.Tensor:
    """Sum each segment's own error.

        e[b] = mean_{pixel, channel} sum_k m_k (x - r_k)^2

    For one-hot masks the value is that of `combined_error`. Its gradient with respect
    to m_k, however, is segment k's own error at the pixel, so that behind
    argmax-in-place the segments compete for pixels.

    Args:
        images: `[batch, height, width, channels]` float x.
        reconstructions: `[batch, K, height, width, channels]` float r.
        masks: `[batch, K, height, width, 1]` float m.

    Returns:
        `[batch]`.
    """
    errors = tf.square(images[:, None] - reconstructions)  # (B, K, H, W, C)
    return tf.reduce_mean(tf.reduce_sum(masks * errors, axis=1), axis=[1, 2, 3])


def chosen_error(masks: tf.Tensor, errors: tf.Tensor) -> tf.Tensor:
    """Return the mean over pixels of the error in the segment that holds the pixel.

        e[b] = mean_pixel sum_k m_k e_k

    It is `per_segment_error` for errors of any kind, given for every pixel.

    Args:
        masks: `[batch, K, height, width, 1]` float, one-hot over K.
        errors: `[batch, K, height, width]` float.

    Returns:
        `[batch]`.
    """
    return tf.reduce_mean(tf.reduce_sum(masks[..., 0] * errors, axis=1), axis=[1, 2])
