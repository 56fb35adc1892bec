"""Dropout whose masks differ between replicas and survive a checkpoint."""

import keras
import tensorflow as tf

from cirs_tf.layers.replica_random import ReplicaRandom


@keras.saving.register_keras_serializable("cirs_tf")
class ReplicaDropout(ReplicaRandom):
    """Dropout drawn from (seed, call count, replica).

    Args:
        rate: Share of entries set to 0, in [0, 1). The others are scaled by
            1 / (1 - rate).
        seed: Seed of the draws, an integer.
        noise_shape: As in `keras.layers.Dropout`: 1 where one draw is shared along
            an axis, for example `(None, 1, 1, None)` to drop whole channels.

    Example:
        >>> dropped = ReplicaDropout(0.5, seed=0)(tf.ones([100, 100]), training=True)
        >>> sorted(set(dropped.numpy().ravel().tolist()))
        [0.0, 2.0]
    """

    def __init__(self, rate: float, seed: int, noise_shape=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = rate
        self.noise_shape = noise_shape

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Return `inputs` with entries dropped in training, unchanged otherwise."""
        if not training or self.rate == 0:
            return inputs
        seed = self.next_seed()
        noise_shape = tf.shape(inputs)
        if self.noise_shape is not None:
            noise_shape = [
                noise_shape[axis] if size is None else size
                for axis, size in enumerate(self.noise_shape)
            ]
        return tf.nn.experimental.stateless_dropout(
            inputs, self.rate, seed=seed, noise_shape=noise_shape
        )

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        own = {"rate": self.rate, "noise_shape": self.noise_shape}
        return {**super().get_config(), **own}
