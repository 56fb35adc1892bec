"""Settings of a fixed camera: the background, what differs, and what S sees."""

import dataclasses
from typing import ClassVar

from cirs_tf.config.sections import Config, SegmenterConfig, TrainingConfig
from cirs_tf.config.settings import (
    RATE,
    SHARE,
    Range,
    Section,
    at_least,
    between,
    one_of,
    section,
    setting,
)


@dataclasses.dataclass(frozen=True)
class FixedCameraSection(Section):
    """The background, when a pixel differs from it, and what S sees."""

    key: ClassVar[str] = "fixed_camera"

    segmenter: str = setting(
        "frame",
        one_of("frame", "frame_and_background", "difference"),
        "What S is: a U-Net that sees the frame alone; one that sees the background "
        "and its difference beside it; or the difference itself, nothing trained.",
    )
    images: int = setting(
        300,
        at_least(1),
        "Frames whose median is the background, evenly spaced among all.",
    )
    threshold: float | None = setting(
        None,
        SHARE,
        "Difference in any channel, in [0, 1], from which a pixel is in front; null: "
        "chosen from the frames by minimum cross-entropy (Li and Tam 1998).",
    )
    cleaning: int = setting(
        7,
        Range("an odd number of at least 1", lambda side: side >= 1 and side % 2 == 1),
        "Side in pixels of the square that masks are cleaned by: smaller things are "
        "removed, smaller gaps are closed; 1: they are left as they are.",
    )
    brightness: float = setting(
        0.35,
        RATE,
        "S sees frames that are brighter or darker by up to this share.",
    )
    color: float = setting(
        0.07, RATE, "And each channel by itself by up to this share."
    )


@dataclasses.dataclass(frozen=True)
class FixedCameraConfig(Config):
    """The whole configuration of a fixed camera."""

    method: str = setting(
        "fixed_camera", one_of("fixed_camera"), "The system to train."
    )
    segments: int = setting(
        2,
        between(2, 255),
        "Background, and what moves; more than 2: that sorted by color and size.",
    )
    training: TrainingConfig = section(
        TrainingConfig,
        epochs=4,
        steps_per_epoch=300,
        batch_size=4,
        learning_rate=2e-3,
        decay_steps=1200,
    )
    segmenter: SegmenterConfig = section(
        SegmenterConfig, width=8, depth=4, upsampling="bilinear"
    )
    fixed_camera: FixedCameraSection = section(FixedCameraSection)

    def check(self) -> None:
        """Require a U-Net where what moves is to be sorted."""
        super().check()
        self.fixed_camera.require(
            "segmenter",
            self.segments == 2 or self.fixed_camera.segmenter != "difference",
            "frame or frame_and_background with more than 2 segments",
        )
