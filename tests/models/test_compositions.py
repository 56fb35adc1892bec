"""Compositions, read back from their colours."""

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.models.compositions import Compositions

SIZE = (24, 30)
# Each kind has colours of its own: of pixel and part one tells the other.
COLOURS = np.array([[250, 0, 0], [0, 250, 0]], np.uint8)
BEHIND = np.array([[0, 0, 250], [0, 0, 100]], np.uint8)
EXTENTS = ((4, 6), (2, 2))  # rows and columns


def composed(overlap, count=200, most=3, seed=0, share=255):
    compositions = Compositions(SIZE, 0.5, kinds=2, members=3, overlap=overlap)
    canvas = compositions.canvas
    assert canvas == 12
    patches = np.zeros((2, 3, canvas, canvas, 4), np.uint8)
    for kind, (rows, columns) in enumerate(EXTENTS):
        top, left = canvas // 2 - rows // 2, canvas // 2 - columns // 2
        inside = patches[kind, :, top : top + rows, left : left + columns]
        inside[..., :3], inside[..., 3] = COLOURS[kind], share
    middles = np.array([[[2, 3], [22, 27]], [[5, 6], [7, 20]]], np.float32)
    compositions.bank.assign(patches, middles, BEHIND, most)
    images, masks = compositions.draw(count, tf.constant([seed, 7]))
    return np.rint(255 * images.numpy()).astype(int), masks.numpy()


@pytest.mark.parametrize("overlap", [True, False])
def test_a_mask_names_what_is_seen(overlap):
    images, masks = composed(overlap)
    colours = np.concatenate([BEHIND[:1], COLOURS])
    for image, mask in zip(images, masks, strict=True):
        behind = mask == 0
        assert tuple(image[behind][0]) in {tuple(one) for one in BEHIND.tolist()}
        assert (image[behind] == image[behind][0]).all()
        np.testing.assert_array_equal(image[~behind], colours[mask[~behind]])


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


def test_parts_lie_where_their_kind_was_seen():
    _, masks = composed(True, most=1)
    reach = {1: ((0, 0), (23, 29)), 2: ((4, 5), (7, 20))}
    for label, (least, greatest) in reach.items():
        _, rows, columns = np.nonzero(masks == label)
        assert (rows.min(), columns.min()) == least
        assert (rows.max(), columns.max()) == greatest
    both = [(masks == label).any((1, 2)).mean() for label in (1, 2)]
    assert min(both) > 0.4


@pytest.mark.parametrize(("share", "label"), [(140, 2), (110, 0)])
def test_a_pixel_belongs_to_what_covers_more_than_half(share, label):
    images, masks = composed(True, most=1, share=share)
    touched = (images[..., :2] > 0).any(axis=-1)
    assert touched.any()
    green = images[..., 1] > 0
    assert (masks[green] == label).all()
    np.testing.assert_allclose(images[green][:, 1], 250 * share / 255, atol=1)


def test_a_seed_is_an_image():
    first, again, other = composed(True), composed(True), composed(True, seed=1)
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[0] != other[0]).any(axis=(1, 2, 3)).mean() > 0.9
