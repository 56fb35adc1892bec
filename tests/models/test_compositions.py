"""Compositions, read back from their colors."""

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.models.compositions import Compositions, _rotate

SIZE = (24, 30)
# Each class has a color of its own, in any order of channels.
COLORS = np.array([[250, 0, 0], [250, 250, 0]], np.uint8)
BEHIND = np.array([[0, 0, 40], [0, 0, 100]], np.uint8)
EXTENTS = ((4, 6), (2, 2))  # rows and columns


def composed(overlap, count=200, most=3, seed=0, share=255, turns=1):
    compositions = Compositions(
        SIZE, 0.5, num_objects=2, patches_per_class=3, overlap=overlap
    )
    canvas = compositions.canvas
    assert canvas == 12
    patches = np.zeros((2, 3, canvas, canvas, 4), np.uint8)
    for label, (rows, columns) in enumerate(EXTENTS):
        top, left = canvas // 2 - rows // 2, canvas // 2 - columns // 2
        inside = patches[label, :, top : top + rows, left : left + columns]
        inside[..., :3], inside[..., 3] = COLORS[label], share
    center_bounds = np.array([[[2, 3], [22, 27]], [[5, 6], [7, 20]]], np.float32)
    compositions.bank.assign(patches, center_bounds, BEHIND, most, turns)
    images, masks = compositions.draw(count, tf.constant([seed, 7]))
    return np.rint(255 * images.numpy()).astype(int), masks.numpy()


@pytest.mark.parametrize("overlap", [True, False])
def test_a_mask_names_what_is_seen(overlap):
    images, masks = composed(overlap)
    for image, mask in zip(images, masks, strict=True):
        behind = mask == 0
        assert tuple(image[behind][0]) in {tuple(one) for one in BEHIND.tolist()}
        assert (image[behind] == image[behind][0]).all()
        # Of one channel, or of two.
        np.testing.assert_array_equal((image[~behind] == 250).sum(-1), mask[~behind])
        assert set(image[~behind].ravel().tolist()) <= {0, 250}


@pytest.mark.parametrize("overlap", [True, False])
def test_parts_hide_each_other_only_where_they_may(overlap):
    _, masks = composed(overlap)
    areas = [rows * columns for rows, columns in EXTENTS]
    counts = np.stack([(masks == 1).sum((1, 2)), (masks == 2).sum((1, 2))], axis=1)
    whole = (counts % areas == 0).all(axis=1)
    assert whole.all() != overlap
    parts = (counts // areas).sum(axis=1)
    # Every number up to `most` is drawn; eight tries nearly always find a place.
    assert set(parts[whole]) == {1, 2, 3}
    assert abs(parts.mean() - 2) < 0.25


def test_parts_lie_where_their_class_was_seen():
    _, masks = composed(True, most=1)
    reach = {1: ((0, 0), (23, 29)), 2: ((4, 5), (7, 20))}
    for label, (least, greatest) in reach.items():
        _, rows, columns = np.nonzero(masks == label)
        assert (rows.min(), columns.min()) == least
        assert (rows.max(), columns.max()) == greatest
    both = [(masks == label).any((1, 2)).mean() for label in (1, 2)]
    assert min(both) > 0.4


def test_any_order_of_channels_is_as_likely():
    images, masks = composed(True, count=600, most=1)
    pairs = zip(images, masks, strict=True)
    seen = [tuple(image[mask == 1][0]) for image, mask in pairs if 1 in mask]
    counts = [seen.count(tuple(color)) for color in np.diag([250] * 3)]
    assert min(counts) > len(seen) / 5


@pytest.mark.parametrize("turns", [1, 4])
def test_parts_turn_where_that_does_not_change_their_class(turns):
    _, masks = composed(True, most=1, turns=turns)
    extents = {
        (int(mask.any(1).sum()), int(mask.any(0).sum())) for mask in masks == 1
    } - {(0, 0)}
    # A standing part near the border may be cut.
    assert ((4, 6) in extents, (6, 4) in extents) == (True, turns == 4)


def test_a_quarter_turn_is_that_of_numpy():
    patches = np.random.default_rng(0).random((4, 5, 5, 4)).astype(np.float32)
    turned = _rotate(tf.constant(patches), tf.range(4))
    for quarters, (before, after) in enumerate(zip(patches, turned, strict=True)):
        np.testing.assert_array_equal(after, np.rot90(before, quarters))


@pytest.mark.parametrize(("share", "label"), [(140, 2), (110, 0)])
def test_a_pixel_belongs_to_what_covers_more_than_half(share, label):
    images, masks = composed(True, most=1, share=share)
    # Two channels above those of the backgrounds: the second class.
    twice = (images > 101).sum(axis=-1) == 2
    assert twice.any()
    assert (masks[twice] == label).all()
    lit = np.sort(images[twice], axis=-1)[:, 1]
    behind = 100 * (1 - share / 255)
    assert (np.abs(lit - 250 * share / 255) <= behind + 1).all()


def test_a_seed_is_an_image():
    first, again, other = composed(True), composed(True), composed(True, seed=1)
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[0] != other[0]).any(axis=(1, 2, 3)).mean() > 0.9
