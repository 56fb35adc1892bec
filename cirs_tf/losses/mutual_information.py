"""Mutual information between the segments of a pixel and of its displaced twin."""

from collections.abc import Callable

import tensorflow as tf


def displaced_joints(first: tf.Tensor, second: tf.Tensor, reach: int) -> tf.Tensor:
    """Return how often segments i and j fall on pixels u and u + t, for every t.

        P[b, t, i, j] = mean_u first[b, u, i] second[b, u + t, j]

    over the u for which u + t is inside the image too.

    Args:
        first: `[batch, height, width, K]` float, a softmax.
        second: The same for the transformed images, transformed back.
        reach: Displacements have both components in [-reach, reach]; pixels, less than
            height and width.

    Returns:
        `[batch, (2 reach + 1)^2, K, K]`.

    Reference: Ji et al. 2019, equations 3 and 5.
    """
    height, width = tf.shape(first)[1], tf.shape(first)[2]
    joints = []
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            rows, columns = height - abs(down), width - abs(right)
            top, left = max(0, -down), max(0, -right)
            here = first[:, top : top + rows, left : left + columns]
            top, left = max(0, down), max(0, right)
            there = second[:, top : top + rows, left : left + columns]
            pixels = tf.cast(rows * columns, first.dtype)
            joints.append(tf.einsum("bhwi,bhwj->bij", here, there) / pixels)
    return tf.stack(joints, axis=1)


def negative_mutual_information(
    joints: tf.Tensor, batch_mean: Callable[[tf.Tensor], tf.Tensor]
) -> tf.Tensor:
    """Return minus the mutual information, mean over displacements.

        P = mean_b P[b], made symmetric
        I = sum_ij P_ij ln(P_ij / (P_i P_j))

    Args:
        joints: `[batch, displacements, K, K]`, each summing to 1.
        batch_mean: Maps `[batch, ...]` to `[...]`, the mean over the *global* batch:
            information is no mean over examples.

    Returns:
        A scalar in [-ln K, 0], the same on every replica.

    Reference: Ji et al. 2019, equations 2 and 5.
    """
    joint = batch_mean(joints)  # (T, K, K)
    joint = (joint + tf.linalg.matrix_transpose(joint)) / 2
    rows = tf.reduce_sum(joint, axis=2, keepdims=True)
    columns = tf.reduce_sum(joint, axis=1, keepdims=True)
    smallest = tf.constant(1e-12, joint.dtype)

    def log(values: tf.Tensor) -> tf.Tensor:
        return tf.math.log(tf.maximum(values, smallest))

    information = joint * (log(joint) - log(rows) - log(columns))
    return -tf.reduce_mean(tf.reduce_sum(information, axis=[1, 2]))
