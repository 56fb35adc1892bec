"""Large images are shrunk; a tree is computed once."""

import numpy as np
import pytest

from cirs_tf.hierarchy import photograph
from cirs_tf.hierarchy.photograph import enlarge, kept_tree, region_tree

RNG = np.random.default_rng(3)


def halves(height, width):
    image = RNG.integers(0, 60, (height, width, 3), np.uint8)
    image[:, width // 2 :] += 150
    return image


def test_a_large_image_is_shrunk_and_its_regions_enlarged():
    image = halves(90, 300)
    tree = region_tree(image, num_superpixels=40, max_side=100)
    assert tree.superpixels.shape == (30, 100)
    regions = enlarge(tree.cut_into(2), 90, 300)
    expected = np.tile(np.repeat([0, 1], 150), (90, 1))
    assert (regions == expected).mean() > 0.98


def test_a_small_image_is_not_enlarged():
    assert region_tree(halves(20, 30), 10, max_side=100).superpixels.shape == (20, 30)


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (2, 3)])
def test_the_nearest_value(size):
    values = np.arange(6).reshape(2, 3)
    found = enlarge(values, *size)
    for row in range(size[0]):
        for column in range(size[1]):
            nearest = int((row + 0.5) * 2 / size[0]), int((column + 0.5) * 3 / size[1])
            assert found[row, column] == values[nearest]


def test_a_tree_is_computed_once_per_image_and_settings(tmp_path, monkeypatch):
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return region_tree(*arguments)

    monkeypatch.setattr(photograph, "region_tree", counted)
    first, second = halves(20, 30), halves(20, 30)
    file = tmp_path / "tree.npz"
    for image, superpixels, expected in (
        (first, 9, 1),
        (first, 9, 1),
        (first, 12, 2),
        (second, 12, 3),
        (second, 12, 3),
    ):
        tree = kept_tree(image, file, superpixels, 640)
        assert len(calls) == expected
        direct = region_tree(image, superpixels, 640)
        np.testing.assert_array_equal(tree.cut_into(4), direct.cut_into(4))
    file.write_text("damaged")
    kept_tree(second, file, 12, 640)
    assert len(calls) == 4
