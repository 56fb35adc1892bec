"""A floor under how much each segment is used."""

from collections.abc import Callable

import tensorflow as tf


def usage_shortfall(
    probabilities: tf.Tensor,
    least_share: float,
    batch_mean: Callable[[tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Return by how much segments fall short of a least share of the pixels.

        sum_k max(0, least_share - mean_{image, pixel} p_k) / least_share

    A segment that no pixel goes to gets no gradient from a reconstruction or a feature,
    and stays dead; this one it always gets.

    Args:
        probabilities: `[batch, height, width, K]` float, a softmax.
        least_share: In (0, 1 / K).
        batch_mean: Maps `[batch, ...]` to `[...]`, the mean over the *global* batch.

    Returns:
        A scalar in [0, K], the same on every replica.
    """
    share = batch_mean(tf.reduce_mean(probabilities, axis=[1, 2]))  # (K,)
    return tf.reduce_sum(tf.nn.relu(least_share - share)) / least_share
