"""The Cross-Instance Representation Similarity objective."""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

Reducer = Callable[[tf.Tensor], tf.Tensor]


class CirsTerms(NamedTuple):
    """The loss and its two parts, scalars.

    Attributes:
        loss: alpha_1 * within - alpha_2 * between.
        within: Mean over segments of the variance over images.
        between: How far the segments' mean features lie apart, see `cirs_loss`.
    """

    loss: tf.Tensor
    within: tf.Tensor
    between: tf.Tensor


def cirs_loss(
    features: tf.Tensor,
    alpha_1: float,
    alpha_2: float,
    batch_mean: Reducer,
    between: str = "squared",
) -> CirsTerms:
    """Compute the CIRS loss of one global batch.

        mean_k  = (1/I) sum_i f[i, k]
        within  = (1/K) sum_k (1/I) sum_i |f[i, k] - mean_k|^2
        between = sum_k |mean_k - (1/K) sum_j mean_j|^2
        loss    = alpha_1 within - alpha_2 between

    with I images, K segments and |.|^2 summed over the features. For even K, two
    opposite groups of segments have the largest `between` that features of bounded
    length can have, although the segments of a group are alike. With the following
    ones, K different means have more:

        pairwise: between = (1/K) sum_{j<k} |mean_j - mean_k|
        log_det:  between = log det(1 + 10 G),  G_jk = d_j . d_k

    where d_k is mean_k minus the common mean, and 1 the identity matrix.

    Args:
        features: `[batch, K, features]` float, g of every segment of every image,
            this replica's share of the batch.
        alpha_1: Weight of the variance within segments, at least 0.
        alpha_2: Weight of the distance between segments, at least 0.
        batch_mean: Maps `[batch, ...]` to `[...]`, the mean over the *global* batch.
            The loss is no mean over examples, so it is right on several replicas only
            if these statistics are.
        between: `squared` (thesis 5), `pairwise` or `log_det`.

    Returns:
        The loss and its terms, the same on every replica.

    Departs from thesis 5: `within` divides by the number of images, so that alpha_1
    keeps its meaning when the batch size changes.

    Reference: thesis 5, final objective.
    """
    segment_mean = batch_mean(features)  # (K, F)
    deviation = tf.reduce_sum(tf.square(features - segment_mean), axis=-1)  # (B, K)
    within = tf.reduce_mean(batch_mean(deviation))
    apart = _BETWEEN[between](segment_mean)
    return CirsTerms(alpha_1 * within - alpha_2 * apart, within, apart)


def cirs_bounds(
    segments: int, length: int, square: float, between: str = "squared"
) -> tuple[float, float]:
    """Return the largest values that `within` and `between` can have.

    `pairwise` reaches its bound only where the length is at least K - 1.

    Args:
        segments: K.
        length: Number of features.
        square: Largest mean of the features' squared length, over images and segments.
        between: See `cirs_loss`.

    Returns:
        The bounds of `within` and of `between`.
    """
    total = segments * square  # of the squared lengths of the means
    directions = min(segments - 1, length)
    largest = {
        "squared": total,
        # By Cauchy-Schwarz, from the sum of all squared distances, K times total.
        "pairwise": math.sqrt((segments - 1) / 2 * total),
        "log_det": directions * math.log(1 + _PRECISION * total / directions),
    }
    return square, largest[between]


def _squared(means: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(means - tf.reduce_mean(means, axis=0)))


def _pairwise(means: tf.Tensor) -> tf.Tensor:
    difference = means[:, None] - means  # (K, K, F)
    squared = tf.reduce_sum(tf.square(difference), axis=-1)
    # The gradient of a distance of 0 is not defined.
    distance = tf.sqrt(squared + _TINY) - _TINY**0.5
    return tf.reduce_sum(distance) / (2 * means.shape[0])


def _log_det(means: tf.Tensor) -> tf.Tensor:
    difference = means - tf.reduce_mean(means, axis=0)
    products = tf.matmul(difference, difference, transpose_b=True)  # (K, K)
    identity = tf.eye(means.shape[0], dtype=means.dtype)
    return tf.linalg.logdet(identity + _PRECISION * products)


_TINY = 1e-8
_PRECISION = 10.0

_BETWEEN: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "squared": _squared,
    "pairwise": _pairwise,
    "log_det": _log_det,
}
BETWEEN = tuple(_BETWEEN)
