"""Mutual information between the segments of a pixel and of its displaced twin."""

import numpy as np
import tensorflow as tf


def displaced_joints(first: tf.Tensor, second: tf.Tensor, reach: int) -> tf.Tensor:
    """Return how often segments i and j fall on pixels u and u + t, for every t.

        P[t, i, j] = mean_b mean_u first[b, u, i] second[b, u + t, j]

    over the u for which u + t is inside the image too. It is what the gradient of a
    convolution with respect to its kernel is, and is computed as that.

    Args:
        first: `[batch, height, width, K]` float, a softmax.
        second: The same for the transformed images, transformed back.
        reach: Displacements have both components in [-reach, reach]; pixels, less than
            height and width.

    Returns:
        `[(2 reach + 1)^2, K, K]`.

    Reference: Ji et al. 2019, equations 3 and 5.
    """
    batch, height, width, segments = tf.unstack(tf.shape(first))
    side = 2 * reach + 1
    sums = tf.raw_ops.Conv2DBackpropFilter(
        input=second,
        filter_sizes=[side, side, segments, segments],
        out_backprop=first,
        strides=[1, 1, 1, 1],
        padding="SAME",
    )  # (down, right, j, i)
    distances = np.abs(np.arange(-reach, reach + 1))
    pixels = batch * (height - distances)[:, None] * (width - distances)
    means = sums / tf.cast(pixels, sums.dtype)[..., None, None]
    return tf.transpose(tf.reshape(means, [side * side, segments, segments]), [0, 2, 1])


def negative_mutual_information(joint: tf.Tensor) -> tf.Tensor:
    """Return minus the mutual information, mean over displacements.

        I = sum_ij P_ij ln(P_ij / (P_i P_j)), P made symmetric

    Args:
        joint: `[displacements, K, K]`, P, each summing to 1; of the *global* batch:
            information is no mean over examples.

    Returns:
        A scalar in [-ln K, 0].

    Reference: Ji et al. 2019, equations 2 and 5.
    """
    joint = (joint + tf.linalg.matrix_transpose(joint)) / 2
    rows = tf.reduce_sum(joint, axis=2, keepdims=True)
    columns = tf.reduce_sum(joint, axis=1, keepdims=True)
    smallest = tf.constant(1e-12, joint.dtype)

    def log(values: tf.Tensor) -> tf.Tensor:
        return tf.math.log(tf.maximum(values, smallest))

    information = joint * (log(joint) - log(rows) - log(columns))
    return -tf.reduce_mean(tf.reduce_sum(information, axis=[1, 2]))
