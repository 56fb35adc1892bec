import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from data_gen.scene import SUPERSAMPLING
from data_gen.shapes import (
    Canvas,
    capsule,
    ellipse,
    lens,
    rectangle,
    rhombus,
    shade_ellipsoid,
    smooth_union,
    star,
)

LINE = np.linspace(-1, 1, 401)
X, Y = np.meshgrid(LINE, LINE)
DISTANCES = {
    "capsule": capsule(X, Y, (-0.4, 0.1), (0.3, -0.2), 0.15),
    "rhombus": rhombus(X, Y, 0.5, 0.7),
    "lens": lens(X, Y, (-0.5, 0.2), (0.4, -0.3)),
    "rectangle": rectangle(X, Y, 0.6, 0.3),
}


@pytest.mark.parametrize("name", DISTANCES)
def test_a_distance_is_exact_inside(name):
    """Against the Euclidean distance to the nearest grid point outside."""
    distance = DISTANCES[name]
    inside = distance < 0
    expected = distance_transform_edt(inside) * (LINE[1] - LINE[0])
    np.testing.assert_allclose(-distance[inside], expected[inside], atol=0.006)


def test_areas_are_those_of_the_formulas():
    pixel = (LINE[1] - LINE[0]) ** 2
    areas = {name: (distance < 0).sum() * pixel for name, distance in DISTANCES.items()}
    areas["ellipse"] = (ellipse(X, Y, 0.1, 0.2, 0.6, 0.4) < 0).sum() * pixel
    areas["star"] = (star(X, Y, (0, 0), 0.8, 0.8) < 0).sum() * pixel
    expected = {
        "capsule": np.pi * 0.15**2 + 2 * 0.15 * np.hypot(0.7, 0.3),
        "rhombus": 2 * 0.5 * 0.7,
        "rectangle": 4 * 0.6 * 0.3,
        "ellipse": np.pi * 0.6 * 0.4,
        "star": np.pi * 0.8**2,  # without notches it is a disc
    }
    for name, area in expected.items():
        assert np.isclose(areas[name], area, rtol=0.01), name


def test_the_star_has_five_points_and_notches():
    angles = np.pi * np.arange(10) / 5 - np.pi / 2  # the first points upwards
    radii = np.where(np.arange(10) % 2, 0.3, 0.8)
    x, y = radii * np.cos(angles), radii * np.sin(angles)
    np.testing.assert_allclose(star(x, y, (0, 0), 0.8, 0.3), 0, atol=1e-12)
    assert (star(1.05 * x, 1.05 * y, (0, 0), 0.8, 0.3) > 0).all()
    assert (star(0.95 * x, 0.95 * y, (0, 0), 0.8, 0.3) < 0).all()


def test_the_lens_ends_in_its_tips():
    tips = np.array([(-0.5, 0.2), (0.4, -0.3)])
    at_tips = lens(*tips.T, *map(tuple, tips))
    np.testing.assert_allclose(at_tips, 0, atol=1e-12)


def test_a_smooth_union_holds_both_shapes_and_fills_the_seam():
    first, second = ellipse(X, Y, -0.4, 0, 0.4, 0.4), ellipse(X, Y, 0.4, 0, 0.4, 0.4)
    union = smooth_union(first, second, 0.2)
    assert (union <= np.minimum(first, second)).all()
    far = abs(first - second) >= 0.2
    np.testing.assert_array_equal(union[far], np.minimum(first, second)[far])
    middle = (200, 200)  # where the ellipses touch
    assert np.isclose(first[middle], 0) and np.isclose(second[middle], 0)
    assert np.isclose(union[middle], -0.05)  # softness / 4


def test_an_ellipsoid_is_lit_from_the_upper_left():
    dark, lit = (0, 10, 20), (100, 110, 120)
    colors = shade_ellipsoid(X, Y, 1.0, 1.0, dark, lit)
    assert colors.shape == (401, 401, 3)
    inside = np.hypot(X, Y) < 1
    brightest = np.argmax(np.where(inside, colors[..., 0], -1))
    assert X.flat[brightest] < -0.2 and Y.flat[brightest] < -0.2
    assert (colors >= dark).all() and (colors <= lit).all()


def test_the_canvas_paints_later_shapes_over_earlier_ones():
    canvas = Canvas(10)
    canvas.paint(rectangle(canvas.x, canvas.y, 1.2, 1.2), (255, 0, 0))
    canvas.paint(rectangle(canvas.x, canvas.y, 0.5, 0.5), (0, 255, 0))
    pixels = canvas.sprite("both").pixels[1:-1, 1:-1]  # without the border
    assert pixels.shape == (10 * SUPERSAMPLING, 10 * SUPERSAMPLING, 4)
    green = np.zeros((20, 20), bool)
    green[5:15, 5:15] = True
    assert (pixels[green] == (0, 255, 0, 255)).all()
    assert (pixels[~green] == (255, 0, 0, 255)).all()


def test_an_edge_is_anti_aliased():
    canvas = Canvas(10)
    half_width = 0.5 + 0.5 / 10 / SUPERSAMPLING  # a quarter of a pixel more per side
    canvas.paint(rectangle(canvas.x, canvas.y, half_width, 2), (200, 100, 0))
    row = canvas.sprite("edge").pixels[10, 1:-1].astype(int)
    assert (row[5:15] == (200, 100, 0, 255)).all()
    for column in (4, 15):
        alpha = row[column, 3]
        assert abs(alpha - 255 / 4) <= 1
        assert (0 < row[column, :2]).all() and (row[column, :3] < alpha).all()
    assert (row[:4] == 0).all() and (row[16:] == 0).all()


def test_a_highlight_fades_from_its_center():
    canvas = Canvas(20)
    canvas.paint(rectangle(canvas.x, canvas.y, 2, 2), (0, 0, 0))
    canvas.add_highlight(0.0, 0.0, 0.5, (200, 200, 200))
    pixels = canvas.sprite("spot").pixels[1:-1, 1:-1, 0].astype(int)
    expected = 200 * 0.85 * np.exp(-(np.array([0.025, 0.525]) ** 2) * 4)
    np.testing.assert_allclose(pixels[20, [20, 30]], expected, atol=5)
