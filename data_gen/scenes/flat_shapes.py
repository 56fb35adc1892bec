"""The three shapes of dSprites as formulas, and how much of each pixel one covers.

Coordinates `u` to the right and `v` upwards are shares of the picture's side, at scale
1, from the point that the shape turns about. dSprites gives no formulas; sizes are
about those of its pictures, and the three areas are about equal.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

# Points along each axis of a pixel at which a shape is tested.
_OVERSAMPLING = 4

_SQUARE = 9 / 64  # half of the side
_ELLIPSE = (13 / 64, 8 / 64)  # half-axes
_HEART = 10.5 / 64  # length of a unit of its curve
# The heart's curve reaches from -1 to 1.236 in v; it turns about the middle of the
# smallest circle around it, of radius 1.25.
_HEART_MIDDLE, _HEART_RADIUS = 0.25, 1.25


@dataclasses.dataclass(frozen=True)
class Shape:
    """One shape.

    Attributes:
        name: Class name.
        contains: Takes `u` and `v`, arrays of one shape; returns which points are
            inside, as booleans.
        radius: Distance of its farthest point from the middle.
    """

    name: str
    contains: Callable[[np.ndarray, np.ndarray], np.ndarray]
    radius: float


def in_square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """`max(|u|, |v|) <= 9/64`."""
    return np.maximum(np.abs(u), np.abs(v)) <= _SQUARE


def in_ellipse(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """`(u / (13/64))^2 + (v / (8/64))^2 <= 1`: lying."""
    return (u / _ELLIPSE[0]) ** 2 + (v / _ELLIPSE[1]) ** 2 <= 1


def in_heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """`(a^2 + b^2 - 1)^3 <= a^2 b^3`, `a` and `b` in units of 10.5/64: tip down."""
    a, b = u / _HEART, v / _HEART + _HEART_MIDDLE
    squared = a * a
    rest = squared + b * b - 1
    return rest * rest * rest <= squared * b * b * b


SHAPES = (
    Shape("square", in_square, math.sqrt(2) * _SQUARE),
    Shape("ellipse", in_ellipse, _ELLIPSE[0]),
    Shape("heart", in_heart, _HEART_RADIUS * _HEART),
)


def cover(
    shape: Shape, x: float, y: float, pixels: float, angle: float, size: int
) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Return the share of each pixel that a shape covers.

    Args:
        shape: One of `SHAPES`.
        x: Column of its middle, in pixels.
        y: Row of its middle, in pixels, downwards.
        pixels: Length of a unit of `u` and `v`.
        angle: Radians, clockwise as seen.
        size: Height and width of the picture; what stands out is cut.

    Returns:
        `[rows, columns]` float32 in [0, 1], in steps of 1/16, and where they are in the
        picture.
    """
    radius = shape.radius * pixels
    top, left = (max(math.floor(middle - radius), 0) for middle in (y, x))
    bottom, right = (min(math.ceil(middle + radius), size) for middle in (y, x))
    rows, columns = max(bottom - top, 0), max(right - left, 0)
    down = top + (np.arange(rows * _OVERSAMPLING) + 0.5) / _OVERSAMPLING - y
    across = left + (np.arange(columns * _OVERSAMPLING) + 0.5) / _OVERSAMPLING - x
    cosine, sine = math.cos(angle) / pixels, math.sin(angle) / pixels
    # The turn backwards, y pointing down, then v pointing up.
    u = cosine * across[None] + sine * down[:, None]
    v = sine * across[None] - cosine * down[:, None]
    inside = shape.contains(u, v).reshape(rows, _OVERSAMPLING, columns, _OVERSAMPLING)
    share = inside.sum(axis=(1, 3), dtype=np.float32) / _OVERSAMPLING**2
    return share, (slice(top, top + rows), slice(left, left + columns))
