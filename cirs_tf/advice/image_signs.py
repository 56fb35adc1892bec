"""Five shares that tell kinds of unlabeled images apart."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from cirs_tf.proposals.backgrounds import (
    DIFFERS,
    flat_background_colors,
    static_background,
)

_SAME_IMAGE = 10  # of 255, in every channel
_COARSE = 96  # pixels of the longer side that backgrounds are looked for at


@dataclasses.dataclass(frozen=True)
class ImageSigns:
    """Shares in [0, 1].

    Attributes:
        static: Of pixels that show the most frequent color of their place.
        flat: Of pixels that show the most frequent color of their image; mean.
        even: Of neighboring pixels that are equal, median over images: high in drawn
            images, low in photographs.
        placed: Of the variance of colors that places explain: high where the same
            things keep to the same place, as the sky above a street.
        one_line: Of the variance of an image's colors along their main direction,
            median: 1 in gray images and in those of one stain.
    """

    static: float
    flat: float
    even: float
    placed: float
    one_line: float


def image_signs(images: np.ndarray, crops: Sequence[np.ndarray]) -> ImageSigns:
    """Measure the signs of images.

    Args:
        images: `[images, height, width, 3]` uint8, two or more.
        crops: Parts of the same, each `[rows, columns, 3]` uint8, as they were before
            they were resized to one size.

    Returns:
        The signs.

    Example:
        A bright square that moves in front of black.

        >>> images = np.zeros((8, 16, 16, 3), np.uint8)
        >>> for index, image in enumerate(images):
        ...     image[4:8, index : index + 4] = 200
        >>> signs = image_signs(images, images)
        >>> signs.static > 0.9, signs.flat > 0.9, round(signs.one_line, 3)
        (True, True, 1.0)
    """
    coarse = _shrink(images)
    scaled = np.float32(coarse / 255)
    background = static_background(scaled, DIFFERS)
    at_place = np.square(scaled - background).sum(axis=-1) < DIFFERS
    # One image in so many has the background's color because it is taken from it.
    count = len(images)
    static = (at_place.mean() * count - 1) / (count - 1)
    colors = flat_background_colors(np.uint8(coarse + 0.5)).astype(np.float64)
    differences = np.abs(coarse - colors[:, None, None]).max(axis=-1)
    variance = coarse.var(axis=(0, 1, 2)).sum()
    by_place = coarse.mean(axis=0).var(axis=(0, 1)).sum()
    # What so many images of unrelated places would show by chance.
    by_chance = variance / count
    placed = (by_place - by_chance) / variance if variance else 1.0
    return ImageSigns(
        static=float(static),
        flat=float((differences <= _SAME_IMAGE).mean()),
        even=float(np.median([_equal_neighbors(image) for image in crops])),
        placed=float(max(placed, 0.0)),
        one_line=float(np.median([_share_of_main_direction(one) for one in coarse])),
    )


def _shrink(images: np.ndarray) -> np.ndarray:
    """Return means over squares, so that the longer side has about 96 pixels."""
    count, height, width = images.shape[:3]
    side = max(1, round(max(height, width) / _COARSE))
    side = min(side, height, width)
    rows, columns = height // side, width // side
    cut = images[:, : rows * side, : columns * side]
    return cut.reshape(count, rows, side, columns, side, 3).mean(axis=(2, 4))


def _equal_neighbors(image: np.ndarray) -> float:
    return float((image[:, 1:] == image[:, :-1]).all(axis=-1).mean())


def _share_of_main_direction(image: np.ndarray) -> float:
    variances = np.linalg.eigvalsh(np.cov(image.reshape(-1, 3).T))
    total = variances.sum()
    return float(variances[-1] / total) if total > 0 else 1.0
