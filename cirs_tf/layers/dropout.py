"""Dropout whose masks differ between replicas and survive a checkpoint."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("cirs_tf")
class ReplicaDropout(keras.layers.Layer):
    """Dropout drawn from (seed, call count, replica).

    `keras.layers.Dropout` draws the same mask on every replica of a
    `tf.distribute` strategy. Here the replica's number enters the seed, and the
    count of calls is a weight, so that a resumed run draws the masks that an
    uninterrupted one would have drawn.

    Args:
        rate: Share of entries set to 0, in [0, 1). The others are scaled by
            1 / (1 - rate).
        seed: Integer.
        noise_shape: As in `keras.layers.Dropout`: 1 where one draw is shared along
            an axis, for example `(None, 1, 1, None)` to drop whole channels.
    """

    def __init__(self, rate: float, seed: int, noise_shape=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self.noise_shape = noise_shape

    def build(self, input_shape: tuple) -> None:
        """Create the call count."""
        self.calls = self.add_weight(
            name="calls",
            shape=(),
            dtype="int32",
            initializer="zeros",
            trainable=False,
            # Every replica counts alike, so any one of them is the value.
            aggregation="only_first_replica",
        )

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Return `inputs` with entries dropped in training, unchanged otherwise."""
        if not training or self.rate == 0:
            return inputs
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        seed = tf.random.experimental.stateless_fold_in(
            tf.stack([tf.constant(self.seed, tf.int32), self.calls.value]),
            tf.cast(replica, tf.int32),
        )
        self.calls.assign_add(1)
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
        own = {"rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
        return {**super().get_config(), **own}
