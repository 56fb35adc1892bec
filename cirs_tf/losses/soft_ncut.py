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
    its own neighbor. The sums over v are accumulated in a loop, a displacement at a
    time: memory grows with the pixels, whatever the window's area.

    Args:
        probabilities: `[batch, height, width, K]` float p, a softmax.
        images: `[batch, height, width, channels]` float F, in the units of
            `sigma_intensity`.
        radius: In pixels, more than 0.
        sigma_intensity: More than 0.
        sigma_position: In pixels, more than 0.

    Returns:
        `[batch]` in [0, K]. Small where segments keep to themselves.

    Gradient:
        To the probabilities alone. With A_k the numerator and D_k the denominator,

            dJ / dp_uk = A_k d_u / D_k^2 - 2 a_uk / D_k
            a_uk = sum_v w_uv p_vk,   d_u = sum_v w_uv

        since w is symmetric: what the loop has accumulated is all that it needs.

    Reference: Xia and Kulis 2017, equation 2; Shi and Malik 2000.
    """
    # Channels first: the weights are then broadcast over an outer axis, not the inmost.
    p = tf.transpose(probabilities, [0, 3, 1, 2])  # (B, K, H, W)
    intensities = tf.transpose(images, [0, 3, 1, 2]) / sigma_intensity
    return _cut(p, tf.stop_gradient(intensities), radius, sigma_position)


def half_window(radius: float) -> list[tuple[int, int]]:
    """Return the displacements shorter than `radius`, one of each opposite pair."""
    reach = math.ceil(radius)
    return [
        (down, right)
        for down in range(reach)
        for right in range(-reach, reach + 1)
        if (down, right) > (0, 0) and math.hypot(down, right) < radius
    ]


def _cut(
    p: tf.Tensor, intensities: tf.Tensor, radius: float, sigma_position: float
) -> tf.Tensor:
    """Return the cut of `[batch, K, height, width]` probabilities, `[batch]`."""

    @tf.custom_gradient
    def cut(p: tf.Tensor):
        sums = _window_sums(p, intensities, radius, sigma_position)
        near, weights = sums[:, :-1], sums[:, -1:]  # a (B, K, H, W), d (B, 1, H, W)
        association = tf.reduce_sum(p * near, axis=[2, 3], keepdims=True)
        degree = tf.reduce_sum(p * weights, axis=[2, 3], keepdims=True)
        # A segment without a pixel has no association; its share of the cut is 1.
        share = tf.math.divide_no_nan(association, degree)  # (B, K, 1, 1)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            slope = tf.math.divide_no_nan(share * weights - 2 * near, degree)
            return upstream[:, None, None, None] * slope

        return p.shape[1] - tf.reduce_sum(share, axis=[1, 2, 3]), gradient

    return cut(p)


def _window_sums(
    p: tf.Tensor, intensities: tf.Tensor, radius: float, sigma_position: float
) -> tf.Tensor:
    """Return sums over v of w_uv p_vk for every k, and of w_uv.

    Args:
        p: `[batch, K, height, width]`.
        intensities: `[batch, channels, height, width]`, in units of their sigma.
        radius: In pixels.
        sigma_position: In pixels.

    Returns:
        `[batch, K + 1, height, width]`.
    """
    height, width = (side or math.inf for side in p.shape[2:])
    half = [(a, b) for a, b in half_window(radius) if a < height and abs(b) < width]
    shifts = [(0, 0), *half, *((-down, -right) for down, right in half)]
    reach = max(max(map(abs, shift)) for shift in shifts)
    around = [[0, 0], [0, 0], [reach, reach], [reach, reach]]
    summed = tf.concat([p, tf.ones_like(p[:, :1])], axis=1)
    size = tf.shape(summed)
    padded = tf.pad(summed, around)  # 0 outside of the image, the ones too
    colors = tf.pad(intensities, around)
    places = tf.constant(shifts) + reach
    apart = tf.constant([(a**2 + b**2) / sigma_position**2 for a, b in shifts], p.dtype)

    def add(index: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        begin = tf.concat([[0, 0], places[index]], axis=0)
        there = tf.slice(colors, begin, tf.shape(intensities))
        there = tf.ensure_shape(there, intensities.shape)
        distance = tf.reduce_sum(tf.square(intensities - there), axis=1, keepdims=True)
        weight = tf.exp(-tf.cast(distance, p.dtype) - apart[index])  # (B, 1, H, W)
        near = tf.ensure_shape(tf.slice(padded, begin, size), summed.shape)
        return index + 1, total + weight * near

    return tf.while_loop(
        lambda index, _: index < len(shifts),
        add,
        (tf.constant(0), tf.zeros_like(summed)),
        parallel_iterations=1,
        maximum_iterations=len(shifts),
    )[1]
