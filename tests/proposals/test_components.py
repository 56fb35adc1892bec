"""Objects of several colors before a static background, found without labels."""

import numpy as np
import pytest
from cirs_tf.proposals.components import (
    components,
    propose,
    single_objects,
    static_background,
)

SIDE = 32
COLORS = (((250, 220, 20), (10, 10, 10)), ((220, 30, 30), (30, 160, 60)))


def scenes(count, seed=0):
    """Return images and truth: two squares of two colors each, which may touch."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(90, 200, SIDE)[:, None, None]
    sky = np.broadcast_to(slope * [0.5, 0.8, 1.2], (SIDE, SIDE, 3)).astype(np.uint8)
    images = np.repeat(sky[None], count, axis=0)
    truth = np.zeros((count, SIDE, SIDE), np.uint8)
    for image, mask in zip(images, truth, strict=True):
        for number in rng.permutation(2):
            y, x = rng.integers(0, SIDE - 8, 2)
            image[y : y + 8, x : x + 8] = COLORS[number][0]
            image[y : y + 4, x : x + 8] = COLORS[number][1]
            mask[y : y + 8, x : x + 8] = number + 1
    return images, truth, sky


def test_labels_are_right_where_they_are_given():
    images, truth, sky = scenes(300)
    found = propose(images, objects=2, canvas=16, difference=0.02, seed=0)
    np.testing.assert_allclose(found.background, sky / 255, atol=1e-3)
    sure = found.labels != 255
    assert sure.mean() > 0.9
    assert (truth[sure & (found.labels == 0)] == 0).all()
    partners = []
    for label in (1, 2):
        there = truth[found.labels == label]
        counts = np.bincount(there, minlength=3)
        partners.append(counts.argmax())
        assert counts.max() / counts.sum() > 0.98
        assert len(there) > 300 * 64 / 4
    assert sorted(partners) == [1, 2]


def test_an_exemplar_is_one_whole_object_in_the_middle():
    images, _, _ = scenes(300)
    found = propose(images, objects=2, canvas=16, difference=0.02, seed=0)
    seen = set()
    for exemplar in found.exemplars:
        assert exemplar.colors.shape == (16, 16, 3)
        assert exemplar.support.sum() == 64
        rows, columns = np.nonzero(exemplar.support)
        assert abs(rows.mean() - 7.5) <= 1 and abs(columns.mean() - 7.5) <= 1
        colors = np.unique(np.round(255 * exemplar.colors[exemplar.support]), axis=0)
        assert len(colors) == 2
        seen.add(tuple(map(tuple, colors.astype(int).tolist())))
    assert seen == {tuple(sorted(pair)) for pair in COLORS}


def test_objects_that_touch_are_no_object_of_their_own():
    """A large cluster of mixtures does not displace a small one of an object."""
    rng = np.random.default_rng(0)
    pure = np.array([[1.0, 0, 0, 0], [0, 0.5, 0.5, 0], [0.4, 0.3, 0.3, 0]])
    true = np.repeat([0, 1, 2], [60, 40, 200])
    shares = np.abs(pure[true] + rng.normal(0, 0.004, (300, 4)))
    shares /= shares.sum(axis=1, keepdims=True)
    found = single_objects(np.sqrt(shares), np.full(300, 9), count=2, seed=0)
    assert (found[true == 2] == -1).all()
    for one in (0, 1):
        numbers = found[(true == one) & (found >= 0)]
        assert len(numbers) > 20 and len(set(numbers)) == 1


def test_background_where_objects_cover_it_half_of_the_time():
    rng = np.random.default_rng(0)
    images = np.full((120, 4, 4, 3), 0.2, np.float32)
    hidden = rng.random((120, 4, 4)) < 0.55
    images[hidden] = rng.random((hidden.sum(), 3))
    np.testing.assert_allclose(static_background(images, 0.01), 0.2, atol=0.02)


def test_specks_and_lines_are_left_out_and_borders_noticed():
    images = np.zeros((1, 40, 40, 3), np.float32)
    differs = np.zeros((1, 40, 40), bool)
    differs[0, 5, 5] = True
    differs[0, 15, 5:25] = True
    differs[0, 0:6, 10:16] = True
    differs[0, 20:28, 20:27] = True
    differs[0, 34:40, 2:8] = True
    top, inner, bottom = components(images, differs)
    assert (top.whole, inner.whole, bottom.whole) == (False, True, False)
    assert inner.area == 56
    assert (inner.rows, inner.columns) == (slice(20, 28), slice(20, 27))


def test_nothing_stands_out():
    images = np.full((20, SIDE, SIDE, 3), 7, np.uint8)
    with pytest.raises(ValueError, match="0 connected parts differ"):
        propose(images, objects=2, canvas=16, difference=0.02, seed=0)


def test_a_rim_that_is_mostly_background_is_left_to_it():
    images = np.full((60, SIDE, SIDE, 3), 40, np.uint8)
    rng = np.random.default_rng(0)
    for image in images:
        y, x = rng.integers(2, SIDE - 12, 2)
        image[y : y + 10, x : x + 10] = (40 * 7 + 240 * 3) // 10  # covered by 0.3
        image[y + 1 : y + 9, x : x + 10] = (40 * 3 + 240 * 7) // 10  # by 0.7
        image[y + 1 : y + 9, x + 1 : x + 9] = 240
    found = propose(images, objects=1, canvas=16, difference=0.02, seed=0)
    for image, labels in zip(images, found.labels, strict=True):
        np.testing.assert_array_equal(labels == 1, image[..., 0] > 150)
        assert not (labels == 255).any()


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_objects_of_one_color_are_of_one_kind():
    images = np.zeros((40, SIDE, SIDE, 3), np.uint8)
    rng = np.random.default_rng(0)
    for image in images:
        y, x = rng.integers(0, SIDE - 8, 2)
        image[y : y + 8, x : x + 8] = (200, 30, 30)
    with pytest.raises(ValueError, match="of 1 kinds by their colors, fewer than"):
        propose(images, objects=2, canvas=16, difference=0.02, seed=0)
