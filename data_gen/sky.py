"""Draws the sky: blue above, pale below, with white clouds. No randomness."""

import numpy as np
from PIL import Image

# Each cloud is a heap of puffs: center x and y, and radius, in shares of the picture.
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
# The higher, the more each puff keeps its own outline within its cloud.
_SHARPNESS = 9.0


def draw_sky(size: int) -> np.ndarray:
    """Return the sky, the same at every call.

    Args:
        size: Height and width in pixels.

    Returns:
        `[size, size, 3]` uint8.
    """
    x, y = fine_grid(size, 1)
    color = clear_sky(y)
    for cloud in CLOUDS:
        add_cloud(color, cloud, x, y)
    return reduced(color)


def fine_grid(size: int, pictures: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `x` and `y` of the points that a sky is computed at.

    Args:
        size: Height and width of a picture in pixels.
        pictures: How many pictures the sky is high and wide.

    Returns:
        Two `[fine, fine]` float64 in [0, pictures], in shares of one picture.
    """
    fine = size * _OVERSAMPLING
    line = (np.arange(pictures * fine) + 0.5) / fine
    return np.meshgrid(line, line)


def clear_sky(share: np.ndarray) -> np.ndarray:
    """Return the colors without clouds; `share` is 0 above and 1 below."""
    return _blend(_ZENITH, _HORIZON, share**0.8)


def add_cloud(color: np.ndarray, cloud: tuple, x: np.ndarray, y: np.ndarray) -> None:
    """Lay a cloud, puffs of center x and y and radius, over `[..., 3]` colors."""
    thickness = _thickness(cloud, x, y)
    cover = _smooth_step(-0.12, 0.40, thickness)
    upper = min(cy - radius for _, cy, radius in cloud)
    lower = max(cy + radius for _, cy, radius in cloud)
    depth = np.clip((y - upper) / (lower - upper), 0, 1)
    shade = _blend(_SUNLIT, _UNDERSIDE, depth**2)
    color += cover[..., None] * (shade - color)


def reduced(color: np.ndarray) -> np.ndarray:
    """Return uint8 pixels of colors at the points of a `fine_grid`."""
    image = Image.fromarray(np.rint(color).astype(np.uint8))
    return np.asarray(image.reduce(_OVERSAMPLING))


def _thickness(cloud: tuple, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return how far each point lies inside the cloud, in puff radii, softly joined."""
    base = max(cy for _, cy, _ in cloud)
    # Puffs reach less far down than up, which gives clouds their flat base.
    stretch = np.where(y > base, 2.2, 1.0)
    total = np.zeros_like(x)
    for cx, cy, radius in cloud:
        inside = 1 - np.hypot(x - cx, (y - cy) * stretch) / radius
        total += np.exp(_SHARPNESS * inside)
    # Far away the sum is too small for a float.
    return np.log(np.maximum(total, np.finfo(float).tiny)) / _SHARPNESS


def _smooth_step(low: float, high: float, value: np.ndarray) -> np.ndarray:
    share = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def _blend(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    return first + share[..., None] * (second - first)
