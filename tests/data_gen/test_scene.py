import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data_gen.scene import (
    SPLITS,
    SUPERSAMPLING,
    Sprite,
    example_rng,
    pad_sprite,
    scatter,
)
from data_gen.scenes import SCENES

SEEDS = st.integers(0, 2**32)


def square(side):
    fine = side * SUPERSAMPLING
    return Sprite("square", np.full((fine, fine, 4), 255, np.uint8))


def test_radius_is_half_the_diagonal_of_a_square():
    assert math.isclose(square(6).radius, 3 * math.sqrt(2))


def test_radius_ignores_what_is_transparent():
    pixels = np.zeros((40, 60, 4), np.uint8)
    pixels[18:22, 28:32] = 255  # the middle 4 x 4 fine pixels
    assert math.isclose(Sprite("dot", pixels).radius, math.hypot(2, 2) / SUPERSAMPLING)


def test_a_padded_sprite_has_a_transparent_border():
    pixels = np.full((4, 6, 4), 9, np.uint8)
    sprite = pad_sprite("dot", pixels)
    assert sprite.name == "dot" and sprite.pixels.shape == (6, 8, 4)
    np.testing.assert_array_equal(sprite.pixels[1:-1, 1:-1], pixels)
    assert sprite.pixels.sum() == pixels.sum()


@given(SEEDS, st.integers(0, 10**6))
def test_each_example_has_a_generator_of_its_own(seed, index):
    streams = {
        example_rng(seed + s, split, index + i).bytes(16)
        for s, split, i in itertools.product((0, 1), SPLITS, (0, 1))
    }
    assert len(streams) == 12
    again = example_rng(seed, "val", index).bytes(16)
    assert again == example_rng(seed, "val", index).bytes(16)


@given(SEEDS, st.integers(16, 100), st.lists(st.integers(1, 12), max_size=5))
def test_scatter_places_every_sprite_once_inside_the_image(seed, size, sides):
    sprites = tuple(square(side) for side in sides)
    background = np.zeros((size, size + 10, 3), np.uint8)
    scene = scatter(background, sprites, np.random.default_rng(seed))
    labels = [placement.label for placement in scene.placements]
    assert sorted(labels) == list(range(1, len(sides) + 1))
    for placement in scene.placements:
        # A square of 12 is too wide at 45 degrees for a image of 16: it is centered.
        radius = min(sprites[placement.label - 1].radius, size / 2)
        assert radius <= placement.x <= size + 10 - radius
        assert radius <= placement.y <= size - radius
        assert 0 <= placement.angle < 2 * math.pi


def test_poses_are_spread_and_every_stacking_order_occurs():
    sampler = SCENES["fruit"](64)
    scenes = [sampler.sample(example_rng(0, "train", i)) for i in range(600)]
    orders = [tuple(p.label for p in scene.placements) for scene in scenes]
    counts = [orders.count(order) for order in itertools.permutations((1, 2, 3))]
    # 100 expected of each; 60 and 140 lie 4.4 standard deviations off.
    assert 60 < min(counts) and max(counts) < 140
    lemons = [p for scene in scenes for p in scene.placements if p.label == 1]
    poses = np.array([(p.x, p.y, p.angle) for p in lemons])
    assert len(np.unique(poses[:, 2])) == 600  # continuous, no fixed steps
    edges = [(12, 52), (12, 52), (0, 2 * math.pi)]
    for values, (low, high) in zip(poses.T, edges, strict=True):
        histogram, _ = np.histogram(values, bins=4, range=(low, high))
        assert histogram.min() > 100  # 150 expected, about 5 standard deviations
