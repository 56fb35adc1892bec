"""Every choice that decides what a drawn data set holds."""

import dataclasses
import re
from pathlib import Path

from cirs_tf.errors import ConfigError
from data_gen.scene import SPLITS
from data_gen.scenes import SCENES

_LEAST = {"train": 1, "val": 0, "test": 0, "size": 16, "seed": 0, "shards": 1}
_OBJECTS = re.compile(r"([1-9]\d?)-([1-9]\d?)")


@dataclasses.dataclass(frozen=True)
class SceneOptions:
    """What to draw; two equal options give the same bytes.

    Attributes:
        scene: A name in `data_gen.scenes.SCENES`.
        train: Number of training images, at least 1.
        val: Number of validation images; 0 leaves the split out.
        test: Number of test images; 0 leaves the split out.
        size: Height and width in pixels, at least 16; a multiple of 7 for tetrominoes.
            None is the scene's own: 35 for tetrominoes, 64 for the others.
        seed: Not negative.
        shards: Files a split; a split with fewer images has one file an image.
        sprites: Folder of RGBA PNGs to use in place of the scene's own objects.
        background: An image file, or, as `str`, one of the scene's `backgrounds`, whose
            first is the default, kept as None. Of fruit and twotone: `static`, the same
            sky in every picture, or `shift`, another part of a larger sky in each. Of
            dsprites: `gray` or `color`, drawn for each picture.
        objects: Least and most sprites a picture of dsprites, as `MIN-MAX`.
        with_train_masks: Whether training records hold their masks.

    Raises:
        ConfigError: A value is out of range, or not for this scene.
    """

    scene: str = "fruit"
    train: int = 10_000
    val: int = 1_500
    test: int = 1_500
    size: int | None = None
    seed: int = 0
    shards: int = 8
    sprites: str | Path | None = None
    background: str | Path | None = None
    objects: str | None = None
    with_train_masks: bool = False

    def __post_init__(self):
        if self.scene not in SCENES:
            have = ", ".join(SCENES)
            raise ConfigError(f"scene: expected one of {have}, got {self.scene!r}")
        kind = SCENES[self.scene]
        if self.size is None:
            object.__setattr__(self, "size", kind.default_size)
        for name, least in _LEAST.items():
            check_at_least(name, getattr(self, name), least)
        if self.size % kind.size_step:
            raise ConfigError(
                f"size: expected a multiple of {kind.size_step} for {self.scene}, "
                f"got {self.size}"
            )
        if self.sprites is not None and not kind.takes_images:
            raise ConfigError(f"sprites: {self.scene} draws its own alone")
        self._settle_background()
        self._settle_objects()

    def _settle_background(self):
        names = SCENES[self.scene].backgrounds
        if self.background in names[:1]:
            object.__setattr__(self, "background", None)
        if self.background is None or self.background in names:
            return
        if not SCENES[self.scene].takes_images:
            expected = f"expected {' or '.join(names)}" if names else "has no choice"
            raise ConfigError(
                f"background: {self.scene} {expected}, got {str(self.background)!r}"
            )

    def _settle_objects(self):
        default = SCENES[self.scene].default_objects
        if default is None and self.objects is not None:
            raise ConfigError(f"objects: {self.scene} has no choice of their number")
        if self.objects is None:
            object.__setattr__(self, "objects", default)
        if self.objects is not None:
            least, most = self.objects_range
            if least > most:
                raise ConfigError(f"objects: expected MIN <= MAX, got {self.objects}")

    @property
    def objects_range(self) -> tuple[int, int]:
        """Least and most objects a picture, for scenes that have `objects`."""
        if not (match := _OBJECTS.fullmatch(str(self.objects))):
            raise ConfigError(
                f"objects: expected MIN-MAX, such as 1-4, got {self.objects!r}"
            )
        return int(match[1]), int(match[2])

    @property
    def background_file(self) -> str | Path | None:
        """The image file to use as the background, or None."""
        named = self.background in SCENES[self.scene].backgrounds
        return None if named else self.background

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
