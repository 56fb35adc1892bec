"""AIR: a segmenter whose segments can each be rebuilt through a bottleneck."""

import functools

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.data.image_split import Batch
from cirs_tf.layers.replica_random import replica_seed
from cirs_tf.layers.segment_masks import SegmentMasks, masked_images
from cirs_tf.losses.kl_divergence import standard_normal_kl
from cirs_tf.losses.min_usage import min_usage_penalty
from cirs_tf.losses.reconstruction import combined_error, per_segment_error
from cirs_tf.methods.air_config import AirConfig
from cirs_tf.methods.annealed_noise import add_gumbel_noise
from cirs_tf.methods.augmentation import augment
from cirs_tf.methods.heads import (
    segmenter_with_heads,
    terms_of_best_head,
    train_heads,
)
from cirs_tf.methods.two_networks import two_network_phases
from cirs_tf.methods.word_features import WordVectors
from cirs_tf.models.segment_autoencoders import (
    segment_autoencoders,
    variational_autoencoders,
)
from cirs_tf.training.optimizers import adam, learning_rate_schedule
from cirs_tf.training.phases import Initialization, Terms
from cirs_tf.training.strategy import batch_mean

_ERRORS = {"combined": combined_error, "per_segment": per_segment_error}


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
    initialized_by = ("words.",)

    def __init__(self, config: AirConfig, height: int, width: int):
        options = self.options = config.air
        options.check_size(height, width)
        self.seed = config.seed
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
            variables={
                "segmenter": self.segmenter.trainable_variables,
                "autoencoders": self.autoencoders.trainable_variables,
            },
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
        seed = replica_seed(self.seed, tf.add_n(self._updates))
        images = augment(batch["image"], self.options.augmentation, seed)
        heads = self._terms_of_heads(images, training=True)
        return train_heads(self.segmenter, heads)

    @property
    def _updates(self) -> list[tf.Tensor]:
        """The counts of updates of all phases, that of S first."""
        return [phase.optimizer.iterations.value for phase in self.phases]

    def _terms_of_heads(self, images: tf.Tensor, training: bool) -> list[Terms]:
        heads = self.options.heads
        logits = self._all_heads(images, training=training)
        if training:
            logits = add_gumbel_noise(logits, self.options, self._updates, self.seed)
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
