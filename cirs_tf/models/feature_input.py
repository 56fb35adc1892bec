"""What the feature network g sees of a masked image."""

import tensorflow as tf

from cirs_tf.config import FeatureNetConfig
from cirs_tf.errors import ConfigError

_LEAST_SHARE = 0.01  # a mask that is smaller counts as one of this share


def feature_input_size(
    config: FeatureNetConfig, height: int, width: int
) -> tuple[int, int]:
    """Return height and width of what g sees of an image of these.

    Raises:
        ConfigError: The image does not divide into the cells.
    """
    if config.input == "image":
        return height, width
    if height % config.cells or width % config.cells:
        raise ConfigError(
            f"feature_net.cells: expected a divisor of the image's sides, {height} and "
            f"{width}, got {config.cells}"
        )
    return config.cells, config.cells


def feature_input(
    config: FeatureNetConfig, masked: tf.Tensor, masks: tf.Tensor
) -> tf.Tensor:
    """Return what g sees.

        image            m x
        pooled           p_c = mean of m x over the pixels of cell c
        area_normalized  p_c / max(mean of m, 0.01)

    The mean over the cells of the last is the segment's mean color, whatever its area
    (from a hundredth of the image on).

    Args:
        config: `input` and `cells`.
        masked: `[batch, K, height, width, 3]`, images under their masks, m x.
        masks: `[batch, K, height, width, 1]`, m.

    Returns:
        `[batch, K, *feature_input_size, 3]`.
    """
    if config.input == "image":
        return masked
    shape, cells = tf.shape(masked), config.cells
    height, width = shape[2] // cells, shape[3] // cells
    rows = tf.concat([shape[:2], [cells, height, cells, width, 3]], axis=0)
    pooled = tf.reduce_mean(tf.reshape(masked, rows), axis=[3, 5])  # (B, K, c, c, 3)
    if config.input == "pooled":
        return pooled
    share = tf.reduce_mean(masks, axis=[2, 3], keepdims=True)  # (B, K, 1, 1, 1)
    return pooled / tf.maximum(share, _LEAST_SHARE)
