"""The bottleneck autoencoder of thesis 9.1: every image is one segment."""

import tensorflow as tf

from cirs_tf.config import Config
from cirs_tf.data.pipeline import Batch
from cirs_tf.methods.schedules import adam_phase, learning_rate_schedule
from cirs_tf.models.autoencoder import autoencoder
from cirs_tf.training.phases import Terms


class Autoencoder:
    """Image -> encoder -> code -> decoder -> squared error.

    No segmenter: what is measured after every epoch is how far apart the mean codes of
    the classes lie (`training.codes.CodeValidator`).

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: thesis 9.1 (Table 4).
    """

    needs_masks = False

    def __init__(self, config: Config, height: int, width: int):
        self.encoder, self.decoder = autoencoder(
            config.autoencoder, height, width, config.seed
        )
        self.networks = {"encoder": self.encoder, "decoder": self.decoder}
        variables = self.encoder.trainable_variables + self.decoder.trainable_variables
        self.phases = [
            adam_phase(
                "autoencoder",
                lambda batch: self._terms(batch, training=True),
                variables,
                learning_rate_schedule(config.training),
            )
        ]

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the mean squared error in inference mode, `[batch]`."""
        return self._terms(batch, training=False)

    def _terms(self, batch: Batch, training: bool) -> Terms:
        code = self.encoder(batch["image"], training=training)
        rebuilt = self.decoder(code, training=training)
        images = tf.cast(batch["image"], rebuilt.dtype)
        return {"loss": tf.reduce_mean(tf.square(images - rebuilt), axis=[1, 2, 3])}
