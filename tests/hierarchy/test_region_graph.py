"""Superpixels' looks and borders, beside loops over pixels."""

import numpy as np
import pytest
import tensorflow as tf
from skimage.color import rgb2lab

from cirs_tf.hierarchy.region_graph import mean_in_regions, mean_of_map, region_graph

RNG = np.random.default_rng(0)
IMAGE = np.kron(RNG.integers(0, 256, (5, 6, 3)), np.ones((8, 8, 1))).astype(np.uint8)
GRAPH = region_graph(IMAGE, 20)


def test_superpixels_are_numbered_without_gaps():
    numbers, areas = np.unique(GRAPH.superpixels, return_counts=True)
    assert 10 < len(numbers) < 40
    np.testing.assert_array_equal(numbers, np.arange(len(numbers)))
    np.testing.assert_array_equal(areas, GRAPH.areas)


def test_looks_are_those_of_the_pixels():
    lab = rgb2lab(IMAGE)
    bins = ((0, 100), (-40, 40), (-40, 40))
    for number in range(len(GRAPH.areas)):
        pixels = lab[GRAPH.superpixels == number]
        looks = {name: values[number] for name, values in GRAPH.appearance.items()}
        np.testing.assert_allclose(looks["color"], pixels.mean(axis=0) / 25, atol=1e-4)
        np.testing.assert_allclose(looks["spread"], pixels.std(axis=0) / 15, atol=2e-3)
        shares = [
            np.histogram(np.clip(channel, low, high - 1e-3), 10, (low, high))[0]
            for channel, (low, high) in zip(pixels.T, bins, strict=True)
        ]
        expected = np.sqrt(np.concatenate(shares) / len(pixels))
        np.testing.assert_allclose(looks["histogram"], expected, atol=1e-6)


def test_borders_are_counted_side_by_side():
    height, width = GRAPH.superpixels.shape
    sides = {}
    for row in range(height):
        for column in range(width):
            for other in ((row, column + 1), (row + 1, column)):
                if other[0] < height and other[1] < width:
                    pair = GRAPH.superpixels[row, column], GRAPH.superpixels[other]
                    if pair[0] != pair[1]:
                        key = tuple(sorted(map(int, pair)))
                        sides[key] = sides.get(key, 0) + 1
    assert list(map(tuple, GRAPH.pairs.tolist())) == sorted(sides)
    np.testing.assert_array_equal(GRAPH.lengths, [sides[key] for key in sorted(sides)])


def test_contrast_is_high_where_color_changes():
    image = np.full((40, 40, 3), 90, np.uint8)
    image[:, 20:] = 200
    graph = region_graph(image, 16)
    numbers = range(len(graph.areas))
    right = np.array([(graph.superpixels[:, 20:] == n).any() for n in numbers])
    crosses = right[graph.pairs[:, 0]] != right[graph.pairs[:, 1]]
    assert crosses.any() and not crosses.all()
    inside = graph.contrasts[~crosses & (graph.lengths > 3)]
    assert inside.max() < graph.contrasts[crosses].min()


def test_contrast_is_the_slope_of_lightness():
    """On a ramp of gray the gradient is the slope, at both scales: (1 + 2) slope."""
    ramp = np.arange(40, 200, 2, dtype=np.uint8)
    image = np.repeat(np.tile(ramp, (40, 1))[..., None], 3, axis=2)
    slope = np.gradient(rgb2lab(image)[..., 0], axis=1).mean()
    graph = region_graph(image, 30)
    assert graph.contrasts.mean() == pytest.approx(3 * slope, rel=0.15)


def test_an_image_of_one_pixel_and_of_one_color():
    for shape in ((1, 1, 3), (1, 9, 3), (30, 30, 3)):
        graph = region_graph(np.zeros(shape, np.uint8), 4)
        assert graph.areas.sum() == shape[0] * shape[1]
        assert np.isfinite(graph.contrasts).all()


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8)],
)
def test_what_is_no_image_is_refused(image):
    with pytest.raises(ValueError, match=r"expected \[height, width, 3\] uint8, got"):
        region_graph(image)


def test_means():
    regions = np.array([[0, 1], [1, 1]])
    values = np.array([[[1.0], [2.0]], [[3.0], [7.0]]])
    np.testing.assert_array_equal(mean_in_regions(regions, values), [[1], [4]])


@pytest.mark.parametrize(
    ("stride", "shape"), [(4, (10, 12)), (8, (6, 6)), (64, (1, 1))]
)
def test_means_of_a_map_are_those_of_its_enlargement(stride, shape):
    values = RNG.normal(size=(*shape, 3)).astype(np.float32)
    rows, columns = GRAPH.superpixels.shape
    size = tf.constant([shape[0] * stride, shape[1] * stride])
    enlarged = tf.image.resize(values, size).numpy()[:rows, :columns]
    found = mean_of_map(GRAPH.superpixels, values, stride)
    np.testing.assert_allclose(
        found, mean_in_regions(GRAPH.superpixels, enlarged), atol=1e-5
    )


def test_features_stand_beside_the_colors():
    sizes = {"a": (10, 12, 2, 4), "b": (5, 6, 3, 8), "c": (10, 12, 4, 4)}
    maps = {
        name: (RNG.normal(size=shape).astype(np.float32), stride)
        for name, (*shape, stride) in sizes.items()
    }
    graph = region_graph(IMAGE, 20, features=lambda image: maps)
    assert [*graph.appearance] == ["color", "spread", "histogram", "a", "b", "c"]
    for name, (values, stride) in maps.items():
        alone = mean_of_map(graph.superpixels, values, stride)
        np.testing.assert_allclose(graph.appearance[name], alone, atol=1e-6)
