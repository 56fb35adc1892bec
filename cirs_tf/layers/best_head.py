"""One of several output heads: that of the lowest loss."""

import keras
import tensorflow as tf

_MOMENTUM = 0.95


@keras.saving.register_keras_serializable("cirs_tf")
class BestHead(keras.layers.Layer):
    """Return the logits of the head whose loss has been lowest of late.

    `[batch, height, width, heads K]` to `[batch, height, width, K]`. Running means of
    the losses are weights, so that a checkpoint and an exported model hold the choice.

    Args:
        heads: Number of heads.
    """

    def __init__(self, heads: int, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def build(self, _) -> None:
        """Create the running means."""
        self.mean_losses = self.add_weight(
            name="mean_losses",
            shape=(self.heads,),
            initializer="zeros",
            trainable=False,
            # Losses of the global batch: every replica has the same.
            aggregation="only_first_replica",
        )
        self.updates = self.add_weight(
            name="updates",
            shape=(),
            dtype="int32",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

    @property
    def best(self) -> tf.Tensor:
        """The chosen head, int64 scalar."""
        return tf.argmin(self.mean_losses.value)

    def update(self, losses: tf.Tensor) -> None:
        """Count the losses of one more mini-batch.

        Args:
            losses: `[heads]` float, the same on every replica.
        """
        losses = tf.cast(losses, self.mean_losses.dtype)
        mean = _MOMENTUM * self.mean_losses.value + (1 - _MOMENTUM) * losses
        self.mean_losses.assign(tf.where(self.updates.value > 0, mean, losses))
        self.updates.assign_add(1)

    def call(self, logits: tf.Tensor) -> tf.Tensor:
        """Return the best head's logits."""
        segments = logits.shape[-1] // self.heads
        shape = tf.concat([tf.shape(logits)[:3], [self.heads, segments]], axis=0)
        return tf.gather(tf.reshape(logits, shape), self.best, axis=3)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return `(batch, height, width, K)`."""
        return (*input_shape[:-1], input_shape[-1] // self.heads)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        return {**super().get_config(), "heads": self.heads}
