"""Cut-outs of outlines that recur, among components in which objects touch."""

import numpy as np
import pytest

from cirs_tf.proposals.cut_outs import cut_outs

SIDE, CANVAS = 40, 20
# Rows and columns of each outline class.
SIZES = {"square": (8, 8), "lying": (4, 16), "standing": (16, 4)}


def scenes(count, seed=0):
    """Return images of one to three rectangles of any color on any color."""
    rng = np.random.default_rng(seed)
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for image in images:
        image[:] = rng.integers(0, 100, 3)
        for _ in range(rng.integers(1, 4)):
            rows, columns = list(SIZES.values())[rng.integers(3)]
            y, x = rng.integers(0, (SIDE - rows, SIDE - columns), endpoint=True)
            image[y : y + rows, x : x + columns] = rng.integers(150, 256, 3)
    return images


def extents(patches):
    """Return rows and columns of what each `[..., canvas, canvas, 4]` patch covers."""
    covered = patches[..., 3] > 127
    return np.stack([covered.any(-1).sum(-1), covered.any(-2).sum(-1)], axis=-1)


def cut(images, num_objects, canvas=CANVAS, patches_per_class=10, threshold=0.005):
    return cut_outs(images, num_objects, canvas, patches_per_class, threshold, seed=0)


def covered_sizes(patches):
    """Return the set of sizes of what the patches of each class cover."""
    return [{tuple(size) for size in sizes} for sizes in extents(patches).tolist()]


def test_classes_hold_every_turn_if_that_gives_enough():
    found = cut(scenes(600), 2)
    assert found.matching == "pose"
    assert found.patches.shape == (2, 10, CANVAS, CANVAS, 4)
    sizes = covered_sizes(found.patches)
    # Turned by a quarter, a bar is of the same class.
    assert sorted(sizes, key=len) == [{(8, 8)}, {(4, 16), (16, 4)}]


def test_classes_differ_by_their_turn_if_there_must_be_more():
    images = scenes(600)
    found = cut(images, 3)
    assert found.matching == "place"
    sizes = covered_sizes(found.patches)
    assert sorted(map(sorted, sizes)) == [[size] for size in sorted(SIZES.values())]
    for class_sizes, bounds in zip(sizes, found.center_bounds, strict=True):
        ((rows, columns),) = class_sizes
        least = (rows // 2, columns // 2)
        greatest = (SIDE - (rows + 1) // 2, SIDE - (columns + 1) // 2)
        assert (bounds >= least).all() and (bounds <= greatest).all()
        assert (bounds[1] - bounds[0] > 0.8 * np.subtract(greatest, least)).all()
    # Backgrounds are darker than any rectangle, whose areas are all 64.
    shown = (images.min(axis=-1) >= 150).sum() / 64
    assert found.objects_per_image == pytest.approx(shown / 600, rel=0.01)


def test_soft_borders_are_told_from_the_object():
    rng = np.random.default_rng(0)
    images = np.empty((60, 24, 24, 3), np.float64)
    images[:] = rng.integers(0, 100, (60, 1, 1, 3))
    colors = rng.integers(150, 256, (60, 3))
    share = np.zeros((24, 24))
    share[8:16, 7:15] = 1
    share[8:16, 6], share[8:16, 15], share[7, 7:15] = 0.3, 0.6, 0.04
    images += share[..., None] * (colors[:, None, None] - images)
    found = cut(np.rint(images).astype(np.uint8), 1, canvas=16, patches_per_class=8)
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
    images[:, 15, 6:14] = 60  # a dark border, not a half-covered one
    patches = cut(images, 1, canvas=16, patches_per_class=3).patches[0]
    assert ((patches[..., 3] == 255).sum(axis=(1, 2)) == 64).all()
    assert set(np.unique(patches[..., 3])) == {0, 255}
    assert set(np.unique(patches[patches[..., 3] == 255][:, :3])) == {60, 250}


def test_one_class_is_found_among_objects_that_touch():
    rng = np.random.default_rng(0)
    images = np.full((300, SIDE, SIDE, 3), 20, np.uint8)
    for image in images:
        for _ in range(rng.integers(1, 4)):
            y, x = rng.integers(0, SIDE - 6, 2)
            image[y : y + 6, x : x + 6] = rng.integers(150, 256, 3)
    found = cut(images, 1)
    assert covered_sizes(found.patches) == [{(6, 6)}]


def test_a_black_object_is_an_object():
    images = np.full((40, SIDE, SIDE, 3), 200, np.uint8)
    for index, image in enumerate(images):
        image[9:17, 9:17] = (0, 0, 0) if index % 2 else (200, 0, 0)
    found = cut(images, 1)
    assert (extents(found.patches) == 8).all()


def test_too_few_components_are_one_line():
    with pytest.raises(ValueError, match=r"^0 connected parts .* fewer than the 3"):
        cut(np.full((5, SIDE, SIDE, 3), 9, np.uint8), 3)


def test_threshold_is_the_squared_distance_summed_over_channels():
    images = np.full((40, SIDE, SIDE, 3), 100, np.uint8)
    images[:, 9:17, 9:17] = (110, 120, 120)
    distance = (10**2 + 20**2 + 20**2) / 255**2
    found = cut(images, 1, threshold=0.99 * distance)
    assert covered_sizes(found.patches) == [{(8, 8)}]
    with pytest.raises(ValueError, match="^0 connected parts"):
        cut(images, 1, threshold=1.01 * distance)


def test_components_larger_than_a_patch_are_left_out():
    images = np.zeros((40, SIDE, SIDE, 3), np.uint8)
    images[:20, 9:17, 9:17] = 250
    images[20:, 9:27, 9:17] = 250  # 18 rows: one pixel around it would be 20
    images[:, 20:39, 30:38] = 250  # 19 rows, in every image
    found = cut(images, 2)
    assert found.components_per_class == (20, 20)
    assert covered_sizes(found.patches) == [{(8, 8)}, {(18, 8)}]
    np.testing.assert_array_equal(found.center_bounds[1], [[18, 13], [18, 13]])
