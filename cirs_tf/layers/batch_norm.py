"""Batch normalization: one operation on one replica, one all-reduce on several."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("cirs_tf")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer of the same name, quicker in training.

    Keras writes a synchronized normalization out, as sums, products and their
    gradients, each of which passes over the whole map, and adds up sums, sums of
    squares and counts over the replicas one after the other. Here maps `[batch, height,
    width, channels]` on one replica are normalized by TensorFlow's fused operation, and
    several replicas exchange all three at once. Weights, their names and the running
    statistics (of the variance that divides by the number of values) are the same;
    values differ by rounding.

    Reference: Ioffe and Szegedy 2015.
    """

    def call(self, inputs, training=None, mask=None):
        """Return the normalized inputs, of their shape."""
        if not (training and self.trainable and mask is None and self._fits(inputs)):
            return super().call(inputs, training=training, mask=mask)
        values = tf.cast(inputs, tf.float32)
        channels = tf.shape(values)[-1:]
        gamma = self.gamma.value if self.scale else tf.ones(channels)
        beta = self.beta.value if self.center else tf.zeros(channels)
        replica = tf.distribute.get_replica_context()
        if replica.num_replicas_in_sync == 1:
            normalized = _fused(values, gamma, beta, self.epsilon)
        else:
            normalized = _synchronized(values, gamma, beta, self.epsilon, replica)
        outputs, *statistics = normalized
        moving_statistics = self.moving_mean, self.moving_variance
        for moving, current in zip(moving_statistics, statistics, strict=True):
            current = tf.stop_gradient(current)
            moving.assign(moving.value * self.momentum + current * (1 - self.momentum))
        return tf.cast(outputs, self.compute_dtype)

    def _fits(self, inputs) -> bool:
        """Return whether the quicker forms compute the same."""
        replica = tf.distribute.get_replica_context()
        if replica is None or getattr(self, "renorm", False):  # of Keras 3.14
            return False
        rank = len(inputs.shape)
        if replica.num_replicas_in_sync == 1:
            fits = rank == 4
        else:
            fits = self.synchronized
        dtypes = ("float32", "bfloat16")
        usual = self.axis in (-1, rank - 1) and self.variable_dtype == "float32"
        return (
            fits and usual and keras.backend.standardize_dtype(inputs.dtype) in dtypes
        )


def _fused(values, gamma, beta, epsilon: float):
    """Return normalized maps, mean and variance of each channel."""
    outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        values, gamma, beta, epsilon=epsilon
    )
    count = tf.cast(tf.reduce_prod(tf.shape(values)[:-1]), tf.float32)
    # It divides by one less than their number.
    return outputs, mean, variance * (count - 1) / count


def _synchronized(values, gamma, beta, epsilon: float, replica):
    """Return the same, mean and variance being those of all replicas."""
    axes = list(range(len(values.shape) - 1))
    count = tf.cast(tf.reduce_prod(tf.shape(values)[:-1], keepdims=True), tf.float32)
    sums = [tf.reduce_sum(part, axes) for part in (values, tf.square(values))]
    totals = replica.all_reduce(
        tf.distribute.ReduceOp.SUM, tf.concat([*sums, count], 0)
    )
    mean, mean_of_squares = tf.split(totals[:-1] / totals[-1], 2)
    variance = tf.maximum(mean_of_squares - tf.square(mean), 0)
    outputs = tf.nn.batch_normalization(values, mean, variance, beta, gamma, epsilon)
    return outputs, mean, variance
