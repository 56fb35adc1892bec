"""Random layers whose draws differ between replicas and survive a checkpoint."""

import keras
import tensorflow as tf


def replica_seed(seed: int, step: tf.Tensor) -> tf.Tensor:
    """Return a seed for `tf.random.stateless_*`, another one per step and replica.

    Args:
        seed: Seed of the run, an integer.
        step: Integer scalar, the same after resuming.

    Returns:
        `[2]` int32.
    """
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    return tf.random.experimental.stateless_fold_in(
        tf.stack([tf.constant(seed, tf.int32), tf.cast(step, tf.int32)]),
        tf.cast(replica, tf.int32),
    )


class ReplicaRandom(keras.layers.Layer):
    """Base of layers that draw from (seed, call count, replica).

    Keras's own random layers draw the same on every replica of a `tf.distribute`
    strategy. Here the replica's index enters the seed, and the count of calls is a
    weight, so that a resumed run draws what an uninterrupted one would have drawn.

    Args:
        seed: Seed of the draws, an integer.
    """

    def __init__(self, seed: int, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed

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

    def next_seed(self) -> tf.Tensor:
        """Count one more call and return its seed for `tf.random.stateless_*`."""
        seed = replica_seed(self.seed, self.calls.value)
        self.calls.assign_add(1)
        return seed

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        return {**super().get_config(), "seed": self.seed}
