"""Draws a sky that is larger than a picture, and cuts pictures' skies out of it.

A sky that never moves is solved by its mean: any constant map of it is a segment. Here
each picture has another part, so that no pixel has a colour of its own.
"""

import numpy as np

from data_gen.sky import CLOUDS, add_cloud, clear_sky, fine_grid, reduced

_PICTURES = 2  # that the sky is high, and wide before it repeats
_REACH = 0.25  # no cloud reaches farther up or down from its first puff


def draw_wide_sky(size: int) -> np.ndarray:
    """Return a sky twice as high as a picture, the same at every call.

    Args:
        size: Height and width of a picture in pixels.

    Returns:
        `[2 * size, 3 * size, 3]` uint8. It repeats after `2 * size` columns, without a
        seam, so that a picture may begin in any of these.
    """
    x, y = fine_grid(size, _PICTURES)
    colour = clear_sky(y / _PICTURES)
    for cloud in _clouds():
        # A cloud that reaches over one end comes in again at the other.
        middle, height, _ = cloud[0]
        near = (x - middle + _PICTURES / 2) % _PICTURES - _PICTURES / 2 + middle
        first, last = np.searchsorted(y[:, 0], [height - _REACH, height + _REACH])
        band = slice(first, last)
        add_cloud(colour[band], cloud, near[band], y[band])
    wide = reduced(colour)
    return np.concatenate([wide, wide[:, :size]], axis=1)


def cut_sky(wide: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a random part of a wide sky, mirrored in half of all cases.

    Args:
        wide: From `draw_wide_sky`.
        rng: Source of the place and of the mirroring.

    Returns:
        `[size, size, 3]` uint8.
    """
    size = len(wide) // _PICTURES
    top = rng.integers(len(wide) - size, endpoint=True)
    left = rng.integers(_PICTURES * size)
    part = wide[top : top + size, left : left + size]
    return part[:, ::-1] if rng.integers(2) else part


def _clouds() -> list[tuple]:
    """Return a picture's clouds four times, moved, and mirrored in turn."""
    clouds = []
    for row, column in np.ndindex(_PICTURES, _PICTURES):
        # Rows are half a picture apart, so that no two clouds stand in line.
        moved = column + row / 2
        for number, cloud in enumerate(CLOUDS):
            # All but one turn in every other column. Were it all of them, a row would
            # be its own mirror image.
            mirrored = row if number == 1 else (row + column) % 2
            clouds.append(
                tuple(
                    (moved + (1 - cx if mirrored else cx), row + cy, radius)
                    for cx, cy, radius in cloud
                )
            )
    return clouds
