"""The settings of CIRS with aligned segments."""

import dataclasses
from typing import ClassVar

from cirs_tf.config.sections import (
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
    Section,
    at_least,
    one_of,
    section,
    setting,
)


@dataclasses.dataclass(frozen=True)
class CirsAlignedSection(Section):
    """Poses and templates in place of g."""

    key: ClassVar[str] = "cirs_aligned"

    background: str = setting(
        "static",
        one_of("static", "surroundings"),
        "What the background is compared with: one learned picture; or, for one that "
        "moves, the colors of the background that S sees near each pixel.",
    )
    canvas: float = setting(
        0.625,
        SHARE,
        "Height and width of a template, as a share of the image's shorter side.",
    )
    out_of_support_cost: float = setting(
        0.1, POSITIVE, "Cost of a pixel outside a template's support, > 0."
    )
    occlusion_penalty: float = setting(
        0.02, WEIGHT, "Extra background cost, per pixel, inside an object's support."
    )
    pseudo_label_weight: float = setting(
        0.3,
        WEIGHT,
        "Weight of the cross-entropy of S with the segment of least error at each "
        "pixel, border pixels settled by the colors on either side.",
    )
    outline_weight: float = setting(
        0.1,
        WEIGHT,
        "Weight of the distance of supports from the pixels that segments hold.",
    )
    pose_weight: float = setting(
        0.1, WEIGHT, "Weight of the pose error on rendered images of known pose."
    )
    usage_weight: float = setting(
        0.02, WEIGHT, "Weight of the penalty for segments below usage_floor."
    )
    usage_floor: float = setting(
        0.01, SHARE, "Minimum share of the pixels per segment, at most 1 / segments."
    )
    pose_pretraining_steps: int = setting(
        400,
        at_least(0),
        "Mini-batches of pretraining in which poses are learned on rendered images.",
    )
    template_freeze_steps: int = setting(
        100,
        at_least(0),
        "Mini-batches of training in which templates stay as they were initialized, "
        "until S and the poses fit the images.",
    )
    xla: bool = setting(
        True,
        ANY,
        "Whether rendering is compiled with XLA: quicker steps, a slower start.",
    )


@dataclasses.dataclass(frozen=True)
class CirsAlignedConfig(Config):
    """The whole configuration of CIRS with aligned segments."""

    method: str = setting(
        "cirs_aligned", one_of("cirs_aligned"), "The system to train."
    )
    segmenter: SegmenterConfig = section(SegmenterConfig)
    pretraining: PretrainingConfig = section(
        PretrainingConfig, pseudo_labels="components"
    )
    background: BackgroundConfig = section(BackgroundConfig)
    cirs_aligned: CirsAlignedSection = section(CirsAlignedSection)

    def check(self) -> None:
        """Require pseudo-labels that come with templates, and a reachable floor."""
        self.pretraining.require(
            "pseudo_labels",
            self.pretraining.pseudo_labels in ("components", "segmenter"),
            "components or segmenter, which the templates come from",
        )
        self.check_usage_floor(self.cirs_aligned)
