"""From what images have in common to a method, K and a size."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

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

# Shares from which a sign is there, between those of the sets that were looked at:
# static 0.81 and more or 0.57 and less, flat 0.76 or 0.32, even 0.62 or 0.15, placed
# 0.36 or 0.09. Of flat sets: one_line 1.00 or 0.87, even 0.82 and more where they are
# drawn or 0.56.
STATIC, FLAT, EVEN, PLACED, ONE_LINE = 0.68, 0.55, 0.35, 0.2, 0.97
DRAWN = 0.7
REGIONS = "regions"  # a command, no method
# Below this, halves of the images have little in common.
_STABLE = 0.5


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of images, and what to do with them.

    Attributes:
        name: For people.
        method: The method of the registry, or `REGIONS`.
        size: The least pixels of the shorter side, which come first, and the most of
            the longer one.
        target: Pixels of the longer side where it has more than that.
        instead: What else it may be, for people; empty: nothing.
        count: What counts the kinds of segments; None: there are two segments, or
            none to choose.
        background: Whether the count leaves the background out.
    """

    name: str
    method: str
    size: tuple[int, int]
    target: int
    count: Callable[[np.ndarray, int], StableCounts] | None = None
    background: bool = False
    instead: str = ""


MICROSCOPE = Kind(
    "objects that lightness tells from their background",
    "threshold",
    (32, 1024),
    1024,
    instead="cut_and_paste, where outlines tell kinds of objects apart",
)
OUTLINES = Kind(
    "objects before one flat color",
    "cut_and_paste",
    (32, 128),
    64,
    outline_counts,
    True,
)
CAMERA = Kind(
    "frames of a fixed camera",
    "fixed_camera",
    (96, 480),
    480,
    instead="cirs_aligned, where objects keep size and colors",
)
STATIC_SCENE = Kind(
    "drawn objects before a background that stands still",
    "cirs_aligned",
    (32, 128),
    64,
    object_counts,
    True,
)
COLORED = Kind(
    "drawn objects before a background that moves",
    "cirs",
    (32, 128),
    64,
    color_counts,
)
SCENES = Kind(
    "photographs of one kind of scene",
    "deep_clustering",
    (200, 640),
    640,
    feature_counts,
)
PHOTOGRAPHS = Kind(
    "photographs of many kinds",
    REGIONS,
    (1, 100_000),
    100_000,
    instead="deep_clustering, if the same things recur in them",
)


def kind_of(signs: ImageSigns, one_size: bool = True) -> Kind:
    """Return the kind of images that has such signs.

    A flat background is looked for first: where it is the same color in all images, it
    is static as well. Then a static one, then drawn images, then a layout.

    Args:
        signs: Of the images.
        one_size: Whether the files have one size; else places in them do not
            correspond, and nothing is static.

    Returns:
        The first kind that fits.
    """
    if signs.flat >= FLAT:
        gray = signs.one_line >= ONE_LINE and signs.even < DRAWN
        return MICROSCOPE if gray else OUTLINES
    if one_size and signs.static >= STATIC:
        return STATIC_SCENE if signs.even >= EVEN else CAMERA
    if signs.even >= EVEN:
        return COLORED
    return SCENES if signs.placed >= PLACED else PHOTOGRAPHS


def seen(signs: ImageSigns) -> list[str]:
    """Return what was seen, a line for each sign.

    Args:
        signs: Of the images.

    Returns:
        Figure, meaning, and in brackets what it is taken for.
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
        others: Other numbers that are as stable, in order.
        stabilities: By K; empty where K is given by the method.
    """

    chosen: int
    others: tuple[int, ...] = ()
    stabilities: Mapping[int, float] = dataclasses.field(default_factory=dict)

    @property
    def is_stable(self) -> bool:
        """Whether halves of the images agree."""
        return not self.stabilities or max(self.stabilities.values()) >= _STABLE


def count_segments(kind: Kind, images: np.ndarray, seed: int) -> Segments | str:
    """Return K by stability, or why there is none.

    Args:
        kind: Of the images.
        images: `[images, height, width, 3]` uint8.
        seed: Seed of halves and clusterings, 0 or more.

    Returns:
        The segments, or one line.
    """
    if kind.method == REGIONS:
        return "none to choose: regions have levels"
    if kind.count is None:
        return Segments(2)
    try:
        found = kind.count(images, seed)
    except (ConfigError, ValueError) as error:
        return f"not counted: {error}"
    more = 1 if kind.background else 0
    others = tuple(k + more for k in found.counts if k != found.chosen)
    by_segments = {k + more: value for k, value in found.stabilities.items()}
    return Segments(found.chosen + more, others, by_segments)


def fitting_size(kind: Kind, height: int, width: int) -> tuple[int, int]:
    """Return the height and width that a data set of this kind should have.

    Args:
        kind: Of the images.
        height: What they have, in pixels.
        width: What they have, in pixels.

    Returns:
        The same where it fits; else the same proportions, rounded.
    """
    least, most = kind.size
    scale = kind.target / max(height, width) if max(height, width) > most else 1.0
    scale = max(scale, least / min(height, width))
    return max(1, round(scale * height)), max(1, round(scale * width))


def summary_of(kind: Kind) -> str:
    """Return one line about the method of a kind.

    Args:
        kind: Of the images.
    """
    if kind.method in METHODS:
        return METHODS[kind.method].summary
    return "regions of each image by itself; nothing is trained, no class recurs"


def size_flag(size: Sequence[int]) -> str:
    """Return the value of `data_gen --size`.

    Args:
        size: Height and width in pixels.
    """
    height, width = size
    return str(height) if height == width else f"{height}x{width}"
