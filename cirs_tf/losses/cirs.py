"""The Cross-Instance Representation Similarity objective."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

Reducer = Callable[[tf.Tensor], tf.Tensor]


class CirsTerms(NamedTuple):
    """The loss and its two parts, scalars.

    Attributes:
        loss: alpha_1 * within - alpha_2 * between.
        within: Mean over segments of the variance over images.
        between: Sum over segments of the squared distance of the segment's mean
            features from their common mean.
    """

    loss: tf.Tensor
    within: tf.Tensor
    between: tf.Tensor


def cirs_loss(
    features: tf.Tensor, alpha_1: float, alpha_2: float, batch_mean: Reducer
) -> CirsTerms:
    """Compute the CIRS loss of one global batch.

        mean_k  = (1/I) sum_i f[i, k]
        within  = (1/K) sum_k (1/I) sum_i |f[i, k] - mean_k|^2
        between = sum_k |mean_k - (1/K) sum_j mean_j|^2
        loss    = alpha_1 within - alpha_2 between

    with I images, K segments and |.|^2 summed over the features.

    Args:
        features: `[batch, K, features]` float, g of every segment of every image,
            this replica's share of the batch.
        alpha_1: Weight of the variance within segments, at least 0.
        alpha_2: Weight of the distance between segments, at least 0.
        batch_mean: Maps `[batch, ...]` to `[...]`, the mean over the *global* batch.
            The loss is no mean over examples, so it is right on several replicas only
            if these statistics are.

    Returns:
        The loss and its terms, the same on every replica.

    Departs from thesis 5: `within` divides by the number of images, so that alpha_1
    keeps its meaning when the batch size changes.

    Reference: thesis 5, final objective.
    """
    segment_mean = batch_mean(features)  # (K, F)
    deviation = tf.reduce_sum(tf.square(features - segment_mean), axis=-1)  # (B, K)
    within = tf.reduce_mean(batch_mean(deviation))
    common_mean = tf.reduce_mean(segment_mean, axis=0)  # (F,)
    between = tf.reduce_sum(tf.square(segment_mean - common_mean))
    return CirsTerms(alpha_1 * within - alpha_2 * between, within, between)
