"""Scores against annotators: the benchmark's averages, on scores of partitions."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cirs_tf.metrics.annotators import AnnotatorScores, score_annotators

few = settings(max_examples=40)
HALVES = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
WHOLE = np.zeros_like(HALVES)


@st.composite
def annotated_images(draw, most: int = 3):
    """One to three annotations of up to 4 x 4 pixels, and a predicted map."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    maps = arrays(np.int64, shape, elements=st.integers(0, 4))
    return draw(st.lists(maps, min_size=1, max_size=most)), draw(maps)


def probabilistic_rand_of_pairs(annotations, labels) -> float:
    """Unnikrishnan et al. 2007: p is the share of annotators who join a pair."""
    terms = []
    for a, b in itertools.combinations(np.ndindex(labels.shape), 2):
        p = np.mean([annotation[a] == annotation[b] for annotation in annotations])
        terms.append(p if labels[a] == labels[b] else 1 - p)
    return np.mean(terms) if terms else 1.0


@few
@given(annotated_images())
def test_probabilistic_rand_index_is_that_of_pixel_pairs(image):
    annotations, labels = image
    scores = score_annotators([annotations], [labels])
    expected = probabilistic_rand_of_pairs(annotations, labels)
    assert scores.probabilistic_rand == pytest.approx(expected, abs=1e-12)
    assert scores.images == 1


def test_covering_counts_images_by_their_annotations_the_others_do_not():
    scores = score_annotators([[WHOLE], [WHOLE] * 3], [WHOLE, HALVES])
    assert scores.covering == pytest.approx((1 + 3 * 0.5) / 4)
    # Halves where the annotators saw one region: 12 of 28 pairs joined; one bit.
    assert scores.probabilistic_rand == pytest.approx((1 + 12 / 28) / 2)
    assert scores.variation_of_information == pytest.approx((0 + 1) / 2)
    assert scores.images == 2


def test_covering_counts_images_by_their_pixels():
    # By hand: 2 pixels wholly covered, 8 by a half.
    small = np.zeros((1, 2), int)
    scores = score_annotators([[small], [WHOLE]], [small, HALVES])
    assert scores.covering == pytest.approx((2 + 8 * 0.5) / 10)


def test_annotators_who_disagree():
    # By hand: right for the first annotator, halves of the second's one region.
    scores = score_annotators([[HALVES, WHOLE]], [HALVES])
    assert scores.covering == 0.75
    assert scores.probabilistic_rand == pytest.approx((1 + 12 / 28) / 2)
    assert scores.variation_of_information == 0.5


@few
@given(annotated_images(most=1))
def test_perfect_under_other_names(image):
    _, labels = image
    renamed = (7 - 3 * labels).astype(np.int16)  # negative numbers, too
    scores = score_annotators([[labels]], [renamed])
    assert scores == AnnotatorScores(1.0, 1.0, 0.0, 1)


def test_a_region_for_every_pixel_of_a_picture():
    # 154,401 regions on both sides: a dense table would have 2e10 entries.
    pixels = np.arange(321 * 481, dtype=np.int32).reshape(321, 481)
    scores = score_annotators([[pixels[::-1], np.zeros_like(pixels)]], [pixels])
    assert scores.covering == pytest.approx((1 + 1 / pixels.size) / 2, rel=1e-12)
    assert scores.probabilistic_rand == 0.5
    assert scores.variation_of_information == pytest.approx(math.log2(pixels.size) / 2)


MAP = np.zeros((2, 3), np.uint8)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        ([], [], "no images to score"),
        ([], [MAP], "y_true: expected the annotations of 1 images, got 0"),
        ([[MAP], []], [MAP, MAP], "image 1: no annotations"),
        (
            [[MAP], [MAP, MAP.T]],
            [MAP, MAP],
            r"image 1: y_true and y_pred: expected one shape, got \(3, 2\) and \(2, 3",
        ),
        ([[MAP]], [MAP + 0.5], r"image 0: y_pred: expected \[height, .* got float64"),
        # The arguments in the wrong order.
        (MAP[None], [[MAP]], r"image 0: y_true: expected \[height, .* got uint8 \(3,"),
    ],
)
def test_what_cannot_be_scored_is_refused(y_true, y_pred, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        score_annotators(y_true, y_pred)
