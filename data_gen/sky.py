"""Draws the sky: a blue gradient with white clouds, always the same."""

import numpy as np
from PIL import Image

# Each cloud is a heap of puffs: center x and y, and radius, relative to the image.
CLOUDS = (
    ((0.10, 0.25, 0.055), (0.17, 0.21, 0.080), (0.26, 0.18, 0.100), (0.35, 0.22, 0.075),
     (0.42, 0.25, 0.050), (0.22, 0.25, 0.070), (0.31, 0.26, 0.065)),
    ((0.62, 0.49, 0.055), (0.69, 0.45, 0.085), (0.79, 0.41, 0.110), (0.89, 0.46, 0.080),
     (0.96, 0.50, 0.050), (0.75, 0.50, 0.070), (0.84, 0.50, 0.070)),
    ((0.12, 0.79, 0.060), (0.20, 0.75, 0.085), (0.30, 0.71, 0.105), (0.41, 0.75, 0.085),
     (0.50, 0.79, 0.055), (0.26, 0.79, 0.070), (0.36, 0.79, 0.070)),
    ((0.74, 0.10, 0.035), (0.80, 0.08, 0.050), (0.87, 0.10, 0.035)),
    ((0.73, 0.90, 0.045), (0.81, 0.87, 0.065), (0.90, 0.90, 0.045)),
)  # fmt: skip
_ZENITH = np.array([38.0, 104.0, 205.0])
_HORIZON = np.array([150.0, 203.0, 247.0])
_SUNLIT = np.array([255.0, 255.0, 255.0])
_UNDERSIDE = np.array([205.0, 218.0, 236.0])
_OVERSAMPLING = 4
# The higher, the more each puff keeps an outline of its own within its cloud.
_SHARPNESS = 9.0


def draw_sky(size: int) -> np.ndarray:
    """Draw the static sky.

    Args:
        size: Height and width in pixels.

    Returns:
        `[size, size, 3]` uint8.
    """
    x, y = supersampled_grid(size, 1)
    color = clear_sky(y)
    for cloud in CLOUDS:
        add_cloud(color, cloud, x, y)
    return downsample(color)


def supersampled_grid(size: int, images: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates of the points that a sky is computed at.

    Args:
        size: Height and width of an image in pixels.
        images: Height and width of the sky, in images.

    Returns:
        `x` and `y`, each `[points, points]` float64 in [0, images]; 1 is the width of
        one image.
    """
    points = size * _OVERSAMPLING
    line = (np.arange(images * points) + 0.5) / points
    return np.meshgrid(line, line)


def clear_sky(depth: np.ndarray) -> np.ndarray:
    """Return the colors of a sky without clouds.

    Args:
        depth: 0 at the upper edge to 1 at the lower edge, of any shape.

    Returns:
        `[..., 3]` float64 RGB in [0, 255].
    """
    return _blend(_ZENITH, _HORIZON, depth**0.8)


def add_cloud(color: np.ndarray, cloud: tuple, x: np.ndarray, y: np.ndarray) -> None:
    """Paint a cloud over a sky.

    Args:
        color: `[..., 3]` float64 RGB in [0, 255]; changed in place.
        cloud: Center x, center y and radius of each puff.
        x: Horizontal coordinates of the points, `[...]`.
        y: Vertical coordinates, downwards, `[...]`.
    """
    thickness = _thickness(cloud, x, y)
    coverage = _smooth_step(-0.12, 0.40, thickness)
    upper = min(cy - radius for _, cy, radius in cloud)
    lower = max(cy + radius for _, cy, radius in cloud)
    depth = np.clip((y - upper) / (lower - upper), 0, 1)
    shade = _blend(_SUNLIT, _UNDERSIDE, depth**2)
    color += coverage[..., None] * (shade - color)


def downsample(color: np.ndarray) -> np.ndarray:
    """Average colors at the points of a `supersampled_grid` to uint8 pixels."""
    image = Image.fromarray(np.rint(color).astype(np.uint8))
    return np.asarray(image.reduce(_OVERSAMPLING))


def _thickness(cloud: tuple, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the depth of each point in a smooth union of puffs, in puff radii."""
    base = max(cy for _, cy, _ in cloud)
    # Puffs reach less far down than up: clouds have a flat base.
    stretch = np.where(y > base, 2.2, 1.0)
    total = np.zeros_like(x)
    for cx, cy, radius in cloud:
        depth = 1 - np.hypot(x - cx, (y - cy) * stretch) / radius
        total += np.exp(_SHARPNESS * depth)
    # Far away the sum is too small for a float.
    return np.log(np.maximum(total, np.finfo(float).tiny)) / _SHARPNESS


def _smooth_step(low: float, high: float, value: np.ndarray) -> np.ndarray:
    weight = np.clip((value - low) / (high - low), 0, 1)
    return weight * weight * (3 - 2 * weight)


def _blend(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return first + weight[..., None] * (second - first)
