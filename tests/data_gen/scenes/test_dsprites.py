import dataclasses
import math

import numpy as np
import pytest
from matplotlib.path import Path
from scipy.optimize import brentq
from scipy.stats import chisquare, kstest

from data_gen.render import draw_examples
from data_gen.scene import example_rng
from data_gen.scenes.dsprites import DSprites, FlatScene, FlatSprite, render_flat

SAMPLER = DSprites(64)
NAMES = ("square", "ellipse", "heart")


def scenes(count, sampler=SAMPLER):
    return [sampler.sample(example_rng(0, "train", i)) for i in range(count)]


def heart_radius(turn):
    """Return where a ray from the middle of the curve leaves the heart."""
    c, s = math.cos(turn), math.sin(turn)
    return brentq(lambda r: (r * r - 1) ** 3 - r**5 * c * c * s**3, 0.5, 2)


def outline(name):
    """Return a fine polygon around a shape, complex, y up, in pixels at scale 1."""
    turns = np.linspace(0, 2 * math.pi, 720, endpoint=False)
    if name == "square":
        return np.array([9 + 9j, -9 + 9j, -9 - 9j, 9 - 9j])
    if name == "ellipse":
        return 13 * np.cos(turns) + 8j * np.sin(turns)
    # The curve runs from -1 at the tip; its middle is 0.25 above the origin.
    curve = np.array([heart_radius(one) for one in turns]) * np.exp(1j * turns)
    return 10.5 * (curve - 0.25j)


OUTLINES = {name: outline(name) for name in NAMES}


def in_picture(sprite, scale=1.0):
    """Return a sprite's polygon, columns and rows."""
    # Clockwise as seen is backwards with y up.
    polygon = OUTLINES[NAMES[sprite.label - 1]] * sprite.scale * scale
    polygon = polygon * np.exp(-1j * sprite.angle)
    return Path(np.stack([polygon.real + sprite.x, -polygon.imag + sprite.y], -1))


def area(polygon):
    x, y = polygon.real, polygon.imag
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


@pytest.mark.parametrize("index", range(25))
def test_picture_and_mask_agree_with_polygons(index):
    """Where a pixel lies wholly on one side of every outline, both are certain."""
    scene = SAMPLER.sample(example_rng(7, "val", index))
    picture, mask = render_flat(scene)
    rows, columns = np.mgrid[:64, :64] + 0.5
    expected, certain = np.zeros((64, 64), int), np.ones((64, 64), bool)
    colors = np.broadcast_to(scene.background, (64, 64, 3)).copy()
    for sprite in scene.sprites:
        polygon = in_picture(sprite)
        held = [
            polygon.contains_points(
                np.stack([columns + dx, rows + dy], -1).reshape(-1, 2)
            ).reshape(64, 64)
            for dx in (-0.51, -0.17, 0.17, 0.51)
            for dy in (-0.51, -0.17, 0.17, 0.51)
        ]
        # What a later sprite covers wholly no longer matters.
        certain = np.where(np.all(held, 0), True, certain & ~np.any(held, 0))
        expected[np.all(held, 0)] = sprite.label
        colors[np.all(held, 0)] = sprite.color
    np.testing.assert_array_equal(mask[certain], expected[certain])
    np.testing.assert_array_equal(picture[certain], colors[certain])
    assert 20 < (~certain).sum() < 64 * 4 * len(scene.sprites)


@pytest.mark.parametrize("label", [1, 2, 3])
@pytest.mark.parametrize("scale", [0.5, 0.77, 1.0])
def test_a_pixel_is_mixed_by_how_much_of_it_is_covered(label, scale):
    sprite = FlatSprite(label, 31.3, 32.6, scale, 0.7, (255, 255, 255))
    picture, mask = render_flat(FlatScene(64, (0, 0, 0), (sprite,)))
    expected = area(OUTLINES[NAMES[label - 1]]) * scale**2
    # 16 points a pixel; errors on an outline of 40 to 75 pixels mostly cancel out.
    assert math.isclose(picture[..., 0].sum() / 255, expected, rel_tol=0.01)
    assert math.isclose((mask > 0).sum(), expected, rel_tol=0.04)
    # Half of 255 is drawn as 128, and is not more than half.
    np.testing.assert_array_equal(mask > 0, picture[..., 0] > 128)


def test_half_a_pixel_is_half_covered():
    square = FlatSprite(1, 32.5, 32.0, 1.0, 0.0, (200, 100, 0))
    picture, mask = render_flat(FlatScene(64, (0, 0, 50), (square,)))
    # Columns 23.5 to 41.5.
    assert picture[32, 22:25].tolist() == [[0, 0, 50], [100, 50, 25], [200, 100, 0]]
    assert picture[32, 41].tolist() == [100, 50, 25]
    assert mask[32, 22:25].tolist() == [0, 0, 1]
    assert mask[:, 32].sum() == 18


