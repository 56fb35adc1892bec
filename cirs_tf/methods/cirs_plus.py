"""CIRS repaired: features that must also rebuild their segments, and pretraining."""

import dataclasses
from typing import ClassVar

import keras
import tensorflow as tf

from cirs_tf.config.sections import (
    NORMALIZATIONS,
    BackgroundConfig,
    Config,
    PretrainingConfig,
    SegmenterConfig,
)
from cirs_tf.config.settings import (
    RATE,
    SHARE,
    WEIGHT,
    WIDTHS,
    Section,
    at_least,
    one_of,
    section,
    setting,
)
from cirs_tf.data.image_split import Batch
from cirs_tf.layers.segment_masks import SegmentMasks, masked_images
from cirs_tf.losses.cirs import cirs_loss
from cirs_tf.losses.cross_entropy import label_cross_entropy
from cirs_tf.losses.min_usage import min_usage_penalty
from cirs_tf.losses.pseudo_labels import pseudo_labels
from cirs_tf.losses.reconstruction import chosen_error
from cirs_tf.methods.segmenter_pretraining import (
    LearnsPseudoLabels,
    SegmenterPretraining,
)
from cirs_tf.models.segment_autoencoders import segment_autoencoders
from cirs_tf.models.unet import unet
from cirs_tf.training.optimizers import adam, learning_rate_schedule
from cirs_tf.training.phases import Phase, Terms
from cirs_tf.training.strategy import batch_mean


@dataclasses.dataclass(frozen=True)
class CirsPlusSection(Section):
    """The weights of CIRS with a reconstruction, and its autoencoders."""

    key: ClassVar[str] = "cirs_plus"

    cirs_weight: float = setting(
        1e-3, WEIGHT, "Weight of the CIRS loss, beside the squared error."
    )
    alpha_1: float = setting(
        1.0, WEIGHT, "Weight of the variance within segments, in the CIRS loss."
    )
    alpha_2: float = setting(
        1.0, WEIGHT, "Weight of the distance between segments, in the CIRS loss."
    )
    pseudo_label_weight: float = setting(
        0.3,
        WEIGHT,
        "Weight of the cross-entropy of S with the segment that rebuilds each pixel "
        "best, border pixels settled by the colors on either side.",
    )
    usage_weight: float = setting(
        0.02, WEIGHT, "Weight of the penalty for segments below usage_floor."
    )
    usage_floor: float = setting(
        0.01, SHARE, "Minimum share of the pixels per segment, at most 1 / segments."
    )
    hidden: tuple[int, ...] = setting(
        (512, 128),
        WIDTHS,
        "Hidden widths of all encoders together; the decoders mirror them.",
    )
    bottleneck: int = setting(
        32, at_least(1), "Length of the features of all segments together."
    )
    dropout: float = setting(0.0, RATE, "Rate after every hidden layer.")
    norm: str = setting(
        "batch", one_of(*NORMALIZATIONS[:3]), "Normalization after every hidden layer."
    )


@dataclasses.dataclass(frozen=True)
class CirsPlusConfig(Config):
    """The whole configuration of CIRS with a reconstruction."""

    method: str = setting("cirs_plus", one_of("cirs_plus"), "The system to train.")
    segmenter: SegmenterConfig = section(SegmenterConfig)
    pretraining: PretrainingConfig = section(
        PretrainingConfig, pseudo_labels="components"
    )
    background: BackgroundConfig = section(BackgroundConfig)
    cirs_plus: CirsPlusSection = section(CirsPlusSection)

    def check(self) -> None:
        """Refuse a usage floor that K segments cannot reach."""
        self.check_usage_floor(self.cirs_plus)


class CirsPlus(LearnsPseudoLabels):
    """Image -> S -> K masked images -> K encoders (g) -> CIRS loss; decoders -> error.

    Thesis 7 shows what is wrong with CIRS alone: g can make its features agree whatever
    the segments are. 7.2 argues for an auxiliary reconstruction: here each segment's
    feature vector, of unit length, must also give back the segment's pixels, so it
    cannot be a mere number of the segment. S follows each segment's own error, at
    borders the colors on either side, and is pretrained on parts of unlabeled images.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: thesis 5, 7.2 and 10.
    """

    config_class = CirsPlusConfig
    needs_masks = False
    initialized_by = ("pretraining.", "background.")

    def __init__(self, config: CirsPlusConfig, height: int, width: int):
        self.config, self.options = config, config.cirs_plus
        self.segmenter = self.build_segmenter(config)
        self.autoencoders = segment_autoencoders(
            height,
            width,
            config.segments,
            hidden=self.options.hidden,
            bottleneck=self.options.bottleneck,
            dropout=self.options.dropout,
            norm=self.options.norm,
            seed=2 * config.seed + 1,
        )
        code = self.autoencoders.get_layer("code").output
        self._rebuild = keras.Model(
            self.autoencoders.input, (self.autoencoders.output, code)
        )
        self.networks = {
            "segmenter": self.segmenter,
            "autoencoders": self.autoencoders,
        }
        self._segment_masks = SegmentMasks()
        self.labels = SegmenterPretraining(
            self.segmenter, config.segments, config.pretraining
        )
        self.pretraining = self.labels.phases
        variables = sum((net.trainable_variables for net in self.networks.values()), [])
        terms = (
            "loss",
            "error",
            "within",
            "between",
            "pseudo_label_loss",
            "min_usage_penalty",
        )
        optimizer = adam(variables, learning_rate_schedule(config.training))
        self.phases = [Phase("joint", self._train, terms, variables, optimizer)]

    @staticmethod
    def build_segmenter(config: CirsPlusConfig) -> keras.Model:
        """Build S alone.

        Args:
            config: The run.
        """
        return unet(config.segmenter, config.segments, 2 * config.seed)

    def validation_terms(self, batch: Batch) -> Terms:
        """Return all terms and their weighted sum in inference mode."""
        return self._terms(batch, training=False)

    def _train(self, batch: Batch) -> Terms:
        return self._terms(batch, training=True)

    def _terms(self, batch: Batch, training: bool) -> Terms:
        options = self.options
        logits = self.segmenter(batch["image"], training=training)
        probabilities = tf.nn.softmax(logits)
        masks = self._segment_masks(probabilities)  # (B, K, H, W, 1)
        masked = masked_images(batch["image"], masks)  # (B, K, H, W, 3)
        rebuilt, codes = self._rebuild(masked, training=training)
        images = tf.cast(batch["image"], masks.dtype)
        errors = tf.reduce_mean(tf.square(images[:, None] - rebuilt), axis=-1)
        error = chosen_error(masks, errors)
        features = tf.math.l2_normalize(codes, axis=-1, epsilon=1e-6)  # (B, K, F)
        cirs = cirs_loss(features, options.alpha_1, options.alpha_2, batch_mean)
        label_loss = label_cross_entropy(probabilities, pseudo_labels(images, errors))
        penalty = min_usage_penalty(probabilities, options.usage_floor, batch_mean)
        loss = batch_mean(error) + options.cirs_weight * cirs.loss
        loss += options.pseudo_label_weight * batch_mean(label_loss)
        loss += options.usage_weight * penalty
        return {
            "loss": loss,
            "error": error,
            "within": cirs.within,
            "between": cirs.between,
            "pseudo_label_loss": label_loss,
            "min_usage_penalty": penalty,
        }
