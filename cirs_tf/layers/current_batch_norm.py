"""Batch normalization that has no running statistics."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("cirs_tf")
class CurrentBatchNormalization(keras.layers.Layer):
    """Batch normalization by the statistics of the batch at hand, in inference too.

        gamma (x - mean) / sqrt(variance + 1e-3) + beta

    with mean and variance of each channel over the global batch and all other axes. For
    inputs whose distribution has no one mean: where calls take turns between segments,
    a running mean is that of all of them and normalizes none.

    `[batch, ..., channels]` to the same shape.

    Reference: Ioffe and Szegedy 2015, without the averages for inference.
    """

    def build(self, input_shape: tuple) -> None:
        """Create gamma, 1, and beta, 0."""
        channels = (input_shape[-1],)
        # Not autocast: statistics stay float32 whatever the layers around compute in.
        self.gamma = self.add_weight(
            name="gamma", shape=channels, initializer="ones", autocast=False
        )
        self.beta = self.add_weight(
            name="beta", shape=channels, initializer="zeros", autocast=False
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalize the inputs."""
        values = tf.cast(inputs, self.variable_dtype)
        centered = values - _global_mean(values)
        variance = _global_mean(tf.square(centered))
        normalized = centered * tf.math.rsqrt(variance + _EPSILON)
        outputs = self.gamma.value * normalized + self.beta.value
        return tf.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the input's shape."""
        return input_shape


_EPSILON = 1e-3  # Keras's default


def _global_mean(values: tf.Tensor) -> tf.Tensor:
    """Return the mean over replicas and all axes but the last."""
    mean = tf.reduce_mean(values, axis=tuple(range(len(values.shape) - 1)))
    replica = tf.distribute.get_replica_context()
    count = replica.num_replicas_in_sync
    if count == 1:
        return mean
    # Replicas have equal shares of the batch. Not ReduceOp.MEAN: its gradient is
    # another mean, that of the sum over replicas is the sum that belongs here.
    return replica.all_reduce(tf.distribute.ReduceOp.SUM, mean / count)
