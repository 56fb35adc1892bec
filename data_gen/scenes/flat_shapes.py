"""The three shapes of dSprites as formulas, and the pixels that they cover.

The origin is the point that a shape rotates about; `u` points right, `v` up, and at
scale 1 the image is one unit wide. dSprites gives no formulas: sizes are close to those
of its images, and the three areas are about equal.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

# Test points along each axis of a pixel.
_OVERSAMPLING = 4

_SQUARE_HALF_SIDE = 9 / 64
_ELLIPSE_HALF_AXES = (13 / 64, 8 / 64)
_HEART_UNIT = 10.5 / 64
# The heart's curve reaches from -1 to 1.236 in v. It rotates about the center of its
# smallest enclosing circle, whose radius is 1.25.
_HEART_CENTER, _HEART_RADIUS = 0.25, 1.25


@dataclasses.dataclass(frozen=True)
class Shape:
    """One shape.

    Attributes:
        name: Class name.
        contains: Takes `u` and `v`, arrays of one shape; returns booleans, true inside.
        radius: Distance of the farthest point from the origin.
    """

    name: str
    contains: Callable[[np.ndarray, np.ndarray], np.ndarray]
    radius: float


def in_square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return where a point is in the square: `max(|u|, |v|) <= 9/64`."""
    return np.maximum(np.abs(u), np.abs(v)) <= _SQUARE_HALF_SIDE


def in_ellipse(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return where a point is in the ellipse: `(u 64/13)^2 + (v 64/8)^2 <= 1`."""
    return (u / _ELLIPSE_HALF_AXES[0]) ** 2 + (v / _ELLIPSE_HALF_AXES[1]) ** 2 <= 1


def in_heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return where a point is in the heart, tip down: `(a^2 + b^2 - 1)^3 <= a^2 b^3`.

    Here `a = u 64/10.5` and `b = v 64/10.5 + 0.25`.
    """
    a, b = u / _HEART_UNIT, v / _HEART_UNIT + _HEART_CENTER
    squared = a * a
    rest = squared + b * b - 1
    return rest * rest * rest <= squared * b * b * b


SHAPES = (
    Shape("square", in_square, math.sqrt(2) * _SQUARE_HALF_SIDE),
    Shape("ellipse", in_ellipse, _ELLIPSE_HALF_AXES[0]),
    Shape("heart", in_heart, _HEART_RADIUS * _HEART_UNIT),
)


def pixel_coverage(
    shape: Shape, x: float, y: float, unit: float, angle: float, size: int
) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Return the fraction of each pixel that a shape covers.

    Args:
        shape: One of `SHAPES`.
        x: Column of its origin, in pixels.
        y: Row of its origin, in pixels, downwards.
        unit: Length of a unit of `u` and `v`, in pixels.
        angle: Clockwise, in radians.
        size: Height and width of the image, in pixels.

    Returns:
        `[rows, columns]` float32 in [0, 1], in steps of 1/16, of the part inside the
        image; and the slices of the image that it belongs to.
    """
    radius = shape.radius * unit
    top, left = (max(math.floor(center - radius), 0) for center in (y, x))
    bottom, right = (min(math.ceil(center + radius), size) for center in (y, x))
    rows, columns = max(bottom - top, 0), max(right - left, 0)
    down = top + (np.arange(rows * _OVERSAMPLING) + 0.5) / _OVERSAMPLING - y
    across = left + (np.arange(columns * _OVERSAMPLING) + 0.5) / _OVERSAMPLING - x
    cosine, sine = math.cos(angle) / unit, math.sin(angle) / unit
    # The inverse rotation with y pointing down, then flipped: v points up.
    u = cosine * across[None] + sine * down[:, None]
    v = sine * across[None] - cosine * down[:, None]
    inside = shape.contains(u, v).reshape(rows, _OVERSAMPLING, columns, _OVERSAMPLING)
    coverage = inside.sum(axis=(1, 3), dtype=np.float32) / _OVERSAMPLING**2
    return coverage, (slice(top, top + rows), slice(left, left + columns))
