import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from data_gen.render import draw_examples, render
from data_gen.scene import SUPERSAMPLING, Placement, Scene, Sprite, example_rng
from data_gen.scenes import SCENES

FRUIT = SCENES["fruit"](64)
RED, GREEN = (255, 0, 0, 255), (0, 255, 0, 255)


def square(side, color):
    fine = side * SUPERSAMPLING
    return Sprite("square", np.broadcast_to(np.uint8(color), (fine, fine, 4)).copy())


def gray(size):
    return np.full((size, size, 3), 100, np.uint8)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_later_square_lies_on_top(order):
    sprites = (square(4, RED), square(6, GREEN))
    where = {1: Placement(1, 6, 6, 0.0), 2: Placement(2, 9, 9, 0.0)}
    scene = Scene(gray(16), sprites, tuple(where[label] for label in order))
    picture, mask = render(scene)
    expected = np.zeros((16, 16), np.uint8)
    areas = {1: np.s_[4:8, 4:8], 2: np.s_[6:12, 6:12]}
    for label in order:
        expected[areas[label]] = label
    np.testing.assert_array_equal(mask, expected)
    colors = np.uint8([(100, 100, 100), RED[:3], GREEN[:3]])
    np.testing.assert_array_equal(picture, colors[expected])


@pytest.mark.parametrize(("alpha", "label"), [(127, 0), (128, 1)])
def test_a_pixel_belongs_to_an_object_above_one_half(alpha, label):
    scene = Scene(gray(16), (square(4, (0, 0, 0, alpha)),), (Placement(1, 8, 8, 0),))
    picture, mask = render(scene)
    assert mask[8, 8] == label
    assert (picture[8, 8] == round(100 * (1 - alpha / 255))).all()


def test_half_a_pixel_of_shift_is_seen():
    scene = Scene(gray(16), (square(4, (0, 0, 0, 255)),), (Placement(1, 8.5, 8, 0),))
    picture, _ = render(scene)
    np.testing.assert_allclose(picture[8, 5:12, 0], [100, 50, 0, 0, 0, 50, 100], atol=1)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_an_angle_turns_clockwise(turns):
    def at(angle):
        return render(Scene(gray(64), FRUIT.sprites, (Placement(2, 32, 32, angle),)))

    upright, mask = at(0.0)
    picture, turned = at(turns * math.pi / 2)
    # Bilinear weights round differently after the turn, by one level.
    np.testing.assert_allclose(
        picture.astype(int), np.rot90(upright, -turns).astype(int), atol=1
    )
    assert (turned != np.rot90(mask, -turns)).sum() <= 4


def recompose(scene):
    """Draw a scene another way: every fine point of the whole picture, with SciPy."""
    height, width = scene.background.shape[:2]
    rows = (np.arange(height * SUPERSAMPLING) + 0.5) / SUPERSAMPLING
    columns = (np.arange(width * SUPERSAMPLING) + 0.5) / SUPERSAMPLING
    y, x = np.meshgrid(rows, columns, indexing="ij")
    picture = scene.background / 1.0
    mask, unsure = np.zeros((height, width), int), np.zeros((height, width), bool)
    for one in scene.placements:
        pixels = scene.sprites[one.label - 1].pixels
        offset = (x - one.x) + 1j * (y - one.y)
        source = offset * np.exp(-1j * one.angle) * SUPERSAMPLING
        at = [
            source.imag + pixels.shape[0] / 2 - 0.5,
            source.real + pixels.shape[1] / 2 - 0.5,
        ]
        bands = np.moveaxis(pixels, 2, 0).astype(float)
        fine = np.stack([map_coordinates(band, at, order=1) for band in bands], -1)
        blocks = fine.reshape(height, SUPERSAMPLING, width, SUPERSAMPLING, 4)
        drawn = blocks.mean((1, 3))
        alpha = drawn[..., 3] / 255
        picture = picture * (1 - alpha[..., None]) + drawn[..., :3]
        mask[alpha > 0.5] = one.label
        unsure |= abs(alpha - 0.5) < 0.01
    return picture, mask, unsure


@pytest.mark.parametrize("index", range(8))
def test_picture_and_mask_agree_with_another_way_to_draw_them(index):
    scene = FRUIT.sample(example_rng(3, "val", index))
    picture, mask = render(scene)
    expected, labels, unsure = recompose(scene)
    # Pillow rounds to 8 bits after the turn and after the reduction, for each layer.
    np.testing.assert_allclose(picture, expected, atol=2.5)
    np.testing.assert_array_equal(mask[~unsure], labels[~unsure])
    assert unsure.sum() < 30


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Placement,
            st.integers(1, 3),
            st.floats(-30, 94),
            st.floats(-30, 94),
            st.floats(-10, 10),
        ),
        max_size=4,
    )
)
def test_far_from_every_object_the_background_is_untouched(placements):
    picture, mask = render(Scene(FRUIT.background, FRUIT.sprites, tuple(placements)))
    rows, columns = np.mgrid[:64, :64] + 0.5
    far = np.ones((64, 64), bool)
    for one in placements:
        reach = FRUIT.sprites[one.label - 1].radius + 1.5
        far &= np.hypot(columns - one.x, rows - one.y) > reach
    np.testing.assert_array_equal(picture[far], FRUIT.background[far])
    assert (mask[far] == 0).all()
    assert set(np.unique(mask)) <= {0, *(one.label for one in placements)}


def test_a_range_of_examples_is_the_same_one_by_one():
    pictures, masks = draw_examples(FRUIT, 9, "test", 3, 7)
    for i in range(4):
        picture, mask = draw_examples(FRUIT, 9, "test", 3 + i, 4 + i)
        np.testing.assert_array_equal(pictures[i], picture[0])
        np.testing.assert_array_equal(masks[i], mask[0])
