"""Options of an imported data set: everything but the files that decides its bytes.

This module imports no TensorFlow, so that the command's help appears at once.
"""

import dataclasses
import re
from pathlib import Path

from cirs_tf.errors import ConfigError
from data_gen.options import check_minimum

CROP = "crop"
FIT = "fit"
# Height and width of every image of BSDS500, or the other way round.
BSDS_IMAGE_SIZE = (321, 481)

_MIN_SIDE = 16
_MAX_CLASSES = 255  # label 255 marks pixels to ignore
_DEFAULT_FRACTION = 0.1


@dataclasses.dataclass(frozen=True)
class Frame:
    """The size that every image gets, and how it gets it.

    Attributes:
        height: In pixels, at least 16.
        width: In pixels, at least 16.
        how: `crop`: the image covers the frame, and what exceeds it is cropped evenly
            at both ends. `fit`: the whole image lies in the middle of the frame; its
            edge pixels are repeated around it, where masks get the ignore label.

    Raises:
        ConfigError: A value is out of range.
    """

    height: int
    width: int
    how: str = CROP

    def __post_init__(self):
        if min(self.height, self.width) < _MIN_SIDE:
            raise ConfigError(
                f"size: expected at least {_MIN_SIDE} pixels per side, "
                f"got {self.height}x{self.width}"
            )
        if self.how not in (CROP, FIT):
            raise ConfigError(f"how: expected {CROP} or {FIT}, got {self.how!r}")


def parse_size(text: str) -> tuple[int, int]:
    """Return height and width from `64` or `48x64`.

    Raises:
        ConfigError: It is neither.
    """
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
    if match is None:
        raise ConfigError(
            f"size: expected PIXELS or HEIGHTxWIDTH such as 64 or 48x64, got {text!r}"
        )
    return int(match[1]), int(match[2] or match[1])


@dataclasses.dataclass(frozen=True)
class ImageOptions:
    """Options of a data set made from a folder or zip of images.

    Attributes:
        images: Folder or zip of images.
        frame: The size they get.
        masks: Folder or zip of their masks, or None.
        test_images: Folder or zip with the test split, or None. If given, no image of
            `images` is tested on.
        test_masks: Folder or zip with the masks of `test_images`, or None.
        val: Fraction of `images` for validation; 0 leaves the split out.
        test: Fraction of `images` for testing. None stands for 0.1, or for 0 with
            `test_images`.
        seed: Decides which image belongs to which split; at least 0.
        shards: Files per split. A split with fewer images has one file per image.
        classes: Names of the labels in the masks. Empty: `class 0`, `class 1`, ...
        with_train_masks: Whether training records hold their masks.
        strict: Whether an image that cannot be read is an error; otherwise it is left
            out.

    Raises:
        ConfigError: A value is out of range, or does not go with another.
    """

    images: str | Path
    frame: Frame
    masks: str | Path | None = None
    test_images: str | Path | None = None
    test_masks: str | Path | None = None
    val: float = _DEFAULT_FRACTION
    test: float | None = None
    seed: int = 0
    shards: int = 8
    classes: tuple[str, ...] = ()
    with_train_masks: bool = False
    strict: bool = False

    def __post_init__(self):
        check_minimum("seed", self.seed, 0)
        check_minimum("shards", self.shards, 1)
        if self.test_images is not None and self.test:
            raise ConfigError("test: expected no fraction together with test_images")
        if self.test_masks is not None and self.test_images is None:
            raise ConfigError("test_masks: expected test_images too")
        self._check_fractions()
        self._check_classes()

    def _check_fractions(self):
        for name, fraction in (("val", self.val), ("test", self.test_fraction)):
            if not 0 <= fraction < 1:
                raise ConfigError(
                    f"{name}: expected a fraction from 0 to below 1, got {fraction!r}"
                )
        if self.val + self.test_fraction >= 1:
            raise ConfigError(
                f"val, test: expected less than 1 together, got {self.val} and "
                f"{self.test_fraction}: nothing is left for training"
            )

    def _check_classes(self):
        if self.masks is None and self.with_train_masks:
            raise ConfigError("with_train_masks: expected masks too")
        if self.classes and self.masks is None and self.test_masks is None:
            raise ConfigError("classes: expected masks too; they name their labels")
        names = set(self.classes)
        if len(names) < len(self.classes) or "" in names or len(names) > _MAX_CLASSES:
            raise ConfigError(
                f"classes: expected at most {_MAX_CLASSES} different names, "
                f"got {','.join(self.classes)}"
            )

    @property
    def test_fraction(self) -> float:
        """Fraction of `images` for testing."""
        if self.test is not None:
            return self.test
        return 0 if self.test_images is not None else _DEFAULT_FRACTION


@dataclasses.dataclass(frozen=True)
class BsdsOptions:
    """Options of a data set made from BSDS500.

    Attributes:
        source: The folder or zip of BSDS500.
        whole: Whole images, 321 x 481, instead of patches. Upright ones are rotated by
            90 degrees counterclockwise, with their segmentations.
        patch: Height and width of a patch, 16 to 321 pixels.
        train_patches: Patches per training image, anywhere in it.
        val_patches: Patches per validation or test image.
        seed: Decides where the patches lie; at least 0.
        shards: Files per split.
        with_train_masks: Whether training records hold their segmentations.

    Raises:
        ConfigError: A value is out of range.
    """

    source: str | Path
    whole: bool = False
    patch: int = 64
    train_patches: int = 50
    val_patches: int = 5
    seed: int = 0
    shards: int = 8
    with_train_masks: bool = False

    def __post_init__(self):
        for name, minimum in {
            "patch": _MIN_SIDE,
            "train_patches": 1,
            "val_patches": 1,
            "seed": 0,
            "shards": 1,
        }.items():
            check_minimum(name, getattr(self, name), minimum)
        largest = min(BSDS_IMAGE_SIZE)
        if self.patch > largest:
            raise ConfigError(f"patch: expected at most {largest}, got {self.patch}")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of every record."""
        return BSDS_IMAGE_SIZE if self.whole else (self.patch, self.patch)

    def records_per_image(self, split: str) -> int:
        """Return the number of records made from each image of a split."""
        if self.whole:
            return 1
        return self.train_patches if split == "train" else self.val_patches

    def has_segmentations(self, split: str) -> bool:
        """Return whether the records of a split hold segmentations."""
        return split != "train" or self.with_train_masks


@dataclasses.dataclass(frozen=True)
class Cifar10Options:
    """Options of a data set made from CIFAR-10.

    Attributes:
        val: Number of training images that are used for validation instead.
        seed: Decides which; at least 0.
        shards: Files per split.

    Raises:
        ConfigError: A value is out of range.
    """

    val: int = 1_000
    seed: int = 0
    shards: int = 8

    def __post_init__(self):
        check_minimum("val", self.val, 1)
        check_minimum("seed", self.seed, 0)
        check_minimum("shards", self.shards, 1)
