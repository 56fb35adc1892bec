"""The settings of AIR."""

import dataclasses
from typing import ClassVar

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
    at_least,
    one_of,
    section,
    setting,
)
from cirs_tf.methods.annealed_noise import NoiseSection
from cirs_tf.methods.augmentation import AugmentationSection
from cirs_tf.methods.heads import HeadsSection
from cirs_tf.methods.word_features import WordVectorsConfig


@dataclasses.dataclass(frozen=True)
class AirSection(AugmentationSection, HeadsSection, NoiseSection):
    """Argmax individual reconstruction (thesis 10).

    The widths are totals over the K autoencoders, so that the number of parameters
    stays about the same for every K; each autoencoder has a K-th of them. Every head
    has autoencoders of its own.
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
    error: str = setting(
        "combined",
        one_of("combined", "per_segment"),
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
