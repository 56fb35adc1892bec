"""AIR: a segmenter whose segments can each be rebuilt through a bottleneck."""

import dataclasses
import functools
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.config.sections import (
    NORMALIZATIONS,
    SCHEDULES,
    Config,
    SegmenterConfig,
)
from cirs_tf.config.settings import (
    ANY,
    RATE,
    SHARE,
    WEIGHT,
    WIDTHS,
    Section,
    at_least,
    between,
    one_of,
    section,
    setting,
)
from cirs_tf.data.pipeline import Batch
from cirs_tf.layers.segment_masks import SegmentMasks, masked_images
from cirs_tf.losses.kl_divergence import standard_normal_kl
from cirs_tf.losses.min_usage import min_usage_penalty
from cirs_tf.losses.reconstruction import combined_error, per_segment_error
from cirs_tf.methods.heads import (
    segmenter_with_heads,
    terms_of_best_head,
    train_heads,
)
from cirs_tf.methods.two_networks import two_network_phases
from cirs_tf.methods.word_features import WordVectors, WordVectorsConfig
from cirs_tf.models.segment_autoencoders import (
    segment_autoencoders,
    variational_autoencoders,
)
from cirs_tf.training.optimizers import adam, learning_rate_schedule
from cirs_tf.training.phases import Initialization, Terms
from cirs_tf.training.strategy import batch_mean

_ERRORS = {"combined": combined_error, "per_segment": per_segment_error}


@dataclasses.dataclass(frozen=True)
class AirSection(Section):
    """Argmax individual reconstruction (thesis 10).

    The widths are totals over the K autoencoders, so that the number of parameters
    stays about the same for every K; each autoencoder has a K-th of them.
    """

    key: ClassVar[str] = "air"

    hidden: tuple[int, ...] = setting(
        (512, 128),
        WIDTHS,
        "Hidden widths of all encoders together; the decoders mirror them.",
    )
    bottleneck: int = setting(32, at_least(1), "Length of all codes together.")
    dropout: float = setting(0.4, RATE, "Rate after every hidden layer.")
    norm: str = setting(
        "batch", one_of(*NORMALIZATIONS[:3]), "Normalization after every hidden layer."
    )
    target: str = setting(
        "image",
        one_of("image", "words"),
        "What the autoencoders see and rebuild: the image, or the vectors of its color "
        "words (section words), which tell what a color appears beside.",
    )
    heads: int = setting(
        1,
        between(1, 16),
        "Output heads on one U-Net, each with autoencoders of its own and trained as "
        "if alone; that of the lowest training loss is the segmenter.",
    )
    error: str = setting(
        "combined",
        one_of(*_ERRORS),
        "The image against the sum of the masked reconstructions (thesis), or the sum "
        "of each segment's own error.",
    )
    remask_gradient: bool = setting(
        False,
        ANY,
        "Whether the multiplication of a reconstruction by its mask passes a gradient "
        "to the mask (thesis: it does not).",
    )
    usage_weight: float = setting(
        0.0, WEIGHT, "Weight of the penalty for segments below usage_floor."
    )
    usage_floor: float = setting(
        0.03, SHARE, "Minimum share of the pixels per segment, at most 1 / segments."
    )
    variational: bool = setting(
        False,
        ANY,
        "Whether codes are drawn from a Gaussian, whose mean and variance the encoders "
        "give (thesis 11), so that `generate` can draw new ones.",
    )
    kl_weight: float = setting(
        0.02,
        WEIGHT,
        "Weight of the divergence of those Gaussians from the standard normal, in nats "
        "per image value: 2 s^2 for images with noise of standard deviation s.",
    )
    schedule: str = setting(
        "joint",
        one_of(*SCHEDULES),
        "Both networks in one step, or S for segmenter_steps, then the autoencoders "
        "for autoencoder_steps.",
    )
    segmenter_steps: int = setting(1, at_least(1), "Mini-batches per cycle for S.")
    autoencoder_steps: int = setting(
        1, at_least(1), "Mini-batches per cycle for the autoencoders."
    )


@dataclasses.dataclass(frozen=True)
class AirConfig(Config):
    """The whole configuration of AIR."""

    method: str = setting("air", one_of("air"), "The system to train.")
    segmenter: SegmenterConfig = section(SegmenterConfig)
    air: AirSection = section(AirSection)
    words: WordVectorsConfig = section(WordVectorsConfig)

    def check(self) -> None:
        """Refuse a floor that K segments cannot reach, and images drawn as words."""
        self.check_usage_floor(self.air)
        words = self.air.target == "words"
        single = self.air.heads == 1
        self.air.require("heads", single or not self.air.variational, "1, variational")
        self.air.require(
            "target", not (words and self.air.variational), "image with variational"
        )


