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


def heart_radius(angle):
    """Return where a ray from the origin of the curve leaves the heart."""
    c, s = math.cos(angle), math.sin(angle)
    return brentq(lambda r: (r * r - 1) ** 3 - r**5 * c * c * s**3, 0.5, 2)


def outline(name):
    """Return a fine polygon around a shape, complex, y up, in pixels at scale 1."""
    angles = np.linspace(0, 2 * math.pi, 720, endpoint=False)
    if name == "square":
        return np.array([9 + 9j, -9 + 9j, -9 - 9j, 9 - 9j])
    if name == "ellipse":
        return 13 * np.cos(angles) + 8j * np.sin(angles)
    # The curve runs from -1 at the tip; its middle is 0.25 above the origin.
    radii = np.array([heart_radius(angle) for angle in angles])
    curve = radii * np.exp(1j * angles)
    return 10.5 * (curve - 0.25j)


OUTLINES = {name: outline(name) for name in NAMES}


def in_image(sprite):
    """Return a sprite's polygon, columns and rows."""
    # Clockwise on the image is negative with y up.
    polygon = OUTLINES[NAMES[sprite.label - 1]] * sprite.scale
    polygon = polygon * np.exp(-1j * sprite.angle)
    return Path(np.stack([polygon.real + sprite.x, -polygon.imag + sprite.y], -1))


def area(polygon):
    x, y = polygon.real, polygon.imag
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


@pytest.mark.parametrize("index", range(25))
def test_image_and_mask_agree_with_polygons(index):
    """Where a pixel lies wholly on one side of every outline, both are certain."""
    scene = SAMPLER.sample(example_rng(7, "val", index))
    image, mask = render_flat(scene)
    rows, columns = np.mgrid[:64, :64] + 0.5
    expected, certain = np.zeros((64, 64), int), np.ones((64, 64), bool)
    colors = np.broadcast_to(scene.background, (64, 64, 3)).copy()
    for sprite in scene.sprites:
        polygon = in_image(sprite)
        inside = [
            polygon.contains_points(
                np.stack([columns + dx, rows + dy], -1).reshape(-1, 2)
            ).reshape(64, 64)
            for dx in (-0.51, -0.17, 0.17, 0.51)
            for dy in (-0.51, -0.17, 0.17, 0.51)
        ]
        # Below a later sprite nothing matters.
        certain = np.where(np.all(inside, 0), True, certain & ~np.any(inside, 0))
        expected[np.all(inside, 0)] = sprite.label
        colors[np.all(inside, 0)] = sprite.color
    np.testing.assert_array_equal(mask[certain], expected[certain])
    np.testing.assert_array_equal(image[certain], colors[certain])
    assert 20 < (~certain).sum() < 64 * 4 * len(scene.sprites)


@pytest.mark.parametrize("label", [1, 2, 3])
@pytest.mark.parametrize("scale", [0.5, 0.77, 1.0])
def test_colors_are_mixed_by_coverage(label, scale):
    sprite = FlatSprite(label, 31.3, 32.6, scale, 0.7, (255, 255, 255))
    image, mask = render_flat(FlatScene(64, (0, 0, 0), (sprite,)))
    expected = area(OUTLINES[NAMES[label - 1]]) * scale**2
    # 16 points per pixel; errors on an outline of 40 to 75 pixels mostly cancel out.
    assert math.isclose(image[..., 0].sum() / 255, expected, rel_tol=0.01)
    assert math.isclose((mask > 0).sum(), expected, rel_tol=0.04)
    # Half of 255 is drawn as 128, and is not more than half.
    np.testing.assert_array_equal(mask > 0, image[..., 0] > 128)


def test_half_a_pixel_is_half_covered():
    square = FlatSprite(1, 32.5, 32.0, 1.0, 0.0, (200, 100, 0))
    image, mask = render_flat(FlatScene(64, (0, 0, 50), (square,)))
    # Columns 23.5 to 41.5.
    assert image[32, 22:25].tolist() == [[0, 0, 50], [100, 50, 25], [200, 100, 0]]
    assert image[32, 41].tolist() == [100, 50, 25]
    assert mask[32, 22:25].tolist() == [0, 0, 1]
    assert mask[:, 32].sum() == 18


