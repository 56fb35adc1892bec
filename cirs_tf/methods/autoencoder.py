"""The bottleneck autoencoder of thesis 9.1: every image is one segment."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from cirs_tf.config.sections import Config
from cirs_tf.config.settings import (
    RATE,
    WIDTHS,
    Section,
    at_least,
    one_of,
    section,
    setting,
)
from cirs_tf.data.image_split import Batch
from cirs_tf.models.autoencoder import autoencoder
from cirs_tf.training.optimizers import adam, learning_rate_schedule
from cirs_tf.training.phases import Phase, Terms


@dataclasses.dataclass(frozen=True)
class AutoencoderSection(Section):
    """The bottleneck autoencoder of thesis 9.1: it clusters images, not pixels."""

    key: ClassVar[str] = "autoencoder"

    hidden: tuple[int, ...] = setting(
        (256, 256, 256),
        WIDTHS,
        "Hidden widths of the encoder; the decoder mirrors them.",
    )
    bottleneck: int = setting(48, at_least(1), "Length of the code, b.")
    dropout: float = setting(0.2, RATE, "Rate after every hidden layer.")


@dataclasses.dataclass(frozen=True)
class AutoencoderConfig(Config):
    """The whole configuration of the autoencoder."""

    method: str = setting("autoencoder", one_of("autoencoder"), "The system to train.")
    autoencoder: AutoencoderSection = section(AutoencoderSection)


class Autoencoder:
    """Image -> encoder -> code -> decoder -> squared error.

    It has no segmenter: what is measured after every epoch is how far apart the mean
    codes of the classes lie (`training.autoencoder_validation.AutoencoderValidator`).

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: thesis 9.1 (Table 4).
    """

    config_class = AutoencoderConfig
    needs_masks = False

    def __init__(self, config: AutoencoderConfig, height: int, width: int):
        self.encoder, self.decoder = autoencoder(
            height,
            width,
            hidden=config.autoencoder.hidden,
            bottleneck=config.autoencoder.bottleneck,
            dropout=config.autoencoder.dropout,
            seed=config.seed,
        )
        self.networks = {"encoder": self.encoder, "decoder": self.decoder}
        self.pretraining = []
        variables = self.encoder.trainable_variables + self.decoder.trainable_variables
        optimizer = adam(variables, learning_rate_schedule(config.training))
        self.phases = [
            Phase("autoencoder", self._train, ("loss",), variables, optimizer)
        ]

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the mean squared error in inference mode, `[batch]`."""
        return self._terms(batch, training=False)

    def _train(self, batch: Batch) -> Terms:
        return self._terms(batch, training=True)

    def _terms(self, batch: Batch, training: bool) -> Terms:
        code = self.encoder(batch["image"], training=training)
        rebuilt = self.decoder(code, training=training)
        images = tf.cast(batch["image"], rebuilt.dtype)
        return {"loss": tf.reduce_mean(tf.square(images - rebuilt), axis=[1, 2, 3])}
