"""Cuts, SciPy's form, borders and files of a tree of regions."""

import numpy as np
import pytest
from scipy.cluster import hierarchy
from sklearn.metrics import adjusted_rand_score

from cirs_tf.errors import DataError
from cirs_tf.hierarchy.merging import merge_regions
from cirs_tf.hierarchy.region_graph import region_graph
from cirs_tf.hierarchy.region_tree import RegionTree

RNG = np.random.default_rng(2)
IMAGE = np.kron(RNG.integers(0, 256, (5, 6, 3)), np.ones((7, 7, 1))).astype(np.uint8)
TREE = merge_regions(region_graph(IMAGE, 25))
# Two superpixels of the same level, then the third.
SMALL = RegionTree(
    np.array([[0, 1, 2], [0, 1, 2]], np.int32),
    np.array([[1, 2], [0, 2]], np.int32),
    np.array([0.5, 2.0]),
)


def same_partition(a, b):
    return adjusted_rand_score(a.ravel(), b.ravel()) == 1


def test_cuts_by_hand():
    np.testing.assert_array_equal(SMALL.cut(0.4), [[0, 1, 2]] * 2)
    np.testing.assert_array_equal(SMALL.cut(0.5), [[0, 1, 1]] * 2)
    np.testing.assert_array_equal(SMALL.cut(2), [[0, 0, 0]] * 2)
    np.testing.assert_array_equal(SMALL.cut_into(2), [[0, 1, 1]] * 2)
    np.testing.assert_array_equal(SMALL.cut_into(9), [[0, 1, 2]] * 2)
    assert [SMALL.level_of(number) for number in (1, 2, 3, 9)] == [2.0, 0.5, 0.0, 0.0]
    with pytest.raises(ValueError, match="num_regions: expected 1 or more, got 0"):
        SMALL.cut_into(0)


def test_borders_by_hand():
    np.testing.assert_array_equal(SMALL.boundary_levels(), [[2, 0.5, 0]] * 2)


def test_each_number_of_regions():
    for number in range(1, TREE.num_superpixels + 1):
        cut = TREE.cut_into(number)
        np.testing.assert_array_equal(np.unique(cut), np.arange(number))
        _, first = np.unique(cut, return_index=True)
        assert (np.diff(first) > 0).all()


def test_scipy_cuts_its_form_alike():
    linkage = TREE.linkage()
    assert hierarchy.is_valid_linkage(linkage)
    for level in (0, *TREE.levels[::4], TREE.levels[-1]):
        flat = hierarchy.fcluster(linkage, level, criterion="distance")
        assert same_partition(flat[TREE.superpixels], TREE.cut(level))


def test_borders_are_the_levels_where_neighbors_join():
    cuts = [(level, TREE.cut(level)) for level in TREE.levels]
    found = TREE.boundary_levels()
    height, width = found.shape
    for row, column in RNG.integers(0, (height, width), (200, 2)):
        strongest = 0.0
        for other in ((row + 1, column), (row, column + 1)):
            if other[0] < height and other[1] < width:
                if TREE.superpixels[row, column] != TREE.superpixels[other]:
                    joins = [lev for lev, cut in cuts if cut[row, column] == cut[other]]
                    strongest = max(strongest, joins[0])
        assert found[row, column] == strongest


def test_a_file_brings_the_tree_back(tmp_path):
    file = tmp_path / "tree.npz"
    TREE.save(file, of="an image")
    tree, notes = RegionTree.load(file)
    assert notes == {"of": "an image"}
    for name in ("superpixels", "merges", "levels"):
        np.testing.assert_array_equal(getattr(tree, name), getattr(TREE, name))


def test_other_files_are_refused_and_run_nothing(tmp_path):
    class Poison:
        def __reduce__(self):
            return (open, (str(tmp_path / "executed"), "w"))

    names = ("text", "other", "poison", "cut", "bytes")
    files = {name: tmp_path / f"{name}.npz" for name in names}
    TREE.save(files["cut"])
    content = files["cut"].read_bytes()
    files["cut"].write_bytes(content[: len(content) // 2])
    files["bytes"].write_bytes(content[:60] + b"0" * 40 + content[100:])
    files["text"].write_text("no zip")
    np.savez(files["other"], weights=np.ones(3))
    np.savez(files["poison"], superpixels=np.array([Poison()], object))
    for file in (*files.values(), tmp_path / "missing.npz"):
        with pytest.raises(DataError, match=r"expected a tree of regions"):
            RegionTree.load(file)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [(6, 254, r"zip file version 25\.4"), (8, 1, ".* is encrypted")],
)
def test_another_version_of_zip_is_a_damaged_tree(tmp_path, place, value, message):
    path = tmp_path / "tree.npz"
    superpixels = np.array([[0, 1]], np.int32)
    RegionTree(superpixels, np.array([[0, 1]], np.int32), np.ones(1)).save(path)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + place] = value  # of the first member
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"tree\.npz: {message}.*; expected"):
        RegionTree.load(path)


@pytest.mark.parametrize(
    "changed",
    [
        {"superpixels": np.array([[0.0, 1.0]])},
        {"superpixels": np.array([0, 1], np.int32)},
        {"superpixels": np.array([[0, 2]], np.int32)},
        {"merges": np.array([[0, -1]], np.int32)},
        {"merges": np.array([0, 1], np.int32)},
        {"levels": np.ones(2)},
        {"levels": np.ones(1, np.int32)},
        {"levels": np.array(1.0)},
    ],
)
def test_arrays_of_no_tree_are_named(tmp_path, changed):
    path = tmp_path / "tree.npz"
    arrays = {
        "superpixels": np.array([[0, 1]], np.int32),
        "merges": np.array([[0, 1]], np.int32),
        "levels": np.ones(1),
    }
    np.savez(path, **arrays)
    RegionTree.load(path)
    np.savez(path, **{**arrays, **changed})
    with pytest.raises(DataError, match=r"(other types|outside of).*expected a tree"):
        RegionTree.load(path)
