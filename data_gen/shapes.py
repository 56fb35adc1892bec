"""Shapes as signed distance functions, and a canvas to paint them on.

`x` and `y` are arrays of one shape: coordinates that run from -1 to 1 across a sprite,
`y` downwards. A signed distance is negative inside the shape. Light comes from the
upper left.
"""

import numpy as np

from data_gen.scene import SUPERSAMPLING, Sprite, pad_sprite

_OVERSAMPLING = 3
_LIGHT = np.array([-0.45, -0.60, 0.66])


class Canvas:
    """RGBA pixels that shapes are painted on, later ones over earlier ones.

    Args:
        size: Height and width of the sprite in pixels of an image.

    Attributes:
        x: Horizontal coordinates of the pixels, `[pixels, pixels]` float64.
        y: Vertical coordinates, downwards, `[pixels, pixels]` float64.
    """

    def __init__(self, size: int):
        pixels = size * SUPERSAMPLING * _OVERSAMPLING
        line = (np.arange(pixels) + 0.5) / pixels * 2 - 1
        self.x, self.y = np.meshgrid(line, line)
        self._pixel = 2 / pixels
        self._color = np.zeros((pixels, pixels, 3))
        self._alpha = np.zeros((pixels, pixels, 1))

    def paint(self, distance: np.ndarray, color: np.ndarray | tuple) -> None:
        """Fill a shape; its edge is anti-aliased over one pixel.

        Args:
            distance: Signed distance to the shape, `[pixels, pixels]`.
            color: RGB in [0, 255], one or `[pixels, pixels, 3]`.
        """
        coverage = np.clip(0.5 - distance / self._pixel, 0, 1)[..., None]
        self._color += coverage * (np.asarray(color) - self._color)
        self._alpha += coverage * (1 - self._alpha)

    def add_highlight(self, x: float, y: float, radius: float, color: tuple) -> None:
        """Blend a Gaussian spot into what has been painted.

        Args:
            x: Horizontal coordinate of the center.
            y: Vertical coordinate of the center.
            radius: Distance at which the spot has 1/e of its strength.
            color: RGB in [0, 255].
        """
        squared = (self.x - x) ** 2 + (self.y - y) ** 2
        weight = 0.85 * np.exp(-squared / radius**2)[..., None]
        self._color += weight * (np.asarray(color) - self._color)

    def sprite(self, name: str) -> Sprite:
        """Return what was painted as a sprite of that class name."""
        rgba = np.concatenate([self._color * self._alpha, self._alpha * 255], axis=-1)
        oversampled = Sprite(name, np.rint(rgba).clip(0, 255).astype(np.uint8))
        return pad_sprite(name, np.asarray(oversampled.image.reduce(_OVERSAMPLING)))


def shade_ellipsoid(
    x: np.ndarray, y: np.ndarray, width: float, height: float, dark: tuple, lit: tuple
) -> np.ndarray:
    """Return the colors of a lit ellipsoid around the origin.

    Args:
        x: Horizontal coordinates.
        y: Vertical coordinates.
        width: Horizontal half-axis.
        height: Vertical half-axis.
        dark: RGB in [0, 255] where the surface faces away from the light.
        lit: RGB where it faces the light.

    Returns:
        `[..., 3]` float64.
    """
    normal_x, normal_y = x / width, y / height
    normal_z = np.sqrt(np.clip(1 - normal_x**2 - normal_y**2, 0, 1))
    facing = normal_x * _LIGHT[0] + normal_y * _LIGHT[1] + normal_z * _LIGHT[2]
    weight = np.clip(0.35 + 0.75 * facing, 0, 1)[..., None]
    return np.asarray(dark) * (1 - weight) + np.asarray(lit) * weight


def ellipse(
    x: np.ndarray, y: np.ndarray, cx: float, cy: float, width: float, height: float
) -> np.ndarray:
    """Return the approximate signed distance to an ellipse.

    Args:
        x: Horizontal coordinates.
        y: Vertical coordinates.
        cx: Horizontal coordinate of the center.
        cy: Vertical coordinate of the center.
        width: Horizontal half-axis.
        height: Vertical half-axis.
    """
    return (np.hypot((x - cx) / width, (y - cy) / height) - 1) * min(width, height)


def smooth_union(first: np.ndarray, second: np.ndarray, softness: float) -> np.ndarray:
    """Return the signed distance to the union of two shapes, with a rounded seam.

    Args:
        first: Signed distance to one shape.
        second: Signed distance to the other.
        softness: Difference of the distances within which the seam is rounded.
    """
    near = np.clip(softness - np.abs(first - second), 0, None)
    return np.minimum(first, second) - near**2 / (4 * softness)


def capsule(
    x: np.ndarray, y: np.ndarray, start: tuple, end: tuple, radius: float
) -> np.ndarray:
    """Return the signed distance to a line segment with round ends.

    Args:
        x: Horizontal coordinates.
        y: Vertical coordinates.
        start: `(x, y)` of one end.
        end: `(x, y)` of the other end.
        radius: Half of the line's width.
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = ((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy)
    along = np.clip(along, 0, 1)
    return np.hypot(x - start[0] - along * dx, y - start[1] - along * dy) - radius


def lens(x: np.ndarray, y: np.ndarray, start: tuple, end: tuple) -> np.ndarray:
    """Return the signed distance to a lens, the overlap of two discs.

    Args:
        x: Horizontal coordinates.
        y: Vertical coordinates.
        start: `(x, y)` of one tip.
        end: `(x, y)` of the other tip.
    """
    center = np.add(start, end) / 2
    half = np.subtract(end, start) / 2
    side = np.array([-half[1], half[0]])
    # A disc whose center lies 0.75 half-lengths off passes through both points.
    offset, radius = 0.75, np.hypot(*half) * 1.25
    discs = [
        np.hypot(x - center[0] - sign * offset * side[0],
                 y - center[1] - sign * offset * side[1]) - radius
        for sign in (-1, 1)
    ]  # fmt: skip
    return np.maximum(*discs)


def star(
    x: np.ndarray, y: np.ndarray, center: tuple, outer: float, inner: float
) -> np.ndarray:
    """Return the approximate signed distance to a star with five points, one upwards.

    Args:
        x: Horizontal coordinates.
        y: Vertical coordinates.
        center: `(x, y)` of the center.
        outer: Radius of the points.
        inner: Radius of the notches.
    """
    radius = np.hypot(x - center[0], y - center[1])
    turn = np.arctan2(x - center[0], -(y - center[1])) / (2 * np.pi / 5)
    to_point = 2 * np.abs(turn - np.rint(turn))  # 0 at a point, 1 in a notch
    return radius - (outer + (inner - outer) * to_point)


def rectangle(x: np.ndarray, y: np.ndarray, width: float, height: float) -> np.ndarray:
    """Return the approximate signed distance to a rectangle around the origin.

    Args:
        x: Horizontal coordinates.
        y: Vertical coordinates.
        width: Half of the width.
        height: Half of the height.
    """
    return np.maximum(np.abs(x) - width, np.abs(y) - height)


def rhombus(x: np.ndarray, y: np.ndarray, width: float, height: float) -> np.ndarray:
    """Return the signed distance to a rhombus around the origin.

    Args:
        x: Horizontal coordinates.
        y: Vertical coordinates.
        width: Half of the horizontal diagonal.
        height: Half of the vertical diagonal.
    """
    area = np.abs(x) * height + np.abs(y) * width - width * height
    return area / np.hypot(width, height)
