"""The settings of W-Net."""

import dataclasses
from typing import ClassVar

from cirs_tf.config.sections import (
    SCHEDULES,
    BackgroundConfig,
    Config,
    PretrainingConfig,
    SegmenterConfig,
)
from cirs_tf.config.settings import ANY, POSITIVE, WEIGHT, one_of, section, setting
from cirs_tf.methods.annealed_noise import NoiseSection
from cirs_tf.methods.heads import HeadsSection


@dataclasses.dataclass(frozen=True)
class WnetSection(HeadsSection, NoiseSection):
    """W-Net: a soft normalized cut, and a reconstruction from the segments.

    Every head has a decoder of its own.
    """

    key: ClassVar[str] = "wnet"

    radius: float = setting(
        5.0, POSITIVE, "Pixels further apart are not compared by the cut; in pixels."
    )
    sigma_intensity: float = setting(
        10 / 255,
        POSITIVE,
        "Width of the cut's weight over colors, as color_space has them.",
    )
    sigma_position: float = setting(
        4.0, POSITIVE, "Width of the cut's weight over positions, in pixels."
    )
    color_space: str = setting(
        "rgb",
        one_of("rgb", "lab"),
        "Colors that are cut and rebuilt: RGB in [0, 1]; or L*a*b* / 100, where "
        "distances are nearer to those that people see.",
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
    hard_segments: bool = setting(
        False,
        ANY,
        "Whether the decoder sees the argmax of the segments (in place, straight "
        "through) instead of their probabilities, which hold a color without segments.",
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
    pretraining: PretrainingConfig = section(PretrainingConfig)
    background: BackgroundConfig = section(BackgroundConfig)
    wnet: WnetSection = section(WnetSection)

    def check(self) -> None:
        """Refuse what does not go together."""
        options = self.wnet
        joint = options.schedule == "joint"
        options.require("heads", joint or options.heads == 1, "1 with alternating")
        learned = self.pretraining.pseudo_labels != "none" and self.pretraining.steps
        options.require(
            "heads",
            not learned or options.heads == 1,
            "1 with pretraining.pseudo_labels, which none switches off",
        )
        rgb = options.color_space == "rgb"
        options.require(
            "reconstruction", rgb or options.reconstruction == "mse", "mse with lab"
        )
