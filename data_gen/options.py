"""Every choice that decides what a drawn data set holds."""

import dataclasses
from pathlib import Path

from cirs_tf.errors import ConfigError
from data_gen.scene import SPLITS
from data_gen.scenes import SCENES

_LEAST = {"train": 1, "val": 0, "test": 0, "size": 16, "seed": 0, "shards": 1}


@dataclasses.dataclass(frozen=True)
class SceneOptions:
    """What to draw; two equal options give the same bytes.

    Attributes:
        scene: A name in `data_gen.scenes.SCENES`.
        train: Number of training images, at least 1.
        val: Number of validation images; 0 leaves the split out.
        test: Number of test images; 0 leaves the split out.
        size: Height and width in pixels, at least 16.
        seed: Not negative.
        shards: Files a split; a split with fewer images has one file an image.
        sprites: Folder of RGBA PNGs to use in place of the scene's own objects.
        background: Image file to use in place of the scene's own background.
        with_train_masks: Whether training records hold their masks.

    Raises:
        ConfigError: A value is out of range.
    """

    scene: str = "fruit"
    train: int = 10_000
    val: int = 1_500
    test: int = 1_500
    size: int = 64
    seed: int = 0
    shards: int = 8
    sprites: str | Path | None = None
    background: str | Path | None = None
    with_train_masks: bool = False

    def __post_init__(self):
        if self.scene not in SCENES:
            have = ", ".join(SCENES)
            raise ConfigError(f"scene: expected one of {have}, got {self.scene!r}")
        for name, least in _LEAST.items():
            check_at_least(name, getattr(self, name), least)

    def examples(self, split: str) -> int:
        """Return the number of images of a split."""
        return {"train": self.train, "val": self.val, "test": self.test}[split]

    def has_masks(self, split: str) -> bool:
        """Return whether the records of a split hold masks."""
        return split != "train" or self.with_train_masks

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that have images."""
        return tuple(split for split in SPLITS if self.examples(split))


def default_options(**changes: object) -> SceneOptions:
    """Return the thesis's data set (section 5.1.1), with the changes that are given."""
    return SceneOptions(**changes)


def check_at_least(name: str, value: object, least: int) -> None:
    """Raise a `ConfigError` unless `value` is an integer of `least` or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"{name}: expected an integer >= {least}, got {value!r}")
