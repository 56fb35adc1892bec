"""From what images have in common to a method, K, a size and a command."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from cirs_tf.advice.image_signs import ImageSigns
from cirs_tf.advice.segment_counts import (
    color_counts,
    feature_counts,
    object_counts,
    outline_counts,
)
from cirs_tf.advice.stability import StableCounts
from cirs_tf.errors import ConfigError
from cirs_tf.methods.registry import METHODS

# Shares from which a sign is there. Sets that were looked at lie far on either side:
# static 0.76 and more or 0.59 and less, flat 0.76 or 0.31, even 0.53 or 0.17, placed
# 0.39 or 0.10, one_line 0.99 (photographs, too) or 0.93.
STATIC, FLAT, EVEN, PLACED, ONE_LINE = 0.68, 0.55, 0.35, 0.2, 0.97
REGIONS = "regions"  # a command, no method
# Below this, halves of the images have little in common.
_STABLE = 0.5


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of images, and what to do with them.

    Attributes:
        name: For people.
        method: The method of the registry, or `REGIONS`.
        size: The least pixels of the shorter side that will do, and the most of the
            longer one.
        count: What counts the kinds of segments; None: there are two segments, or
            none to choose.
        background: Whether the count leaves the background out.
    """

    name: str
    method: str
    size: tuple[int, int]
    count: Callable[[np.ndarray, int], StableCounts] | None = None
    background: bool = False


MICROSCOPE = Kind("two classes that lightness parts", "threshold", (32, 1024))
OUTLINES = Kind(
    "objects before one flat color", "cut_and_paste", (32, 128), outline_counts, True
)
CAMERA = Kind("frames of a fixed camera", "fixed_camera", (96, 480))
STATIC_SCENE = Kind(
    "drawn objects before a background that stands still",
    "cirs_aligned",
    (32, 128),
    object_counts,
    True,
)
COLORED = Kind(
    "drawn objects before a background that moves", "cirs", (32, 128), color_counts
)
SCENES = Kind(
    "photographs of one kind of scene", "deep_clustering", (200, 640), feature_counts
)
PHOTOGRAPHS = Kind("photographs of many kinds", REGIONS, (1, 10_000))


def kind_of(signs: ImageSigns) -> Kind:
    """Return the kind of images that has such signs.

    Args:
        signs: Of the images.
    """
    gray = signs.one_line >= ONE_LINE and signs.placed < PLACED
    if signs.flat >= FLAT:
        return MICROSCOPE if gray else OUTLINES
    if signs.static >= STATIC:
        return STATIC_SCENE if signs.even >= EVEN else CAMERA
    if signs.even >= EVEN:
        return COLORED
    if signs.placed >= PLACED:
        return SCENES
    return MICROSCOPE if gray else PHOTOGRAPHS


def seen(signs: ImageSigns) -> list[str]:
    """Return what was seen, a line for each sign.

    Args:
        signs: Of the images.
    """
    return [
        f"{signs.static:4.0%} of pixels show the most frequent color of their place"
        f" ({'a' if signs.static >= STATIC else 'no'} static background)",
        f"{signs.flat:4.0%} of pixels show the most frequent color of their image"
        f" ({'a' if signs.flat >= FLAT else 'no'} flat background)",
        f"{signs.even:4.0%} of neighboring pixels are equal"
        f" ({'even surfaces' if signs.even >= EVEN else 'photographs'})",
        f"{signs.placed:4.0%} of the variance of colors is a matter of place"
        f" ({'one kind of scene' if signs.placed >= PLACED else 'no fixed layout'})",
        f"{signs.one_line:4.0%} of an image's variance of colors lies along one line"
        f" ({'gray or one hue' if signs.one_line >= ONE_LINE else 'several hues'})",
    ]


@dataclasses.dataclass(frozen=True)
class Segments:
    """How many segments to ask for.

    Attributes:
        chosen: K.
        lowest: Least number that is as stable.
        highest: Largest one.
        stabilities: By K; empty where K is given by the method.
    """

    chosen: int
    lowest: int
    highest: int
    stabilities: dict[int, float]

    @property
    def is_stable(self) -> bool:
        """Whether halves of the images agree."""
        return not self.stabilities or max(self.stabilities.values()) >= _STABLE


def count_segments(kind: Kind, images: np.ndarray, seed: int) -> Segments | str:
    """Return K by stability, or why there is none.

    Args:
        kind: Of the images.
        images: `[images, height, width, 3]` uint8.
        seed: Seed of halves and clusterings.
    """
    if kind.method == REGIONS:
        return "none to choose: regions have levels"
    if kind.count is None:
        return Segments(2, 2, 2, {})
    try:
        found = kind.count(images, seed)
    except (ConfigError, ValueError) as error:
        return str(error)
    more = 1 if kind.background else 0
    by_segments = {k + more: value for k, value in found.stabilities.items()}
    low, high = min(found.counts) + more, max(found.counts) + more
    return Segments(found.chosen + more, low, high, by_segments)


def fitting_size(kind: Kind, height: int, width: int) -> tuple[int, int]:
    """Return the height and width that a data set of this kind should have.

    Args:
        kind: Of the images.
        height: What they have, in pixels.
        width: What they have, in pixels.
    """
    least, largest = kind.size
    scale = 1.0
    if max(height, width) > largest:
        scale = largest / max(height, width)
        if largest <= 128:
            scale /= 2  # 64, as the sets that these methods were measured on
    elif min(height, width) < least:
        scale = least / min(height, width)
    return round(scale * height), round(scale * width)


def summary_of(kind: Kind) -> str:
    """Return one line about the method of a kind."""
    if kind.method in METHODS:
        return METHODS[kind.method].summary
    return "regions of each image by itself; nothing is trained, no class recurs"


def size_flag(size: Sequence[int]) -> str:
    """Return the value of `data_gen --size`."""
    height, width = size
    return str(height) if height == width else f"{height}x{width}"
