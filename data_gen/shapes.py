"""What sprites are painted with: shapes as signed distances, and a canvas.

Coordinates run from -1 to 1 across a sprite, y downwards. A distance is negative inside
a shape. Light comes from above left.
"""

import numpy as np

from data_gen.scene import SUPERSAMPLING, Sprite, framed

_OVERSAMPLING = 3
_LIGHT = np.array([-0.45, -0.60, 0.66])


class Canvas:
    """RGBA pixels that shapes are painted on, the later over the earlier."""

    def __init__(self, size: int):
        pixels = size * SUPERSAMPLING * _OVERSAMPLING
        line = (np.arange(pixels) + 0.5) / pixels * 2 - 1
        self.x, self.y = np.meshgrid(line, line)
        self._pixel = 2 / pixels
        self._color = np.zeros((pixels, pixels, 3))
        self._alpha = np.zeros((pixels, pixels, 1))

    def paint(self, distance: np.ndarray, color: np.ndarray | tuple) -> None:
        """Fill a shape; its edge is one pixel soft."""
        cover = np.clip(0.5 - distance / self._pixel, 0, 1)[..., None]
        self._color += cover * (np.asarray(color) - self._color)
        self._alpha += cover * (1 - self._alpha)

    def glint(self, x: float, y: float, radius: float, color: tuple) -> None:
        """Lay a soft highlight on what has been painted."""
        squared = (self.x - x) ** 2 + (self.y - y) ** 2
        share = 0.85 * np.exp(-squared / radius**2)[..., None]
        self._color += share * (np.asarray(color) - self._color)

    def sprite(self, name: str) -> Sprite:
        """Return what was painted, premultiplied, at the scale of sprites."""
        rgba = np.concatenate([self._color * self._alpha, self._alpha * 255], axis=-1)
        fine = Sprite(name, np.rint(rgba).clip(0, 255).astype(np.uint8))
        return framed(name, np.asarray(fine.image.reduce(_OVERSAMPLING)))


def ball(
    x: np.ndarray, y: np.ndarray, width: float, height: float, dark: tuple, lit: tuple
) -> np.ndarray:
    """Return the colors of a lit ellipsoid: `lit` where it faces the light."""
    normal_x, normal_y = x / width, y / height
    normal_z = np.sqrt(np.clip(1 - normal_x**2 - normal_y**2, 0, 1))
    facing = normal_x * _LIGHT[0] + normal_y * _LIGHT[1] + normal_z * _LIGHT[2]
    share = np.clip(0.35 + 0.75 * facing, 0, 1)[..., None]
    return np.asarray(dark) * (1 - share) + np.asarray(lit) * share


def ellipse(
    x: np.ndarray, y: np.ndarray, cx: float, cy: float, width: float, height: float
) -> np.ndarray:
    """Return about the distance to an ellipse with these half-axes."""
    return (np.hypot((x - cx) / width, (y - cy) / height) - 1) * min(width, height)


def join(first: np.ndarray, second: np.ndarray, softness: float) -> np.ndarray:
    """Return the union of two shapes with the seam filled over `softness`."""
    near = np.clip(softness - np.abs(first - second), 0, None)
    return np.minimum(first, second) - near**2 / (4 * softness)


def stroke(
    x: np.ndarray, y: np.ndarray, start: tuple, end: tuple, radius: float
) -> np.ndarray:
    """Return the distance to a line segment with round ends."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = ((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy)
    along = np.clip(along, 0, 1)
    return np.hypot(x - start[0] - along * dx, y - start[1] - along * dy) - radius


def leaf(x: np.ndarray, y: np.ndarray, start: tuple, end: tuple) -> np.ndarray:
    """Return the lens between two points: where two discs overlap."""
    middle = np.add(start, end) / 2
    half = np.subtract(end, start) / 2
    side = np.array([-half[1], half[0]])
    # A disc whose center lies 0.75 half-lengths off passes through both points.
    offset, radius = 0.75, np.hypot(*half) * 1.25
    discs = [
        np.hypot(x - middle[0] - sign * offset * side[0],
                 y - middle[1] - sign * offset * side[1]) - radius
        for sign in (-1, 1)
    ]  # fmt: skip
    return np.maximum(*discs)


def star(
    x: np.ndarray, y: np.ndarray, center: tuple, outer: float, inner: float
) -> np.ndarray:
    """Return a star with five points, one upwards."""
    radius = np.hypot(x - center[0], y - center[1])
    turn = np.arctan2(x - center[0], -(y - center[1])) / (2 * np.pi / 5)
    to_point = 2 * np.abs(turn - np.rint(turn))  # 0 at a point, 1 in a notch
    return radius - (outer + (inner - outer) * to_point)


def box(x: np.ndarray, y: np.ndarray, width: float, height: float) -> np.ndarray:
    """Return about the distance to a rectangle of these half-sides in the middle."""
    return np.maximum(np.abs(x) - width, np.abs(y) - height)


def rhombus(x: np.ndarray, y: np.ndarray, width: float, height: float) -> np.ndarray:
    """Return the distance to a rhombus of these half-diagonals in the middle."""
    area = np.abs(x) * height + np.abs(y) * width - width * height
    return area / np.hypot(width, height)
