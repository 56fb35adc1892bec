"""W-Net: segments that cut between unlike pixels and still hold the image."""

import dataclasses
from typing import ClassVar

import keras
import tensorflow as tf

from cirs_tf.config.sections import SCHEDULES, Config, SegmenterConfig
from cirs_tf.config.settings import (
    ANY,
    POSITIVE,
    WEIGHT,
    Section,
    one_of,
    section,
    setting,
)
from cirs_tf.data.pipeline import Batch
from cirs_tf.layers.replica_random import replica_seed
from cirs_tf.losses.soft_ncut import soft_ncut
from cirs_tf.methods.augmentation import augment
from cirs_tf.models.unet import unet
from cirs_tf.training.optimizers import adam, learning_rate_schedule
from cirs_tf.training.phases import Phase, Terms


@dataclasses.dataclass(frozen=True)
class WnetSection(Section):
    """W-Net: a soft normalized cut, and a reconstruction from the segments."""

    key: ClassVar[str] = "wnet"

    radius: float = setting(
        5.0, POSITIVE, "Pixels further apart are not compared by the cut; in pixels."
    )
    sigma_intensity: float = setting(
        10 / 255, POSITIVE, "Width of the cut's weight over intensities in [0, 1]."
    )
    sigma_position: float = setting(
        4.0, POSITIVE, "Width of the cut's weight over positions, in pixels."
    )
    reconstruction: str = setting(
        "mse", one_of("mse", "bce"), "Squared error, or binary cross-entropy."
    )
    reconstruction_weight: float = setting(
        1.0,
        WEIGHT,
        "Weight of the reconstruction beside the cut. Both are means, the former over "
        "values; an author who sums it over pixels, channels and the mini-batch has "
        "their product as weight.",
    )
    flip: bool = setting(
        False, ANY, "Whether training images are mirrored, each with probability 1/2."
    )
    schedule: str = setting(
        "alternating",
        one_of(*SCHEDULES),
        "joint minimizes the sum of cut and reconstruction; alternating updates the "
        "encoder by the cut, then both networks by the reconstruction, in turns.",
    )
    xla: bool = setting(
        True,
        ANY,
        "Whether the cut is compiled with XLA: quicker steps, a slower start.",
    )


@dataclasses.dataclass(frozen=True)
class WnetConfig(Config):
    """The whole configuration of W-Net."""

    method: str = setting("wnet", one_of("wnet"), "The system to train.")
    segmenter: SegmenterConfig = section(SegmenterConfig)
    wnet: WnetSection = section(WnetSection)


class Wnet:
    """Image -> U-Net -> softmax -> U-Net -> image; soft normalized cut on the softmax.

    It looks at one image at a time: the color-clustering method that the thesis
    compares with.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: Xia and Kulis 2017; thesis 8.
    """

    config_class = WnetConfig
    needs_masks = False

    def __init__(self, config: WnetConfig, height: int, width: int):
        options = self.options = config.wnet
        segments = config.segments
        self.segmenter = self.build_segmenter(config)
        self.decoder = unet(
            config.segmenter, 3, 2 * config.seed + 1, inputs=segments, name="decoder"
        )
        self.networks = {"segmenter": self.segmenter, "decoder": self.decoder}
        self._compiled_cut = tf.function(
            soft_ncut, jit_compile=options.xla, autograph=False
        )
        self.pretraining = []
        self.seed = config.seed
        encoder = self.segmenter.trainable_variables
        both = encoder + self.decoder.trainable_variables
        rate = learning_rate_schedule(config.training)
        if options.schedule == "joint":
            terms = ("loss", "n_cut", "reconstruction")
            self.phases = [Phase("joint", self._train, terms, both, adam(both, rate))]
        else:
            cut, rebuild = self._n_cut, self._reconstruction
            self.phases = [
                Phase("n_cut", cut, ("loss",), encoder, adam(encoder, rate)),
                Phase("reconstruction", rebuild, ("loss",), both, adam(both, rate)),
            ]

    @staticmethod
    def build_segmenter(config: WnetConfig) -> keras.Model:
        """Build S alone.

        Args:
            config: The run.
        """
        return unet(config.segmenter, config.segments, 2 * config.seed)

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the sum of both losses, and each, in inference mode, `[batch]`."""
        return self._joint(batch, training=False)

    def _train(self, batch: Batch) -> Terms:
        return self._joint(self._mirrored(batch), training=True)

    def _joint(self, batch: Batch, training: bool) -> Terms:
        probabilities = self._probabilities(batch, training)
        cut = self._cut_loss(probabilities, batch)
        error = self._error(probabilities, batch, training)
        loss = cut + self.options.reconstruction_weight * error
        return {"loss": loss, "n_cut": cut, "reconstruction": error}

    def _n_cut(self, batch: Batch) -> Terms:
        batch = self._mirrored(batch)
        probabilities = self._probabilities(batch, training=True)
        return {"loss": self._cut_loss(probabilities, batch)}

    def _reconstruction(self, batch: Batch) -> Terms:
        batch = self._mirrored(batch)
        probabilities = self._probabilities(batch, training=True)
        error = self._error(probabilities, batch, training=True)
        return {"loss": self.options.reconstruction_weight * error}

    def _mirrored(self, batch: Batch) -> Batch:
        """Return the images, some of them mirrored; others after every update."""
        if not self.options.flip:
            return batch
        updates = [phase.optimizer.iterations.value for phase in self.phases]
        seed = replica_seed(self.seed, tf.add_n(updates))
        return {**batch, "image": augment(batch["image"], "flip", seed)}

    def _probabilities(self, batch: Batch, training: bool) -> tf.Tensor:
        return tf.nn.softmax(self.segmenter(batch["image"], training=training))

    def _cut_loss(self, probabilities: tf.Tensor, batch: Batch) -> tf.Tensor:
        images = tf.cast(batch["image"], probabilities.dtype)
        options = self.options
        return self._compiled_cut(
            probabilities,
            images,
            options.radius,
            options.sigma_intensity,
            options.sigma_position,
        )

    def _error(
        self, probabilities: tf.Tensor, batch: Batch, training: bool
    ) -> tf.Tensor:
        logits = self.decoder(probabilities, training=training)
        images = tf.cast(batch["image"], logits.dtype)
        if self.options.reconstruction == "bce":
            error = tf.nn.sigmoid_cross_entropy_with_logits(images, logits)
        else:
            error = tf.square(images - keras.ops.sigmoid(logits))
        return tf.reduce_mean(error, axis=[1, 2, 3])
