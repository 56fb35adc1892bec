"""Two classes that lightness parts, image by image: Otsu's threshold as a segmenter."""

import dataclasses
from typing import ClassVar

import keras
import tensorflow as tf

from cirs_tf.config.sections import Config
from cirs_tf.config.settings import (
    POSITIVE,
    RATE,
    Range,
    Section,
    one_of,
    section,
    setting,
)
from cirs_tf.data.image_split import Batch
from cirs_tf.layers.otsu_masks import OtsuMasks
from cirs_tf.models.mask_segmenter import mask_segmenter
from cirs_tf.training.phases import Phase, Terms


@dataclasses.dataclass(frozen=True)
class ThresholdSection(Section):
    """What is divided."""

    key: ClassVar[str] = "threshold"

    smoothing: float = setting(
        1.0, POSITIVE, "Standard deviation of the blur against noise, in pixels."
    )
    background: float = setting(
        0.1,
        RATE,
        "Standard deviation of the blur that is subtracted, a background that varies "
        "slowly, as a share of the longer side; 0: nothing is subtracted.",
    )


@dataclasses.dataclass(frozen=True)
class ThresholdConfig(Config):
    """The whole configuration of a threshold."""

    method: str = setting("threshold", one_of("threshold"), "The system to train.")
    segments: int = setting(
        2, Range("2", lambda count: count == 2), "Background and objects."
    )
    threshold: ThresholdSection = section(ThresholdSection)


class Threshold:
    """Image -> contrast to its surroundings -> Otsu's threshold; nothing is trained.

    Segment 1 is what touches less of the image's border, 0 the background.

    Args:
        config: The run.
        height: Height of the images in pixels; not used.
        width: Width of the images in pixels; not used.

    Reference: Otsu 1979; docs/methods/threshold.md.
    """

    config_class = ThresholdConfig
    needs_masks = False

    def __init__(self, config: ThresholdConfig, height: int, width: int):
        self.config = config
        options = config.threshold
        self.masks = OtsuMasks(options.smoothing, options.background, name="masks")
        self.segmenter = mask_segmenter(self.masks)
        self.networks = {"segmenter": self.segmenter}
        self.pretraining = []
        self.phases: list[Phase] = []

    @staticmethod
    def build_segmenter(config: ThresholdConfig) -> keras.Model:
        """Build S alone.

        Args:
            config: The run.
        """
        return Threshold(config, 0, 0).segmenter

    def validation_terms(self, batch: Batch) -> Terms:
        """Return `loss`, `[batch]`: the share of contrast's variance within the parts.

        In [0, 1]: 0 where each part has one value, 1 where an image has one color. It
        is what Otsu's threshold makes least.
        """
        contrast = self.masks.contrast(tf.cast(batch["image"], tf.float32))
        masks = self.masks(batch["image"])
        share = tf.reduce_mean(masks, [1, 2, 3])
        total = tf.math.reduce_variance(contrast, [1, 2, 3])
        mean = tf.reduce_mean(contrast, [1, 2, 3])
        inside = tf.reduce_mean(contrast * masks, [1, 2, 3])
        between = tf.math.divide_no_nan(
            tf.square(inside - share * mean), share * (1 - share)
        )
        return {"loss": 1 - tf.math.divide_no_nan(between, total)}
