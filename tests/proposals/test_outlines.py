"""Outlines that recur, found among parts that touch."""

import numpy as np
import pytest
from cirs_tf.proposals.outlines import cut_outs, flat_backgrounds, turned_outline

SIDE, CANVAS = 40, 20
# Rows and columns of each kind, and their upper left corners' reach.
KINDS = {"square": (8, 8), "lying": (4, 16), "standing": (16, 4)}


def scenes(count, seed=0):
    """Return images of one to three rectangles of any color on any color."""
    rng = np.random.default_rng(seed)
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for image in images:
        image[:] = rng.integers(0, 100, 3)
        for _ in range(rng.integers(1, 4)):
            rows, columns = list(KINDS.values())[rng.integers(3)]
            y, x = rng.integers(0, (SIDE - rows, SIDE - columns), endpoint=True)
            image[y : y + rows, x : x + columns] = rng.integers(150, 256, 3)
    return images


def extents(patches):
    """Return rows and columns of what each `[..., canvas, canvas, 4]` patch covers."""
    covered = patches[..., 3] > 127
    return np.stack([covered.any(-1).sum(-1), covered.any(-2).sum(-1)], axis=-1)


def cut(images, objects):
    return cut_outs(images, objects, CANVAS, members=10, difference=0.02, seed=0)


def test_kinds_are_the_same_however_turned_if_that_gives_enough():
    found = cut(scenes(600), 2)
    assert found.matched == "pose"
    assert found.patches.shape == (2, 10, CANVAS, CANVAS, 4)
    sizes = [{tuple(one) for one in kind.tolist()} for kind in extents(found.patches)]
    # Turned by a quarter, a bar is the same kind.
    assert sorted(sizes, key=len) == [{(8, 8)}, {(4, 16), (16, 4)}]


