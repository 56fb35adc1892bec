"""Options of a drawn data set: everything that decides its bytes."""

import dataclasses
import re
from pathlib import Path

from cirs_tf.errors import ConfigError
from data_gen.scene import SPLITS
from data_gen.scenes import SCENES

_MINIMA = {"train": 1, "val": 0, "test": 0, "size": 16, "seed": 0, "shards": 1}
_OBJECTS = re.compile(r"([1-9]\d?)-([1-9]\d?)")
_RENAMED_BACKGROUNDS = {"grey": "gray", "colour": "color"}


@dataclasses.dataclass(frozen=True)
class SceneOptions:
    """Options of a drawn data set; equal options give equal bytes.

    Attributes:
        scene: A name in `data_gen.scenes.SCENES`.
        train: Number of training images, at least 1.
        val: Number of validation images; 0 leaves the split out.
        test: Number of test images; 0 leaves the split out.
        size: Height and width in pixels, at least 16; a multiple of 7 for tetrominoes.
            None stands for the scene's default: 35 for tetrominoes, 64 for the others.
        seed: Seed of all random choices, at least 0.
        shards: Files per split. A split with fewer images has one file per image.
        sprites: Folder of RGBA PNGs to use in place of the scene's own objects.
        background: A path to an image, or, as `str`, one of the scene's `backgrounds`,
            whose first is the default and is stored as None. For fruit and twotone:
            `static`, the same sky in every image, or `shift`, another part of a larger
            sky in each. For dsprites: `gray` or `color`, drawn anew for each image.
        objects: Minimum and maximum number of sprites per image of dsprites, as
            `MIN-MAX`.
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
            names = ", ".join(SCENES)
            raise ConfigError(f"scene: expected one of {names}, got {self.scene!r}")
        scene_class = SCENES[self.scene]
        if self.size is None:
            object.__setattr__(self, "size", scene_class.default_size)
        for name, minimum in _MINIMA.items():
            check_minimum(name, getattr(self, name), minimum)
        if self.size % scene_class.size_multiple:
            raise ConfigError(
                f"size: expected a multiple of {scene_class.size_multiple} for "
                f"{self.scene}, got {self.size}"
            )
        if self.sprites is not None and not scene_class.accepts_images:
            raise ConfigError(f"sprites: {self.scene} draws its own alone")
        self._resolve_background()
        self._resolve_objects()

    def _resolve_background(self):
        scene_class = SCENES[self.scene]
        names = scene_class.backgrounds
        if self.background in names[:1]:
            object.__setattr__(self, "background", None)
        if self.background is None or self.background in names:
            return
        if scene_class.accepts_images:
            return
        new_name = _RENAMED_BACKGROUNDS.get(str(self.background))
        if new_name in names:
            raise ConfigError(
                f"background: {str(self.background)!r} is now called {new_name!r}"
            )
        expected = f"expected {' or '.join(names)}" if names else "has no choice"
        raise ConfigError(
            f"background: {self.scene} {expected}, got {str(self.background)!r}"
        )

    def _resolve_objects(self):
        default = SCENES[self.scene].default_objects
        if default is None and self.objects is not None:
            raise ConfigError(f"objects: {self.scene} has no choice of their number")
        if self.objects is None:
            object.__setattr__(self, "objects", default)
        if self.objects is not None:
            minimum, maximum = self.objects_range
            if minimum > maximum:
                raise ConfigError(f"objects: expected MIN <= MAX, got {self.objects}")

    @property
    def objects_range(self) -> tuple[int, int]:
        """Minimum and maximum number of objects per image, where `objects` is set."""
        if not (match := _OBJECTS.fullmatch(str(self.objects))):
            raise ConfigError(
                f"objects: expected MIN-MAX, such as 1-4, got {self.objects!r}"
            )
        return int(match[1]), int(match[2])

    @property
    def background_file(self) -> str | Path | None:
        """The image file to use as the background, or None."""
        is_name = self.background in SCENES[self.scene].backgrounds
        return None if is_name else self.background

    def num_examples(self, split: str) -> int:
        """Return the number of images of a split."""
        return {"train": self.train, "val": self.val, "test": self.test}[split]

    def has_masks(self, split: str) -> bool:
        """Return whether the records of a split hold masks."""
        return split != "train" or self.with_train_masks

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that have images."""
        return tuple(split for split in SPLITS if self.num_examples(split))


def default_options(**changes: object) -> SceneOptions:
    """Return the options of the thesis's data set (5.1.1), with changes.

    Args:
        **changes: Attributes of `SceneOptions` that differ.

    Example:
        >>> default_options(scene="dsprites", train=200).objects
        '1-4'
    """
    return SceneOptions(**changes)


def check_minimum(name: str, value: object, minimum: int) -> None:
    """Raise a `ConfigError` unless a value is an integer and large enough.

    Args:
        name: What the error calls it.
        value: The value to check.
        minimum: The smallest value allowed.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ConfigError(f"{name}: expected an integer >= {minimum}, got {value!r}")
