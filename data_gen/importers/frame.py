"""Brings pictures and their masks to one size, both in the same way."""

import dataclasses
import re

import numpy as np
from PIL import Image, ImageOps

from cirs_tf.data.records import IGNORE_LABEL
from cirs_tf.errors import ConfigError

CROP = "crop"
FIT = "fit"

_LEAST = 16


@dataclasses.dataclass(frozen=True)
class Frame:
    """The size that every picture gets, and what is done about its proportions.

    Attributes:
        height: In pixels, at least 16.
        width: In pixels, at least 16.
        how: `crop`: the picture covers the frame, what stands out is cut evenly at both
            ends. `fit`: the whole picture lies in the middle of the frame; its edge is
            repeated around it, where masks get the ignore label.

    Raises:
        ConfigError: A value is out of range.
    """

    height: int
    width: int
    how: str = CROP

    def __post_init__(self):
        if min(self.height, self.width) < _LEAST:
            raise ConfigError(
                f"size: expected at least {_LEAST} pixels a side, "
                f"got {self.height}x{self.width}"
            )
        if self.how not in (CROP, FIT):
            raise ConfigError(f"how: expected {CROP} or {FIT}, got {self.how!r}")

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        """Bring `[h, w, 3]` uint8 to `[height, width, 3]`."""
        framed = self._scaled(pixels, Image.Resampling.BICUBIC)
        return np.pad(framed, (*self._margins(framed), (0, 0)), mode="edge")

    def mask(self, labels: np.ndarray) -> np.ndarray:
        """Bring `[h, w]` uint8 labels to `[height, width]`; no label is made up."""
        framed = self._scaled(labels, Image.Resampling.NEAREST)
        return np.pad(framed, self._margins(framed), constant_values=IGNORE_LABEL)

    def _scaled(self, array: np.ndarray, how: Image.Resampling) -> np.ndarray:
        image = Image.fromarray(array)
        size = (self.width, self.height)
        if self.how == CROP:
            return np.asarray(ImageOps.fit(image, size, how))
        scale = min(self.width / image.width, self.height / image.height)
        fine = (max(1, round(length * scale)) for length in image.size)
        return np.asarray(image.resize(tuple(fine), how))

    def _margins(self, framed: np.ndarray) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return what lacks above and below, left and right."""
        lack = (self.height - framed.shape[0], self.width - framed.shape[1])
        return tuple((one // 2, one - one // 2) for one in lack)


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