def test_kinds_differ_by_their_turn_if_there_must_be_more():
    images = scenes(600)
    found = cut(images, 3)
    assert found.matched == "place"
    sizes = [{tuple(one) for one in kind.tolist()} for kind in extents(found.patches)]
    assert sorted(map(sorted, sizes)) == [[one] for one in sorted(KINDS.values())]
    for kind, middles in zip(sizes, found.middles, strict=True):
        ((rows, columns),) = kind
        least = (rows // 2, columns // 2)
        greatest = (SIDE - (rows + 1) // 2, SIDE - (columns + 1) // 2)
        assert (middles >= least).all() and (middles <= greatest).all()
        assert (middles[1] - middles[0] > 0.8 * np.subtract(greatest, least)).all()
    # Backgrounds are darker than any rectangle, whose areas are all 64.
    shown = (images.min(axis=-1) >= 150).sum() / 64
    assert found.parts_per_image == pytest.approx(shown / 600, rel=0.01)


def test_soft_borders_are_told_from_the_object():
    rng = np.random.default_rng(0)
    images = np.empty((60, 24, 24, 3), np.float64)
    images[:] = rng.integers(0, 100, (60, 1, 1, 3))
    colors = rng.integers(150, 256, (60, 3))
    share = np.zeros((24, 24))
    share[8:16, 7:15] = 1
    share[8:16, 6], share[8:16, 15], share[7, 7:15] = 0.3, 0.6, 0.04
    images += share[..., None] * (colors[:, None, None] - images)
    found = cut_outs(np.rint(images).astype(np.uint8), 1, 16, 8, 0.02, 0)
    for patch in found.patches[0].astype(float):
        rows, columns = np.nonzero(patch[..., 3] > 128)
        assert len(rows) == 8 * 9
        top, left = rows.min() - 8, columns.min() - 7
        covered = np.pad(share, 20)[20 + 8 - 8 - top :][:16]
        covered = covered[:, 20 + 7 - 7 - left :][:, :16]
        np.testing.assert_allclose(patch[..., 3] / 255, covered, atol=0.02)
        inside = patch[patch[..., 3] > 10][:, :3]
        # Once cut out, a pixel of three tenths has the object's own color.
        assert np.ptp(inside, axis=0).max() <= 1
        assert (np.abs(inside[0] - colors).max(axis=1) <= 1).any()


def test_hard_borders_stay_as_they_are():
    images = np.zeros((40, 24, 24, 3), np.uint8)
    images[:, 8:16, 6:14] = 250
    images[:, 15, 6:14] = 60  # a dark rim, not a half-covered one
    patches = cut_outs(images, 1, 16, 3, 0.02, 0).patches[0]
    assert ((patches[..., 3] == 255).sum(axis=(1, 2)) == 64).all()
    assert set(np.unique(patches[..., 3])) == {0, 255}
    assert set(np.unique(patches[patches[..., 3] == 255][:, :3])) == {60, 250}


def test_an_outline_is_the_same_at_any_turn_and_size():
    rng = np.random.default_rng(0)
    shape = np.zeros((12, 12), bool)
    shape[2:10, 2:5] = shape[7:10, 2:10] = True
    same = [np.rot90(shape), np.rot90(shape, 2), np.kron(shape, np.ones((2, 2), bool))]
    same.append(np.pad(shape, ((0, 9), (4, 0))))
    same.append(shape[:, ::-1])  # mirrored, too
    other = np.zeros((12, 12), bool)
    other[1:11, 3:7] = True
    described = turned_outline(shape)
    near = max(np.linalg.norm(turned_outline(one) - described) for one in same)
    assert near < np.linalg.norm(turned_outline(other) - described) / 4
    noise = rng.random((12, 12)) < 0.5
    assert near < np.linalg.norm(turned_outline(noise) - described) / 4


def test_the_background_is_the_most_frequent_color():
    images = np.zeros((2, 4, 4, 3), np.uint8)
    images[0] = (200, 10, 30)
    images[0, :2, :3] = (1, 2, 3)
    images[1, :3] = (90, 91, 92)
    np.testing.assert_array_equal(
        flat_backgrounds(images), [(200, 10, 30), (90, 91, 92)]
    )


def test_one_kind_is_found_among_parts_that_touch():
    rng = np.random.default_rng(0)
    images = np.full((300, SIDE, SIDE, 3), 20, np.uint8)
    for image in images:
        for _ in range(rng.integers(1, 4)):
            y, x = rng.integers(0, SIDE - 6, 2)
            image[y : y + 6, x : x + 6] = rng.integers(150, 256, 3)
    found = cut(images, 1)
    assert {tuple(one) for one in extents(found.patches)[0].tolist()} == {(6, 6)}


def test_a_black_object_is_an_object():
    images = np.full((40, SIDE, SIDE, 3), 200, np.uint8)
    for index, image in enumerate(images):
        image[9:17, 9:17] = (0, 0, 0) if index % 2 else (200, 0, 0)
    found = cut(images, 1)
    assert (extents(found.patches) == 8).all()


def test_k_means_divides_outlines_that_do_not_recur():
    rng = np.random.default_rng(0)
    images = np.zeros((8, SIDE, SIDE, 3), np.uint8)
    for image in images:
        rows, columns = rng.integers(3, 15, 2)
        image[5 : 5 + rows, 5 : 5 + columns] = 250
    found = cut(images, 2)
    assert found.matched == "kmeans"
    assert sum(found.kind_sizes) == 8 and min(found.kind_sizes) > 0


def test_too_few_kinds_are_one_line():
    images = np.zeros((4, SIDE, SIDE, 3), np.uint8)
    images[:, 5:12, 5:12] = 250
    with pytest.raises(
        ValueError, match=r"^the 4 parts .* have 1 outlines, fewer than"
    ):
        cut(images, 2)


def test_too_few_parts_are_one_line():
    with pytest.raises(ValueError, match=r"^0 connected parts .* fewer than the 3"):
        cut(np.full((5, SIDE, SIDE, 3), 9, np.uint8), 3)
