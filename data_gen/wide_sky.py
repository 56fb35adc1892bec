"""Draws a sky that is larger than a picture, and cuts pictures' skies out of it.

A sky that never moves is solved by its mean: any constant map of it is a segment. Here
each picture has another part, so that no pixel has a color of its own.
"""

import numpy as np

from data_gen.sky import CLOUDS, add_cloud, clear_sky, fine_grid, reduced

_PICTURES = 3  # that the sky is high, and wide before it repeats
# No cloud reaches farther from its first puff, across and up or down.
_ACROSS, _UP = 0.60, 0.25


def draw_wide_sky(size: int) -> np.ndarray:
    """Return a sky three times as high as a picture, the same at every call.

    Args:
        size: Height and width of a picture in pixels.

    Returns:
        `[3 * size, 4 * size, 3]` uint8. It repeats after `3 * size` columns, without a
        seam, so that a picture may begin in any of these.
    """
    x, y = fine_grid(size, _PICTURES)
    color = clear_sky(y / _PICTURES)
    for cloud in _clouds():
        # A cloud that reaches over one end comes in again at the other.
        middle, height, _ = cloud[0]
        near = (x - middle + _PICTURES / 2) % _PICTURES - _PICTURES / 2 + middle
        rows = slice(*np.searchsorted(y[:, 0], [height - _UP, height + _UP]))
        columns = np.flatnonzero(np.abs(near[0] - middle) < _ACROSS)
        part = color[rows, columns]
        add_cloud(part, cloud, near[rows, columns], y[rows, columns])
        color[rows, columns] = part
    wide = reduced(color)
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
    """Return a picture's clouds nine times, moved and mirrored so that none recurs."""
    clouds = []
    for row, column in np.ndindex(_PICTURES, _PICTURES):
        # Rows are half a picture apart, columns stand at three heights.
        right = column + row / 2
        down = row + 0.06 * ((2 * column + row) % 3 - 1)
        for number, cloud in enumerate(CLOUDS):
            # The second is mirrored by rows alone: a row would else be much like its
            # own mirror image.
            mirrored = row % 2 if number == 1 else (row + column) % 2
            clouds.append(
                tuple(
                    (right + (1 - cx if mirrored else cx), down + cy, radius)
                    for cx, cy, radius in cloud
                )
            )
    return clouds
