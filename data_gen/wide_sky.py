"""Draws a sky larger than an image, and crops the skies of images from it.

A static sky can be segmented by position alone: any constant map predicts it. Here each
image shows another part, so that no pixel has a color of its own.
"""

import numpy as np

from data_gen.sky import CLOUDS, add_cloud, clear_sky, downsample, supersampled_grid

_IMAGES = 3  # height of the wide sky, and its width before it repeats, in images
# Half-width and half-height of a box around a cloud's first puff that holds the cloud.
_CLOUD_HALF_WIDTH, _CLOUD_HALF_HEIGHT = 0.60, 0.25


def draw_wide_sky(size: int) -> np.ndarray:
    """Draw a sky three times as high as an image; it has no randomness.

    Args:
        size: Height and width of an image in pixels.

    Returns:
        `[3 * size, 4 * size, 3]` uint8. It repeats after `3 * size` columns, without a
        seam, so that a crop may begin in any of these.
    """
    x, y = supersampled_grid(size, _IMAGES)
    color = clear_sky(y / _IMAGES)
    for cloud in _arrange_clouds():
        # A cloud that crosses the right edge continues at the left edge.
        center_x, center_y, _ = cloud[0]
        wrapped_x = (x - center_x + _IMAGES / 2) % _IMAGES - _IMAGES / 2 + center_x
        bounds = [center_y - _CLOUD_HALF_HEIGHT, center_y + _CLOUD_HALF_HEIGHT]
        rows = slice(*np.searchsorted(y[:, 0], bounds))
        columns = np.flatnonzero(np.abs(wrapped_x[0] - center_x) < _CLOUD_HALF_WIDTH)
        box = color[rows, columns]
        add_cloud(box, cloud, wrapped_x[rows, columns], y[rows, columns])
        color[rows, columns] = box
    wide = downsample(color)
    return np.concatenate([wide, wide[:, :size]], axis=1)


def crop_sky(wide: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a random crop of a wide sky, mirrored with probability one half.

    Args:
        wide: From `draw_wide_sky`.
        rng: Draws the position and the mirroring.

    Returns:
        `[size, size, 3]` uint8.
    """
    size = len(wide) // _IMAGES
    top = rng.integers(len(wide) - size, endpoint=True)
    left = rng.integers(_IMAGES * size)
    crop = wide[top : top + size, left : left + size]
    return crop[:, ::-1] if rng.integers(2) else crop


def _arrange_clouds() -> list[tuple]:
    """Return the static sky's clouds nine times, shifted and mirrored differently."""
    clouds = []
    for row, column in np.ndindex(_IMAGES, _IMAGES):
        # Each row is shifted by half an image, and columns have three heights.
        shift_x = column + row / 2
        shift_y = row + 0.06 * ((2 * column + row) % 3 - 1)
        for index, cloud in enumerate(CLOUDS):
            # The second cloud is mirrored by rows alone: a row would otherwise be
            # nearly its own mirror image.
            mirrored = row % 2 if index == 1 else (row + column) % 2
            clouds.append(
                tuple(
                    (shift_x + (1 - cx if mirrored else cx), shift_y + cy, radius)
                    for cx, cy, radius in cloud
                )
            )
    return clouds
