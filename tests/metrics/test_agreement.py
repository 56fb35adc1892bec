"""Agreement of segmentations: by hand, by brute force, and what cannot win."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cirs_tf.metrics.agreement import (
    matched_agreement,
    pixel_agreement,
    segment_agreement,
)


def brute_force(first, second, num_segments, order):
    """Follow the definition with sets of pixels; `order` renumbers `second`."""

    def mean_iou(a, b):
        ious = []
        for segment, partner in enumerate(order):
            x = set(np.flatnonzero(a.ravel() == segment))
            y = set(np.flatnonzero(b.ravel() == partner))
            ious.append(len(x & y) / len(x | y) if x | y else 0.0)
        return sum(ious) / num_segments

    half = len(second) // 2
    moved = np.concatenate([second[len(second) - half :], second[: len(second) - half]])
    same, chance = mean_iou(first, second), mean_iou(first, moved)
    return same, 0.0 if chance == 1 else (same - chance) / (1 - chance)


def some_labels(seed, images=3, segments=3):
    rng = np.random.default_rng(seed)
    return rng.integers(0, segments, (images, 3, 4)).astype(np.uint8)


def test_agreement_by_hand():
    first = np.array([[[0, 0, 1, 1]], [[1, 0, 0, 0]]])
    second = np.array([[[0, 0, 0, 1]], [[1, 0, 0, 0]]])
    # Same images: segment 0 has 5 of 6 pixels in common, segment 1 has 2 of 3, and
    # segment 2 is empty: a = (5/6 + 2/3 + 0) / 3 = 1/2.
    # The other image, 0011 with 1000 and 1000 with 0001: segment 0 has 1 of 4 and 2 of
    # 4 places in common, segment 1 none: c = (3/8 + 0 + 0) / 3 = 1/8.
    assert pixel_agreement(first, second) == 7 / 8
    agreement = segment_agreement(first, second, 3)
    assert agreement == pytest.approx((1 / 2 - 1 / 8) / (7 / 8))


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(2, 4))
def test_scores_follow_the_definition_on_sets_of_pixels(seed, images, segments):
    first = some_labels(seed, images, segments)
    second = some_labels(seed + 1, images, segments)
    _, expected = brute_force(first, second, segments, range(segments))
    assert segment_agreement(first, second, segments) == pytest.approx(expected)
    tried = [
        brute_force(first, second, segments, order)
        for order in itertools.permutations(range(segments))
    ]
    best = max(same for same, _ in tried)
    wanted = [value for same, value in tried if same == pytest.approx(best, abs=1e-12)]
    agreement = matched_agreement(first, second, segments)
    assert any(agreement == pytest.approx(value) for value in wanted)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.permutations(range(3)))
def test_segment_numbers_do_not_matter_when_matched(seed, order):
    labels = some_labels(seed, images=4)
    renumbered = np.array(order)[labels]
    assert matched_agreement(labels, renumbered, 3) == pytest.approx(1)
    assert segment_agreement(labels, labels, 3) == pytest.approx(1)


@pytest.mark.parametrize("agreement", [segment_agreement, matched_agreement])
def test_segmentations_that_ignore_the_image_score_0(agreement):
    collapse = np.zeros((4, 8, 8), np.uint8)
    assert pixel_agreement(collapse, collapse) == 1
    assert agreement(collapse, collapse, 4) == 0
    carved = collapse.copy()
    for segment in range(4):
        carved[:, 2 * segment : 2 * segment + 2] = segment
    assert agreement(carved, carved, 4) == 0  # also where c is 1
    carved[:, :2] = 1
    assert agreement(carved, carved, 4) == 0
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 4, (2, 20, 64, 64))
    assert abs(agreement(*noise, 4)) < 0.01


def test_fewer_segments_agree_less():
    """Two of four segments, perfectly found, are below four with some pixels wrong."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, (6, 16, 16))
    two = np.minimum(labels, 1)
    wrong = np.where(rng.random(labels.shape) < 0.1, (labels + 1) % 4, labels)
    assert segment_agreement(two, two, 4) < 0.5
    assert segment_agreement(labels, wrong, 4) > 0.7


def test_shapes_must_be_equal():
    labels = some_labels(0)
    message = r"first and second: expected one shape, got \(3, 3, 4\) and \(3, 3, 3\)"
    with pytest.raises(ValueError, match=message):
        matched_agreement(labels, labels[..., :3], 3)


def test_one_image_is_too_few():
    labels = some_labels(0, images=1)
    with pytest.raises(ValueError, match="two images or more, got 1"):
        segment_agreement(labels, labels, 3)
