import numpy as np
import pytest

from data_gen.scene import SUPERSAMPLING
from data_gen.sky import draw_sky
from data_gen.sprites import draw_apple, draw_blueberry, draw_lemon

FRUITS = {"lemon": draw_lemon, "apple": draw_apple, "blueberry": draw_blueberry}
YELLOW, RED, BLUE = (240, 200, 40), (200, 25, 35), (50, 55, 125)


def opaque_colors(sprite):
    return sprite.pixels[sprite.pixels[..., 3] == 255][:, :3].astype(int)


def near(colors, color, distance):
    return np.linalg.norm(colors - np.array(color), axis=-1) < distance


@pytest.mark.parametrize("name", FRUITS)
@pytest.mark.parametrize("size", [6, 24, 60])
def test_a_fruit_fills_its_size_and_is_premultiplied(name, size):
    sprite = FRUITS[name](size)
    assert sprite.name == name
    side = size * SUPERSAMPLING + 2  # with a transparent rim
    assert sprite.pixels.shape == (side, side, 4)
    assert not sprite.pixels[[0, -1]].any() and not sprite.pixels[:, [0, -1]].any()
    assert (sprite.pixels[..., :3] <= sprite.pixels[..., 3:]).all()
    solid = sprite.pixels[..., 3] > 127
    extent = 1 + max(np.ptp(np.flatnonzero(solid.any(axis))) for axis in (0, 1))
    assert extent / SUPERSAMPLING > 0.75 * size
    assert solid.mean() > 0.25


@pytest.mark.parametrize(
    ("name", "color"), [("lemon", YELLOW), ("apple", RED), ("blueberry", BLUE)]
)
def test_a_fruit_is_mostly_of_its_color(name, color):
    assert near(opaque_colors(FRUITS[name](24)), color, 90).mean() > 0.6


def test_the_apple_has_a_brown_stem_and_a_green_leaf():
    colors = opaque_colors(draw_apple(24))
    assert near(colors, (92, 54, 22), 25).sum() > 10
    red, green, blue = colors.T
    assert ((green > red + 40) & (green > blue + 40)).sum() > 15


def test_the_lemon_is_pointed_at_both_ends():
    heights = (draw_lemon(24).pixels[..., 3] > 127).sum(0)
    drawn = np.flatnonzero(heights)
    assert heights.max() > 3.5 * heights[drawn[1]]
    assert heights.max() > 3.5 * heights[drawn[-2]]


def test_the_blueberry_has_a_crown_darker_than_its_skin():
    pixels = draw_blueberry(24).pixels.astype(int)
    middle = pixels.shape[0] // 2
    assert pixels[middle, middle + 1, :3].sum() < 110
    assert pixels[pixels.shape[0] // 4, middle, :3].sum() > 200


def test_no_part_of_a_fruit_hides_in_the_sky():
    sky = draw_sky(64).reshape(-1, 3).astype(int)
    for draw in FRUITS.values():
        colors = np.unique(opaque_colors(draw(24)), axis=0)
        nearest = np.array(
            [np.linalg.norm(sky - color, axis=1).min() for color in colors]
        )
        # Only highlights come near a cloud's white or a shaded blue.
        assert np.mean(nearest < 30) < 0.1
