"""The input of the feature network g: a masked image, whole or averaged in cells."""

import tensorflow as tf

_MIN_SHARE = 0.01  # share of the image that a smaller mask is counted as


def feature_input(
    masked: tf.Tensor, masks: tf.Tensor, *, kind: str, cells: int
) -> tf.Tensor:
    """Return the input of g.

        image            m x
        pooled           p_c = mean of m x over the pixels of cell c
        area_normalized  p_c / max(mean of m, 0.01)

    The mean over the cells of the last is the segment's mean color, whatever its area
    (from a hundredth of the image on).

    Args:
        masked: `[batch, K, height, width, 3]`, images under their masks, m x.
        masks: `[batch, K, height, width, 1]`, m.
        kind: `image`, `pooled` or `area_normalized`.
        cells: Cells per side of the last two; height and width are multiples of it.

    Returns:
        `[batch, K, height, width, 3]` for `image`, else `[batch, K, cells, cells, 3]`.
    """
    if kind == "image":
        return masked
    shape = tf.shape(masked)
    height, width = shape[2] // cells, shape[3] // cells
    rows = tf.concat([shape[:2], [cells, height, cells, width, 3]], axis=0)
    pooled = tf.reduce_mean(tf.reshape(masked, rows), axis=[3, 5])  # (B, K, c, c, 3)
    if kind == "pooled":
        return pooled
    share = tf.reduce_mean(masks, axis=[2, 3], keepdims=True)  # (B, K, 1, 1, 1)
    return pooled / tf.maximum(share, _MIN_SHARE)
