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
    placements = {1: Placement(1, 6, 6, 0.0), 2: Placement(2, 9, 9, 0.0)}
    scene = Scene(gray(16), sprites, tuple(placements[label] for label in order))
    image, mask = render(scene)
    expected = np.zeros((16, 16), np.uint8)
    areas = {1: np.s_[4:8, 4:8], 2: np.s_[6:12, 6:12]}
    for label in order:
        expected[areas[label]] = label
    np.testing.assert_array_equal(mask, expected)
    colors = np.uint8([(100, 100, 100), RED[:3], GREEN[:3]])
    np.testing.assert_array_equal(image, colors[expected])


@pytest.mark.parametrize(("alpha", "label"), [(127, 0), (128, 1)])
def test_a_pixel_belongs_to_an_object_above_one_half(alpha, label):
    scene = Scene(gray(16), (square(4, (0, 0, 0, alpha)),), (Placement(1, 8, 8, 0),))
    image, mask = render(scene)
    assert mask[8, 8] == label
    assert (image[8, 8] == round(100 * (1 - alpha / 255))).all()


def test_half_a_pixel_of_shift_is_seen():
    scene = Scene(gray(16), (square(4, (0, 0, 0, 255)),), (Placement(1, 8.5, 8, 0),))
    image, _ = render(scene)
    np.testing.assert_allclose(image[8, 5:12, 0], [100, 50, 0, 0, 0, 50, 100], atol=1)


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_an_angle_is_clockwise(quarter_turns):
    def render_at(angle):
        return render(Scene(gray(64), FRUIT.sprites, (Placement(2, 32, 32, angle),)))

    upright, mask = render_at(0.0)
    image, rotated = render_at(quarter_turns * math.pi / 2)
    # Bilinear weights round differently after the rotation, by one level.
    np.testing.assert_allclose(
        image.astype(int), np.rot90(upright, -quarter_turns).astype(int), atol=1
    )
    assert (rotated != np.rot90(mask, -quarter_turns)).sum() <= 4


def render_with_scipy(scene):
    """Render a scene at every supersampled point of the whole image."""
    height, width = scene.background.shape[:2]
    rows = (np.arange(height * SUPERSAMPLING) + 0.5) / SUPERSAMPLING
    columns = (np.arange(width * SUPERSAMPLING) + 0.5) / SUPERSAMPLING
    y, x = np.meshgrid(rows, columns, indexing="ij")
    image = scene.background / 1.0
    mask, uncertain = np.zeros((height, width), int), np.zeros((height, width), bool)
    for placement in scene.placements:
        pixels = scene.sprites[placement.label - 1].pixels
        offset = (x - placement.x) + 1j * (y - placement.y)
        source = offset * np.exp(-1j * placement.angle) * SUPERSAMPLING
        points = [
            source.imag + pixels.shape[0] / 2 - 0.5,
            source.real + pixels.shape[1] / 2 - 0.5,
        ]
        bands = np.moveaxis(pixels, 2, 0).astype(float)
        fine = [map_coordinates(band, points, order=1) for band in bands]
        fine = np.stack(fine, -1)
        blocks = fine.reshape(height, SUPERSAMPLING, width, SUPERSAMPLING, 4)
        layer = blocks.mean((1, 3))
        alpha = layer[..., 3] / 255
        image = image * (1 - alpha[..., None]) + layer[..., :3]
        mask[alpha > 0.5] = placement.label
        uncertain |= abs(alpha - 0.5) < 0.01
    return image, mask, uncertain


@pytest.mark.parametrize("index", range(8))
def test_image_and_mask_agree_with_scipy(index):
    scene = FRUIT.sample(example_rng(3, "val", index))
    image, mask = render(scene)
    expected, labels, uncertain = render_with_scipy(scene)
    # Pillow rounds to 8 bits after the rotation and the reduction of each layer.
    np.testing.assert_allclose(image, expected, atol=2.5)
    np.testing.assert_array_equal(mask[~uncertain], labels[~uncertain])
    assert uncertain.sum() < 30


@settings(max_examples=60)
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
    image, mask = render(Scene(FRUIT.background, FRUIT.sprites, tuple(placements)))
    rows, columns = np.mgrid[:64, :64] + 0.5
    far = np.ones((64, 64), bool)
    for placement in placements:
        reach = FRUIT.sprites[placement.label - 1].radius + 1.5
        distance = np.hypot(columns - placement.x, rows - placement.y)
        far &= distance > reach
    np.testing.assert_array_equal(image[far], FRUIT.background[far])
    assert (mask[far] == 0).all()
    assert set(np.unique(mask)) <= {0, *(placement.label for placement in placements)}


def test_a_range_of_examples_is_the_same_one_by_one():
    images, masks = draw_examples(FRUIT, 9, "test", 3, 7)
    for index in range(4):
        image, mask = draw_examples(FRUIT, 9, "test", 3 + index, 4 + index)
        np.testing.assert_array_equal(images[index], image[0])
        np.testing.assert_array_equal(masks[index], mask[0])
