"""Proposals taken from the segments that a segmenter has found."""

import numpy as np
import pytest

from cirs_tf.proposals.segment_proposals import segment_proposals

SIDE, CANVAS = 20, 12
COLORS = np.array([(30, 30, 30), (200, 40, 10), (10, 60, 220)], np.uint8)


def scenes(count):
    """Return images and truth: a square and a bar before a ground that gets lighter."""
    truth = np.zeros((count, SIDE, SIDE), np.uint8)
    rng = np.random.default_rng(0)
    for mask in truth:
        mask[rng.integers(1, 14) :, rng.integers(1, 5) :][:4, :4] = 1
        mask[rng.integers(1, 16) :, rng.integers(10, 14) :][:2, :5] = 2
    images = COLORS[truth]
    images[truth == 0] += np.repeat(np.arange(count), (truth == 0).sum((1, 2)))[
        :, None
    ].astype(np.uint8)
    return images, truth


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_the_segment_at_the_border_is_background_the_others_keep_their_order(order):
    images, truth = scenes(9)
    labels = np.array(order, np.uint8)[truth]
    found = segment_proposals(images, labels, 2, CANVAS)
    objects = sorted((1, 2), key=lambda index: order[index])
    expected = np.zeros_like(truth)
    for rank, index in enumerate(objects, start=1):
        expected[truth == index] = rank
    np.testing.assert_array_equal(found.labels, expected)
    assert found.components_per_object == (9, 9)
    for exemplar, index in zip(found.exemplars, objects, strict=True):
        assert exemplar.support.sum() == (16, 10)[index - 1]
        assert (np.rint(255 * exemplar.colors[exemplar.support]) == COLORS[index]).all()
    # The median over the images in which a pixel is background, by a loop.
    for row, column in np.ndindex(SIDE, SIDE):
        seen = images[truth[:, row, column] == 0, row, column] / 255
        np.testing.assert_allclose(
            found.background[row, column], np.median(seen, axis=0), atol=1e-6
        )


def test_a_segment_of_specks_is_an_error():
    images, truth = scenes(3)
    truth[truth == 2] = 0
    truth[:, 3, 3] = 2
    big = np.zeros((3, 60, 60), np.uint8)
    big[:, :SIDE, :SIDE] = truth
    with pytest.raises(ValueError, match="segment 2 has no part larger than a speck"):
        segment_proposals(COLORS[big], big, 2, CANVAS)


def test_a_segment_that_no_pixel_has_is_an_error():
    images, truth = scenes(3)
    with pytest.raises(ValueError, match="segment 3 has no part larger than a speck"):
        segment_proposals(images, truth, 3, CANVAS)
