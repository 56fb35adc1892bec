"""Colors in L*a*b*, where distances are nearer to those that people see."""

import numpy as np
import tensorflow as tf

# IEC 61966-2-1: linear sRGB to XYZ, and the white that its primaries add up to, D65.
_TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def rgb_to_lab(images: tf.Tensor) -> tf.Tensor:
    """Convert sRGB to CIE L*a*b* under D65.

    Args:
        images: `[..., 3]` float, sRGB in [0, 1].

    Returns:
        `[..., 3]` of the same dtype: L* in [0, 100], a* and b* in about [-108, 99].

    Reference: CIE 1976; as `skimage.color.rgb2lab`.

    Example:
        >>> lightness, *_ = rgb_to_lab(tf.constant([1.0, 1.0, 1.0]))
        >>> round(float(lightness), 2)
        100.0
    """
    linear = tf.where(
        images > 0.04045,
        tf.pow((tf.maximum(images, 0.04045) + 0.055) / 1.055, 2.4),
        images / 12.92,
    )
    # Sums: a product of matrices may be rounded to TF32 on a GPU.
    to_white = tf.constant(_TO_XYZ / _WHITE[:, None], images.dtype)
    relative = tf.reduce_sum(linear[..., None, :] * to_white, axis=-1)
    curved = tf.where(
        relative > 0.008856,
        tf.pow(tf.maximum(relative, 0.008856), 1 / 3),
        7.787 * relative + 16 / 116,
    )
    x, y, z = tf.unstack(curved, axis=-1)
    return tf.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
