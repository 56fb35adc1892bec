"""Codes drawn from a diagonal Gaussian, with a gradient to its parameters."""

import keras
import tensorflow as tf

from cirs_tf.layers.replica_random import ReplicaRandom


@keras.saving.register_keras_serializable("cirs_tf")
class GaussianCode(ReplicaRandom):
    """Draw `z = mean + exp(log_variance / 2) e`, e standard normal, in training.

    In inference the code is the mean. e is drawn from (seed, call count, replica).

    Args:
        seed: Seed of the draws, an integer.

    Gradient: that of the formula with e held fixed (reparameterization).

    Reference: Kingma and Welling 2014, 2.4; thesis 11.
    """

    def call(
        self, parameters: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return code, mean and log-variance, each `[..., units]`.

        Args:
            parameters: `[..., 2 units]` float, means first, then log-variances.
            training: Whether the code is drawn.
        """
        mean, log_variance = tf.split(parameters, 2, axis=-1)
        if not training:
            return mean, mean, log_variance
        noise = tf.random.stateless_normal(
            tf.shape(mean), seed=self.next_seed(), dtype=mean.dtype
        )
        return mean + tf.exp(log_variance / 2) * noise, mean, log_variance

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return three times the input's shape with half its last axis."""
        return ((*input_shape[:-1], input_shape[-1] // 2),) * 3
