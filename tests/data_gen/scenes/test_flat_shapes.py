import math

import numpy as np
import pytest

from data_gen.scenes.flat_shapes import SHAPES, pixel_coverage

AREAS = {"square": (18 / 64) ** 2, "ellipse": math.pi * 13 * 8 / 64**2}


def test_the_outline_of_the_heart_goes_through_known_points():
    """Points at which `(a^2 + b^2 - 1)^3 = a^2 b^3`."""
    heart = SHAPES[2]
    unit = 10.5 / 64
    for a, b in ((0, 1), (1, 0), (-1, 0), (0, -1), (1, 1), (-1, 1)):
        for factor, inside in ((0.99, True), (1.01, False)):
            u, v = a * factor * unit, (b * factor - 0.25) * unit
            assert bool(heart.contains(np.array(u), np.array(v))) == inside


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_radius_is_that_of_the_farthest_point(shape):
    u, v = np.meshgrid(*[np.linspace(-0.4, 0.4, 1601)] * 2)
    farthest = np.hypot(u, v)[shape.contains(u, v)].max()
    assert math.isclose(farthest, shape.radius, rel_tol=0.01)


def test_areas_are_about_equal():
    u, v = np.meshgrid(*[np.linspace(-0.4, 0.4, 1601)] * 2)
    areas = {s.name: s.contains(u, v).mean() * 0.8005**2 for s in SHAPES}
    for name, area in AREAS.items():
        assert math.isclose(areas[name], area, rel_tol=0.01)
    assert max(areas.values()) < 1.25 * min(areas.values())


def test_coverage_of_a_square_by_hand():
    square = SHAPES[0]  # 18 pixels wide at 64 pixels per unit
    coverage, area = pixel_coverage(square, 32.5, 32.0, 64.0, 0.0, 64)
    full = np.zeros((64, 64), np.float32)
    full[area] = coverage
    expected = np.zeros((64, 64))
    expected[23:41, 24:41] = 1  # rows 23 to 41, columns 23.5 to 41.5
    expected[23:41, [23, 41]] = 0.5
    np.testing.assert_array_equal(full, expected)


@pytest.mark.parametrize(("x", "y"), [(0, 32), (64, 10), (70, 70), (-50, 32)])
def test_what_exceeds_the_image_is_cropped(x, y):
    square = SHAPES[0]
    coverage, area = pixel_coverage(square, float(x), float(y), 64.0, 0.3, 64)
    assert np.zeros((64, 64))[area].shape == coverage.shape
    shifted, _ = pixel_coverage(square, x + 100.0, y + 100.0, 64.0, 0.3, 264)
    rows, columns = area
    top = max(math.floor(y - square.radius * 64), 0)
    left = max(math.floor(x - square.radius * 64), 0)
    assert (rows.start, columns.start) == (top, left)
    inside = shifted[top - math.floor(y - square.radius * 64) :][: coverage.shape[0]]
    inside = inside[:, left - math.floor(x - square.radius * 64) :]
    np.testing.assert_array_equal(coverage, inside[:, : coverage.shape[1]])
