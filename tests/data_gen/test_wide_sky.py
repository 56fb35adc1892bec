import numpy as np
import pytest
from scipy.stats import chisquare

from data_gen.wide_sky import crop_sky, draw_wide_sky


def corners(wide, crop):
    """Return where a crop lies in a sky, by trying all positions."""
    size = len(crop)
    return [
        (top, left)
        for top in range(2 * size + 1)
        for left in range(3 * size)
        if (wide[top, left] == crop[0, 0]).all()
        and np.array_equal(wide[top : top + size, left : left + size], crop)
    ]


def test_crops_are_uniform_and_mirrored_every_other_time():
    size = 16
    wide = draw_wide_sky(size)
    rng = np.random.default_rng(0)
    positions = {False: [], True: []}
    for _ in range(800):
        crop = crop_sky(wide, rng)
        plain, mirrored = corners(wide, crop), corners(wide, crop[:, ::-1])
        assert len(plain) + len(mirrored) == 1
        positions[bool(mirrored)] += plain + mirrored
    assert chisquare([len(corner) for corner in positions.values()]).pvalue > 1e-3
    tops, lefts = np.array(positions[False] + positions[True]).T
    assert chisquare(np.bincount(tops, minlength=33)).pvalue > 1e-3
    assert chisquare(np.bincount(lefts, minlength=48)).pvalue > 1e-3


def test_the_wide_sky_has_no_seam():
    wide = draw_wide_sky(64).astype(int)
    assert wide.shape == (192, 256, 3)
    np.testing.assert_array_equal(wide[:, 192:], wide[:, :64])
    # A cloud that is cut off is a line of steps from white to blue, one below another.
    steps = abs(np.diff(wide, axis=1)).max(2)  # (192, 255)
    lines = (steps > 40).sum(0)
    assert lines[191] <= np.delete(lines, 191).max() / 2
    # And some cloud does reach over the end.
    white = wide[:, 190:194].min(2) > 200
    assert white.all(1).any()


@pytest.mark.parametrize("size", [16, 35])
def test_the_wide_sky_is_the_same_every_time(size):
    np.testing.assert_array_equal(draw_wide_sky(size), draw_wide_sky(size))
