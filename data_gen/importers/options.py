"""Every choice that decides what an imported set of pictures holds."""

import dataclasses
from pathlib import Path

from cirs_tf.data.records import IGNORE_LABEL
from cirs_tf.errors import ConfigError
from data_gen.importers.frame import Frame
from data_gen.options import check_at_least

_VAL = _TEST = 0.1


@dataclasses.dataclass(frozen=True)
class ImageOptions:
    """What to import, and how.

    Attributes:
        images: Folder or zip of pictures.
        frame: The size they get.
        masks: Folder or zip of their masks, or None.
        test_images: Folder or zip with the test split. Then `images` gives no test
            pictures.
        test_masks: Folder or zip with its masks, or None.
        val: Fraction of `images` for validation; 0 leaves the split out.
        test: Fraction of `images` for testing; None: 0.1, or 0 with `test_images`.
        seed: Decides which picture goes where; not negative.
        shards: Files a split; a split with fewer pictures has one file a picture.
        classes: Names of the labels in the masks; empty: `class 0`, `class 1`, ...
        with_train_masks: Whether training records hold their masks.
        strict: Whether a picture that cannot be read is an error. Else it is left out.

    Raises:
        ConfigError: A value is out of range, or does not go with another.
    """

    images: str | Path
    frame: Frame
    masks: str | Path | None = None
    test_images: str | Path | None = None
    test_masks: str | Path | None = None
    val: float = _VAL
    test: float | None = None
    seed: int = 0
    shards: int = 8
    classes: tuple[str, ...] = ()
    with_train_masks: bool = False
    strict: bool = False

    def __post_init__(self):
        check_at_least("seed", self.seed, 0)
        check_at_least("shards", self.shards, 1)
        if self.test_images is not None and self.test:
            raise ConfigError("test: expected no fraction together with test_images")
        if self.test_masks is not None and self.test_images is None:
            raise ConfigError("test_masks: expected test_images too")
        for name, value in (("val", self.val), ("test", self.test_fraction)):
            if not 0 <= value < 1:
                raise ConfigError(
                    f"{name}: expected a fraction from 0 to below 1, got {value!r}"
                )
        if self.val + self.test_fraction >= 1:
            raise ConfigError(
                f"val, test: expected less than 1 together, got {self.val} and "
                f"{self.test_fraction}: nothing is left for training"
            )
        if self.masks is None and self.with_train_masks:
            raise ConfigError("with_train_masks: expected masks too")
        if self.classes and self.masks is None and self.test_masks is None:
            raise ConfigError("classes: expected masks too; they name their labels")
        names = set(self.classes)
        if len(names) < len(self.classes) or "" in names or len(names) > IGNORE_LABEL:
            raise ConfigError(
                f"classes: expected at most {IGNORE_LABEL} different names, "
                f"got {','.join(self.classes)}"
            )

    @property
    def test_fraction(self) -> float:
        """Fraction of `images` for testing."""
        if self.test is not None:
            return self.test
        return 0 if self.test_images is not None else _TEST
