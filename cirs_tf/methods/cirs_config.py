"""The settings of CIRS."""

import dataclasses
from typing import ClassVar

from cirs_tf.config.sections import (
    SCHEDULES,
    BackgroundConfig,
    Config,
    PretrainingConfig,
    SegmenterConfig,
)
from cirs_tf.config.settings import (
    ANY,
    POSITIVE,
    SHARE,
    WEIGHT,
    at_least,
    one_of,
    section,
    setting,
)
from cirs_tf.losses.cirs import BETWEEN
from cirs_tf.methods.annealed_noise import NoiseSection
from cirs_tf.methods.augmentation import AugmentationSection
from cirs_tf.methods.heads import HeadsSection
from cirs_tf.methods.segment_features import FeatureNetConfig
from cirs_tf.methods.word_features import WordsConfig


@dataclasses.dataclass(frozen=True)
class CirsSection(AugmentationSection, HeadsSection, NoiseSection):
    """The CIRS objective (thesis 5), its schedule (thesis 7.4), and extensions.

    Everything below the schedule is off by default; `configs/cirs.yaml` turns on what
    makes the method work.
    """

    key: ClassVar[str] = "cirs"

    alpha_1: float = setting(1.0, WEIGHT, "Weight of the variance within segments.")
    alpha_2: float = setting(1.0, WEIGHT, "Weight of the distance between segments.")
    between: str = setting(
        "squared",
        one_of(*BETWEEN),
        "How the distance between segments is measured: by squared distances from "
        "their common mean (thesis 5); or by distances of pairs, or the logarithm of a "
        "determinant, for which two groups of equal segments are not the best.",
    )
    schedule: str = setting(
        "joint",
        one_of(*SCHEDULES),
        "S and g in one step, or S for segmenter_steps, then g for feature_net_steps.",
    )
    segmenter_steps: int = setting(1, at_least(1), "Mini-batches per cycle for S.")
    feature_net_steps: int = setting(1, at_least(1), "Mini-batches per cycle for g.")
    usage_weight: float = setting(
        0.0, WEIGHT, "Weight of the penalty for segments below usage_floor."
    )
    usage_floor: float = setting(
        0.05, SHARE, "Minimum share of the pixels per segment, at most 1 / segments."
    )
    usage_of: str = setting(
        "probabilities",
        one_of("probabilities", "masks"),
        "Whether shares are those of the softmax or of the one-hot masks.",
    )
    feature_learning_rate: float | None = setting(
        None, POSITIVE, "Learning rate of g; null: that of S."
    )
    reset_every: int = setting(
        0,
        at_least(0),
        "Updates of g from one reset to the next: its weights are drawn anew and its "
        "optimizer slots emptied; 0: never.",
    )
    freeze_feature_net: bool = setting(
        False, ANY, "Whether g keeps its first weights (compare thesis 11)."
    )
    feature_net_pretraining_steps: int = setting(
        0,
        at_least(0),
        "Mini-batches of pretraining in which g learns to encode whole images for a "
        "linear decoder (compare thesis 11).",
    )
    xla: bool = setting(
        True,
        ANY,
        "Whether softmax and masks are compiled with XLA: quicker steps, a slower "
        "start.",
    )

    def check(self) -> None:
        """Refuse to freeze a network that something else trains."""
        rate = self.feature_learning_rate
        trains = self.schedule == "alternating" or rate is not None or self.reset_every
        self.require(
            "freeze_feature_net",
            not (self.freeze_feature_net and trains),
            "false where schedule, feature_learning_rate or reset_every train g",
        )


@dataclasses.dataclass(frozen=True)
class CirsConfig(Config):
    """The whole configuration of CIRS."""

    method: str = setting("cirs", one_of("cirs"), "The system to train.")
    segmenter: SegmenterConfig = section(SegmenterConfig)
    feature_net: FeatureNetConfig = section(FeatureNetConfig)
    pretraining: PretrainingConfig = section(PretrainingConfig)
    background: BackgroundConfig = section(BackgroundConfig)
    cirs: CirsSection = section(CirsSection)

    words: WordsConfig = section(WordsConfig)

    def check(self) -> None:
        """Refuse a floor that K segments cannot reach, and settings at odds."""
        self.check_usage_floor(self.cirs)
        options = self.cirs
        pretrains = self.pretraining.pseudo_labels != "none" and self.pretraining.steps
        options.require(
            "heads", options.heads == 1 or not pretrains, "1 with pseudo-labels"
        )
        trains = options.schedule == "alternating" or options.reset_every
        trains = trains or options.feature_learning_rate is not None
        frozen = self.feature_net.kind == "words" and not self.words.hidden
        self.feature_net.require(
            "kind",
            not (frozen and trains),
            "dense or conv, or words with words.hidden, where cirs.schedule, "
            "feature_learning_rate or reset_every train g",
        )
        self.feature_net.require(
            "kind",
            self.feature_net.kind != "words"
            or not options.feature_net_pretraining_steps,
            "dense or conv with cirs.feature_net_pretraining_steps",
        )
