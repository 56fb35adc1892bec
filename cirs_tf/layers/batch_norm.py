"""Batch normalization, of maps on one replica in a single operation."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("cirs_tf")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer of the same name, in training by TensorFlow's fused operation.

    Keras writes a synchronized normalization out, as sums, products and their
    gradients, each of which passes over the whole map. That is needed on several
    replicas, where statistics are those of the global batch, and kept there and for
    inputs that are no maps `[batch, height, width, channels]`. Weights, their names and
    the running statistics (of the variance that divides by the number of values) are
    the same; values differ by rounding.

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
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            values, gamma, beta, epsilon=self.epsilon
        )
        count = tf.cast(tf.reduce_prod(tf.shape(values)[:-1]), tf.float32)
        variance *= (count - 1) / count  # it divides by one less than their number
        for moving, current in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            current = tf.stop_gradient(current)
            moving.assign(moving.value * self.momentum + current * (1 - self.momentum))
        return tf.cast(outputs, self.compute_dtype)

    def _fits(self, inputs) -> bool:
        """Return whether the fused operation computes the same."""
        replica = tf.distribute.get_replica_context()
        single = replica is not None and replica.num_replicas_in_sync == 1
        dtypes = ("float32", "bfloat16")
        renorm = getattr(self, "renorm", False)  # of Keras 3.14
        fits = single and not renorm and self.variable_dtype == "float32"
        maps = len(inputs.shape) == 4 and self.axis in (-1, 3)
        return fits and maps and keras.backend.standardize_dtype(inputs.dtype) in dtypes
