"""The soft normalized cut of W-Net, on a window instead of an N x N matrix."""

import math

import tensorflow as tf


def soft_ncut(
    probabilities: tf.Tensor,
    images: tf.Tensor,
    radius: float,
    sigma_intensity: float,
    sigma_position: float,
) -> tf.Tensor:
    """Return the soft normalized cut of each image.

        J[b] = K - sum_k (sum_u p_uk sum_v w_uv p_vk) / (sum_u p_uk sum_v w_uv)
        w_uv = exp(-|F_u - F_v|^2 / sigma_intensity^2)
             * exp(-|X_u - X_v|^2 / sigma_position^2)   where |X_u - X_v| < radius

    and 0 elsewhere, with F the intensities and X the positions in pixels. A pixel is
    its own neighbor. w is symmetric, so every pair within the radius is computed once,
    a displacement at a time: memory grows with pixels times the window's area.

    Args:
        probabilities: `[batch, height, width, K]` float p, a softmax.
        images: `[batch, height, width, channels]` float F, in the units of
            `sigma_intensity`.
        radius: In pixels, more than 0.
        sigma_intensity: More than 0.
        sigma_position: In pixels, more than 0.

    Returns:
        `[batch]` in [0, K]. Small where segments keep to themselves.

    Reference: Xia and Kulis 2017, equation 2; Shi and Malik 2000.
    """
    segments = probabilities.shape[-1]
    # Channels first: the weights are then broadcast over an outer axis, not the inmost.
    p = tf.transpose(probabilities, [0, 3, 1, 2])  # (B, K, H, W)
    intensities = tf.transpose(images, [0, 3, 1, 2]) / sigma_intensity
    association = tf.reduce_sum(tf.square(p), axis=[2, 3])  # (B, K), u = v
    degree = tf.reduce_sum(p, axis=[2, 3])
    for down, right in half_window(radius):
        here, there = _pair(intensities, down, right)
        distance = tf.reduce_sum(tf.square(here - there), axis=1, keepdims=True)
        apart = (down**2 + right**2) / sigma_position**2
        weight = tf.cast(tf.exp(-distance - apart), p.dtype)  # (B, 1, h, w)
        p_here, p_there = _pair(p, down, right)
        # Both orders of the pair: w_uv p_u p_v twice, and one degree each.
        association += 2 * tf.reduce_sum(weight * p_here * p_there, axis=[2, 3])
        degree += tf.reduce_sum(weight * (p_here + p_there), axis=[2, 3])
    # A segment without a pixel has no association; its share of the cut is 1.
    share = tf.math.divide_no_nan(association, degree)
    return segments - tf.reduce_sum(share, axis=-1)


def half_window(radius: float) -> list[tuple[int, int]]:
    """Return the displacements shorter than `radius`, one of each opposite pair."""
    reach = math.ceil(radius)
    return [
        (down, right)
        for down in range(reach)
        for right in range(-reach, reach + 1)
        if (down, right) > (0, 0) and math.hypot(down, right) < radius
    ]


def _pair(values: tf.Tensor, down: int, right: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return `[B, C, h, w]` values at every u and at u + (down, right), both inside."""
    # Nothing is left of an image that is smaller than the displacement.
    rows = tf.maximum(tf.shape(values)[2] - down, 0)
    columns = tf.maximum(tf.shape(values)[3] - abs(right), 0)
    left, there_left = max(0, -right), max(0, right)
    here = values[:, :, :rows, left : left + columns]
    there = values[:, :, down : down + rows, there_left : there_left + columns]
    return here, there
