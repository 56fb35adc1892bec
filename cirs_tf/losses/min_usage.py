"""A floor under how much each segment is used."""

from collections.abc import Callable

import tensorflow as tf


def min_usage_penalty(
    probabilities: tf.Tensor,
    min_share: float,
    batch_mean: Callable[[tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Return by how much segments fall short of a minimum share of the pixels.

        sum_k max(0, min_share - mean_{image, pixel} p_k) / min_share

    A segment without pixels gets no gradient from a reconstruction or a feature, and
    stays empty; this penalty always gives it one.

    Args:
        probabilities: `[batch, height, width, K]` float, a softmax.
        min_share: Minimum share of the pixels, in (0, 1 / K].
        batch_mean: Maps `[batch, ...]` to `[...]`, the mean over the *global* batch.

    Returns:
        A scalar in [0, K], the same on every replica.
    """
    share = batch_mean(tf.reduce_mean(probabilities, axis=[1, 2]))  # (K,)
    return tf.reduce_sum(tf.nn.relu(min_share - share)) / min_share
