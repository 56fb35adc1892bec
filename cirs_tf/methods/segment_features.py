"""Features of segments: the settings of g, g on masked images, and its pretraining."""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.config.sections import NORMALIZATIONS, PretrainingConfig
from cirs_tf.config.settings import (
    ANY,
    RATE,
    WIDTHS,
    Section,
    at_least,
    one_of,
    setting,
)
from cirs_tf.data.image_split import Batch
from cirs_tf.errors import ConfigError
from cirs_tf.layers.segment_masks import masked_images
from cirs_tf.models.feature_input import feature_input
from cirs_tf.models.feature_net import feature_net
from cirs_tf.training.optimizers import adam
from cirs_tf.training.phases import PretrainingPhase, Terms
from cirs_tf.training.strategy import batch_mean


@dataclasses.dataclass(frozen=True)
class FeatureNetConfig(Section):
    """The feature network g."""

    key: ClassVar[str] = "feature_net"

    kind: str = setting(
        "dense",
        one_of("dense", "conv", "words"),
        "Fully connected (thesis 6); convolutions with global average pooling; or "
        "features of color words (section words), for which nothing else here counts.",
    )
    hidden: tuple[int, ...] = setting((256, 64), WIDTHS, "Widths of the hidden layers.")
    features: int = setting(16, at_least(1), "Length of the feature vector.")
    norm: str = setting(
        "batch",
        one_of(*NORMALIZATIONS[:3], "current_batch"),
        "Normalization after every hidden layer; current_batch is batch without "
        "running statistics, so that validation uses those of its own batches.",
    )
    dropout: float = setting(
        0.4, RATE, "Rate after every hidden layer; with conv, after the pooling."
    )
    segment_number: str = setting(
        "scalar",
        one_of("off", "scalar", "one_hot"),
        "How the segment number k enters: not, as k / (K - 1), or one-hot.",
    )
    output: str = setting(
        "batch_norm",
        one_of("none", "l2", "batch_norm"),
        "Bound of the features: none, unit length, or unit variance per feature.",
    )
    per_segment: bool = setting(
        False,
        ANY,
        "Whether g is called for one segment at a time, so that the statistics of "
        "batch normalization are those of one segment.",
    )
    input: str = setting(
        "image",
        one_of(
            "image",
            "pooled",
            "area_normalized",
            renamed={"area_normalised": "area_normalized"},
        ),
        "The masked image (thesis 6); its means in cells; or these divided by the "
        "mask's share of the image, so that area tells nothing.",
    )
    cells: int = setting(
        8, at_least(1), "Cells per side, where used; image sides are multiples of it."
    )

    def check(self) -> None:
        """Require a hidden layer of convolutions, and means that may differ."""
        ok = self.kind == "dense" or len(self.hidden) > 0
        self.require("hidden", ok, "at least one width with kind=conv")
        # Normalized for one segment, its mean features are 0, whatever it is.
        ok = not self.per_segment or self.output != "batch_norm"
        self.require("output", ok, "none or l2 with per_segment")


class SegmentFeatures:
    """g applied to every segment of every image.

    Attributes:
        network: g.

    Args:
        config: The settings of g.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        segments: K.
        seed: Seed of the weights and of dropout.

    Raises:
        ConfigError: The images do not divide into cells.
    """

    def __init__(
        self,
        config: FeatureNetConfig,
        height: int,
        width: int,
        segments: int,
        seed: int,
    ):
        if config.input != "image":
            if height % config.cells or width % config.cells:
                raise ConfigError(
                    "feature_net.cells: expected a divisor of the image's sides, "
                    f"{height} and {width}, got {config.cells}"
                )
            height = width = config.cells
        self._config = config
        self.network = feature_net(
            height,
            width,
            segments,
            kind=config.kind,
            hidden=config.hidden,
            features=config.features,
            norm=config.norm,
            dropout=config.dropout,
            segment_number=config.segment_number,
            output=config.output,
            seed=seed,
        )

    def __call__(
        self, images: tf.Tensor, masks: tf.Tensor, training: bool
    ) -> tf.Tensor:
        """Return the features of every segment.

        Args:
            images: `[batch, height, width, 3]` float in [0, 1].
            masks: `[batch, K, height, width, 1]` float.
            training: Whether g is in training mode.

        Returns:
            `[batch, K, features]`.
        """
        masked = masked_images(images, masks)  # (B, K, H, W, 3)
        batch_size, segments = tf.shape(masked)[0], masked.shape[1]
        inputs = self._inputs(masked, masks)
        if self._config.per_segment:
            each = [
                self.network([part, tf.fill([batch_size], k)], training=training)
                for k, part in enumerate(tf.unstack(inputs, axis=1))
            ]
            return tf.stack(each, axis=1)
        flat = tf.reshape(inputs, tf.concat([[-1], tf.shape(inputs)[2:]], axis=0))
        segment = tf.tile(tf.range(segments), [batch_size])  # (B * K,)
        features = self.network([flat, segment], training=training)
        return tf.reshape(features, [batch_size, segments, -1])

    def of_each(
        self, images: tf.Tensor, masks: Sequence[tf.Tensor], training: bool
    ) -> list[tf.Tensor]:
        """Return the features of several segmentations of the same images.

        Args:
            images: `[batch, height, width, 3]` float in [0, 1].
            masks: `[batch, K, height, width, 1]` float, of each segmentation.
            training: Whether g is in training mode.

        Returns:
            `[batch, K, features]` for each.
        """
        return [self(images, each, training) for each in masks]

    @property
    def largest_mean_square(self) -> float | None:
        """The largest mean squared length of features; None: there is no bound."""
        bounds = {"none": None, "l2": 1.0, "batch_norm": float(self._config.features)}
        return bounds[self._config.output]

    def pretraining_phase(
        self, decoder: keras.Model, steps: int, options: PretrainingConfig
    ) -> PretrainingPhase:
        """Return the phase in which g learns to encode its input of whole images.

        Args:
            decoder: From `build_decoder`.
            steps: Mini-batches.
            options: Images and learning rate.
        """

        def loss(batch: Batch) -> Terms:
            whole = batch["image"][:, None]  # (B, 1, H, W, 3)
            masks = tf.ones_like(whole[..., :1])
            features = self(batch["image"], masks, training=True)[:, 0]  # (B, F)
            rebuilt = decoder(features, training=True)  # (B, inputs)
            inputs = self._inputs(whole, masks)
            inputs = tf.cast(tf.reshape(inputs, tf.shape(rebuilt)), rebuilt.dtype)
            squared = tf.reshape(tf.square(rebuilt - inputs), [-1])
            return {"loss": batch_mean(squared)}

        variables = self.network.trainable_variables + decoder.trainable_variables
        optimizer = adam(variables, options.learning_rate)
        return PretrainingPhase(
            "feature_net", loss, ("loss",), variables, optimizer, steps, options.images
        )

    def build_decoder(self, seed: int) -> keras.Model:
        """Build a linear decoder of the features of whole images.

        Args:
            seed: Seed of the weights.

        Returns:
            A model from `[batch, features]` to flattened inputs of g.
        """
        features = keras.Input((self._config.features,), name="features")
        inputs = keras.layers.Dense(
            int(np.prod(self.network.inputs[0].shape[1:])),
            kernel_initializer=keras.initializers.GlorotUniform(seed),
        )(features)
        return keras.Model(features, inputs, name="feature_decoder")

    def _inputs(self, masked: tf.Tensor, masks: tf.Tensor) -> tf.Tensor:
        kind, cells = self._config.input, self._config.cells
        return feature_input(masked, masks, kind=kind, cells=cells)