def test_the_heart_stands_on_its_tip_and_turns_clockwise():
    def render_at(angle):
        sprite = FlatSprite(3, 32, 32, 1.0, angle, (255, 255, 255))
        return render_flat(FlatScene(64, (0, 0, 0), (sprite,)))

    upright, mask = render_at(0.0)
    widths = (mask > 0).sum(1)
    assert widths[widths > 0][-1] <= 4 < 15 < widths[widths > 0][5]
    # Left and right in the upper lobes, a dent between them.
    top = np.flatnonzero(widths)[0]
    assert mask[top, 32] == 0 and mask[top, 25:32].any() and mask[top, 32:40].any()
    for quarter_turns in (1, 2, 3):
        image, rotated = render_at(quarter_turns * math.pi / 2)
        # Points on the outline itself may fall on either side after a rotation.
        difference = np.rot90(upright, -quarter_turns).astype(int) - image
        assert abs(difference).max() <= 32
        assert (rotated != np.rot90(mask, -quarter_turns)).sum() < 4


def test_the_later_sprite_lies_on_top():
    below = FlatSprite(1, 32, 32, 1.0, 0.0, (255, 0, 0))
    above = FlatSprite(2, 36, 32, 0.5, 0.0, (0, 255, 0))
    for order, label in (((below, above), 2), ((above, below), 1)):
        image, mask = render_flat(FlatScene(64, (0, 0, 0), order))
        assert mask[32, 36] == label
        assert image[32, 36].argmax() == (0 if label == 1 else 1)


def test_each_number_of_sprites_and_each_shape_is_as_likely():
    drawn = scenes(2000)
    numbers = np.bincount([len(scene.sprites) for scene in drawn])
    assert len(numbers) == 5 and numbers[0] == 0
    assert chisquare(numbers[1:]).pvalue > 1e-3
    labels = [sprite.label for scene in drawn for sprite in scene.sprites]
    labels = np.bincount(labels)
    assert len(labels) == 4 and labels[0] == 0
    assert chisquare(labels[1:]).pvalue > 1e-3


def test_scales_angles_and_positions_are_uniform():
    sprites = [sprite for scene in scenes(1000) for sprite in scene.sprites]
    values = np.array([(s.scale, s.angle, s.x, s.y) for s in sprites])
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
    colors = [sprite.color for scene in drawn for sprite in scene.sprites]
    colors = np.array(colors)
    assert colors.min() == 0 and colors.max() == 255
    # What the gray excludes lies evenly on its axis: the channels stay alike.
    np.testing.assert_allclose(colors.mean(0), 127.5, atol=6)


def test_colored_backgrounds():
    drawn = scenes(500, DSprites(64, background="color"))
    backgrounds = np.array([scene.background for scene in drawn])
    assert (np.ptp(backgrounds, axis=1) > 20).mean() > 0.9
    image, mask = render_flat(drawn[0])
    assert (image[mask == 0][0] == backgrounds[0]).all()
    for scene in drawn:
        for sprite in scene.sprites:
            assert math.dist(sprite.color, scene.background) >= 64


def test_the_number_of_sprites_can_be_chosen():
    numbers = {len(scene.sprites) for scene in scenes(200, DSprites(64, (2, 5)))}
    assert numbers == {2, 3, 4, 5}
    assert {len(scene.sprites) for scene in scenes(20, DSprites(64, (3, 3)))} == {3}


def test_shapes_occlude_each_other_and_stay_inside():
    images, masks = draw_examples(SAMPLER, 0, "val", 0, 300)
    assert images.shape == (300, 64, 64, 3) and masks.dtype == images.dtype
    assert set(np.unique(masks)) == {0, 1, 2, 3}
    edges = np.ones((64, 64), bool)
    edges[2:-2, 2:-2] = False
    assert not masks[:, edges].any()
    hidden = 0
    for index in range(300):
        scene = SAMPLER.sample(example_rng(0, "val", index))
        whole = sum(
            (render_flat(dataclasses.replace(scene, sprites=(sprite,)))[1] > 0).sum()
            for sprite in scene.sprites
        )
        hidden += (masks[index] > 0).sum() < whole
    assert 100 < hidden < 250


def test_other_sizes_are_drawn_to_scale():
    large, small = (draw_examples(DSprites(size), 3, "val", 0, 50) for size in (64, 32))
    # The same scene: a pixel of the small one is about the mean of four.
    mean = large[0].reshape(50, 32, 2, 32, 2, 3).mean((2, 4))
    assert abs(mean - small[0]).mean() < 1
    covered = [(masks > 0).mean() for _, masks in (large, small)]
    assert math.isclose(*covered, rel_tol=0.03)