class Air:
    """Image -> S -> K masked images -> K autoencoders -> re-masked -> sum -> error.

    With `air.variational` the codes between are drawn from Gaussians, whose divergence
    from the standard normal is a part of the loss.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: thesis 10 (Figure 11); 11 for the variational bottleneck.
    """

    config_class = AirConfig
    needs_masks = False

    def __init__(self, config: AirConfig, height: int, width: int):
        options = self.options = config.air
        self.kl_weight = options.kl_weight / (3 * height * width)
        self._all_heads, self.segmenter = _segmenters(config)
        variational = options.variational
        self._words = None
        build = variational_autoencoders if variational else segment_autoencoders
        if options.target == "words":
            self._words = WordVectors(config.words, config.segments, config.seed)
            build = functools.partial(
                segment_autoencoders,
                channels=self._words.dimensions,
                activation="linear",
            )
        self.autoencoders = build(
            height,
            width,
            options.heads * config.segments,
            hidden=[options.heads * units for units in options.hidden],
            bottleneck=options.heads * options.bottleneck,
            dropout=options.dropout,
            norm=options.norm,
            seed=2 * config.seed + 1,
        )
        self.networks = {
            "segmenter": self.segmenter,
            "autoencoders": self.autoencoders,
        }
        if self._words is not None:
            self.networks["words"] = self._words.model
        self._segment_masks = SegmentMasks()
        self.pretraining = []
        terms = ("loss", "error", "min_usage_penalty")
        rate = learning_rate_schedule(config.training)
        self.phases = two_network_phases(
            loss=self._train,
            terms=(*terms, "kl") if variational else terms,
            variables={k: net.trainable_variables for k, net in self.networks.items()},
            schedule=options.schedule,
            steps=(options.segmenter_steps, options.autoencoder_steps),
            make_optimizer=lambda variables: adam(variables, rate),
        )

    @staticmethod
    def build_segmenter(config: AirConfig) -> keras.Model:
        """Build S alone.

        Args:
            config: The run.
        """
        return _segmenters(config)[1]

    def initialize(self, images: np.ndarray) -> Initialization:
        """Find color words, where they are rebuilt.

        Args:
            images: `[images, height, width, 3]` uint8.

        Raises:
            DataError: The images have too few colors.
        """
        return {} if self._words is None else self._words.initialize(images)

    def assign(self, initialization: Initialization) -> None:
        """Set the color words.

        Args:
            initialization: From `initialize`.
        """
        if self._words is not None:
            self._words.assign(initialization)

    def pictures(self, images: np.ndarray) -> dict[str, Image.Image]:
        """Draw the color words, where they are rebuilt.

        Args:
            images: `[images, height, width, 3]` uint8.
        """
        return {} if self._words is None else self._words.pictures(images)

    def validation_terms(self, batch: Batch) -> Terms:
        """Return all terms and their weighted sum in inference mode."""
        heads = self._terms_of_heads(batch["image"], training=False)
        return terms_of_best_head(self.segmenter, heads)

    def _train(self, batch: Batch) -> Terms:
        heads = self._terms_of_heads(batch["image"], training=True)
        return train_heads(self.segmenter, heads)

    def _terms_of_heads(self, images: tf.Tensor, training: bool) -> list[Terms]:
        heads = self.options.heads
        logits = self._all_heads(images, training=training)
        probabilities = [tf.nn.softmax(p) for p in tf.split(logits, heads, axis=-1)]
        masks = [self._segment_masks(p) for p in probabilities]  # (B, K, H, W, 1)
        target = images if self._words is None else self._words.model(images)
        masked = masked_images(target, tf.concat(masks, axis=1))
        rebuilt = self.autoencoders(masked, training=training)
        if self.options.variational:
            reconstructions, *gaussian = rebuilt
            return [
                self._terms(target, *probabilities, *masks, reconstructions, *gaussian)
            ]
        parts = tf.split(rebuilt, heads, axis=1)  # (B, K, H, W, C)
        return [
            self._terms(target, *of_head)
            for of_head in zip(probabilities, masks, parts, strict=True)
        ]

    def _terms(
        self,
        target: tf.Tensor,
        probabilities: tf.Tensor,
        masks: tf.Tensor,
        reconstructions: tf.Tensor,
        *gaussian: tf.Tensor,
    ) -> Terms:
        """Return the terms of one head."""
        if not self.options.remask_gradient:
            masks = tf.stop_gradient(masks)
        target = tf.cast(target, masks.dtype)
        error = _ERRORS[self.options.error](target, reconstructions, masks)  # (B,)
        floor = self.options.usage_floor
        penalty = min_usage_penalty(probabilities, floor, batch_mean)
        # Both are statistics of the global batch: see `scale_loss`.
        loss = batch_mean(error) + self.options.usage_weight * penalty
        terms = {"loss": loss, "error": error, "min_usage_penalty": penalty}
        if gaussian:
            terms["kl"] = standard_normal_kl(*gaussian)  # (B,)
            terms["loss"] += self.kl_weight * batch_mean(terms["kl"])
        return terms


def _segmenters(config: AirConfig) -> tuple[keras.Model, keras.Model]:
    """Return S with all heads, and with the best one."""
    heads = config.air.heads
    return segmenter_with_heads(
        config.segmenter, heads, config.segments, 2 * config.seed
    )