def test_the_heart_stands_on_its_tip_and_turns_clockwise():
    def at(angle):
        sprite = FlatSprite(3, 32, 32, 1.0, angle, (255, 255, 255))
        return render_flat(FlatScene(64, (0, 0, 0), (sprite,)))

    upright, mask = at(0.0)
    widths = (mask > 0).sum(1)
    assert widths[widths > 0][-1] <= 4 < 15 < widths[widths > 0][5]
    # Left and right in the upper lobes, a dent between them.
    top = np.flatnonzero(widths)[0]
    assert mask[top, 32] == 0 and mask[top, 25:32].any() and mask[top, 32:40].any()
    for turns in (1, 2, 3):
        picture, turned = at(turns * math.pi / 2)
        # Points on the outline itself may fall on either side after a turn.
        differs = np.rot90(upright, -turns).astype(int) - picture
        assert abs(differs).max() <= 32 and (turned != np.rot90(mask, -turns)).sum() < 4


def test_the_later_sprite_lies_on_top():
    below = FlatSprite(1, 32, 32, 1.0, 0.0, (255, 0, 0))
    above = FlatSprite(2, 36, 32, 0.5, 0.0, (0, 255, 0))
    for order, label in (((below, above), 2), ((above, below), 1)):
        picture, mask = render_flat(FlatScene(64, (0, 0, 0), order))
        assert mask[32, 36] == label
        assert picture[32, 36].argmax() == (0 if label == 1 else 1)


def test_each_number_of_sprites_and_each_shape_is_as_likely():
    drawn = scenes(2000)
    numbers = np.bincount([len(scene.sprites) for scene in drawn])
    assert len(numbers) == 5 and numbers[0] == 0
    assert chisquare(numbers[1:]).pvalue > 1e-3
    labels = np.bincount([one.label for scene in drawn for one in scene.sprites])
    assert len(labels) == 4 and labels[0] == 0
    assert chisquare(labels[1:]).pvalue > 1e-3


def test_scales_turns_and_places_are_uniform():
    sprites = [one for scene in scenes(1000) for one in scene.sprites]
    values = np.array([(one.scale, one.angle, one.x, one.y) for one in sprites])
    # Start and length of each range.
    ranges = [(0.5, 0.5), (0, 2 * math.pi), (16, 32), (16, 32)]
    for column, (low, length) in zip(values.T, ranges, strict=True):
        assert kstest(column, "uniform", args=(low, length)).pvalue > 1e-3
    correlations = np.corrcoef(values.T)[np.triu_indices(4, 1)]
    # 2500 sprites: a standard deviation is 0.02.
    assert abs(correlations).max() < 0.08


def test_sprites_differ_from_their_gray():
    drawn = scenes(1000)
    distances = []
    for scene in drawn:
        assert len(set(scene.background)) == 1
        for sprite in scene.sprites:
            distances.append(math.dist(sprite.color, scene.background))
    assert min(distances) >= 64
    grays = [scene.background[0] for scene in drawn]
    assert kstest(grays, "uniform", args=(0, 256)).pvalue > 1e-3
    colors = np.array([one.color for scene in drawn for one in scene.sprites])
    assert colors.min() == 0 and colors.max() == 255
    # What the gray excludes lies evenly on its axis: the channels stay alike.
    np.testing.assert_allclose(colors.mean(0), 127.5, atol=6)


def test_colored_backgrounds():
    drawn = scenes(500, DSprites(64, background="color"))
    backgrounds = np.array([scene.background for scene in drawn])
    assert (np.ptp(backgrounds, axis=1) > 20).mean() > 0.9
    picture, mask = render_flat(drawn[0])
    assert (picture[mask == 0][0] == backgrounds[0]).all()
    for scene in drawn:
        for sprite in scene.sprites:
            assert math.dist(sprite.color, scene.background) >= 64


def test_the_number_of_sprites_can_be_chosen():
    numbers = {len(scene.sprites) for scene in scenes(200, DSprites(64, (2, 5)))}
    assert numbers == {2, 3, 4, 5}
    assert {len(scene.sprites) for scene in scenes(20, DSprites(64, (3, 3)))} == {3}


def test_shapes_occlude_each_other_and_stay_inside():
    pictures, masks = draw_examples(SAMPLER, 0, "val", 0, 300)
    assert pictures.shape == (300, 64, 64, 3) and masks.dtype == pictures.dtype
    assert set(np.unique(masks)) == {0, 1, 2, 3}
    edges = np.ones((64, 64), bool)
    edges[2:-2, 2:-2] = False
    assert not masks[:, edges].any()
    hidden = 0
    for index in range(300):
        scene = SAMPLER.sample(example_rng(0, "val", index))
        whole = sum(
            (render_flat(dataclasses.replace(scene, sprites=(one,)))[1] > 0).sum()
            for one in scene.sprites
        )
        hidden += (masks[index] > 0).sum() < whole
    assert 100 < hidden < 250


def test_other_sizes_are_drawn_to_scale():
    large, small = (draw_examples(DSprites(size), 3, "val", 0, 50) for size in (64, 32))
    # The same scene: a pixel of the small one is about the mean of four.
    mean = large[0].reshape(50, 32, 2, 32, 2, 3).mean((2, 4))
    assert abs(mean - small[0]).mean() < 1
    share = [(masks > 0).mean() for _, masks in (large, small)]
    assert math.isclose(*share, rel_tol=0.03)
