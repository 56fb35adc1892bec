"""Scores against annotators: pixel pairs, sets of pixels, scikit-learn, by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score, rand_score

from cirs_tf.metrics.annotators import (
    AnnotatorScores,
    connected_regions,
    covering,
    overlap,
    rand_index,
    score_annotators,
    variation_of_information,
)

few = settings(deadline=None, max_examples=40)


@st.composite
def images(draw, most: int = 3):
    """A predicted map of up to 4 x 4 pixels, and one to three annotators."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    maps = arrays(np.int64, shape, elements=st.integers(0, 4))
    return draw(maps), draw(st.lists(maps, min_size=1, max_size=most))


def pixels_of(labels, label) -> set:
    return {place for place in np.ndindex(labels.shape) if labels[place] == label}


def covering_of_sets(predicted, truth) -> float:
    """Arbelaez et al. 2011, 2.3, on sets of pixels."""
    total = 0.0
    for label in set(truth.flat):
        region = pixels_of(truth, label)
        others = [pixels_of(predicted, other) for other in set(predicted.flat)]
        total += len(region) * max(len(region & o) / len(region | o) for o in others)
    return total / truth.size


def probabilistic_rand_of_pairs(predicted, annotators) -> float:
    """Unnikrishnan et al. 2007: p is the share of annotators who join a pair."""
    terms = []
    for one, two in itertools.combinations(np.ndindex(predicted.shape), 2):
        p = np.mean([truth[one] == truth[two] for truth in annotators])
        terms.append(p if predicted[one] == predicted[two] else 1 - p)
    return np.mean(terms) if terms else 1.0


def information_by_libraries(predicted, truth) -> float:
    """Meila 2005, from nats to bits."""
    entropies = [
        entropy(np.unique(labels, return_counts=True)[1])
        for labels in (predicted, truth)
    ]
    shared = mutual_info_score(truth.ravel(), predicted.ravel())
    return (sum(entropies) - 2 * shared) / math.log(2)


@few
@given(images())
def test_one_image_against_pairs_sets_and_libraries(image):
    predicted, annotators = image
    found = score_annotators([predicted], [annotators])
    assert found.covering == pytest.approx(
        np.mean([covering_of_sets(predicted, truth) for truth in annotators]), abs=1e-12
    )
    assert found.probabilistic_rand == pytest.approx(
        probabilistic_rand_of_pairs(predicted, annotators), abs=1e-12
    )
    assert found.variation_of_information == pytest.approx(
        np.mean([information_by_libraries(predicted, truth) for truth in annotators]),
        abs=1e-9,  # the libraries' differences of logarithms round
    )
    assert found.images == 1


def test_larger_maps_against_scikit_learn():
    rng = np.random.default_rng(0)
    predicted = rng.integers(0, 300, (60, 70))
    truth = (predicted + (rng.random((60, 70)) < 0.3)) // 7
    pairs = overlap(predicted, truth.astype(np.uint16))
    assert rand_index(pairs) == pytest.approx(
        rand_score(truth.ravel(), predicted.ravel()), abs=1e-12
    )
    assert variation_of_information(pairs) == pytest.approx(
        information_by_libraries(predicted, truth), abs=1e-9
    )


# Predicted: two halves of 4 pixels. Truth: the left column, 2 pixels, and the rest.
HALVES = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
COLUMN = np.array([[5, 7, 7, 7], [5, 7, 7, 7]])


def test_by_hand():
    pairs = overlap(HALVES, COLUMN)
    # Column: 2 of the left half's 4. Rest: 4 of 6 with the right half, 2 of 8 left.
    assert covering(pairs) == pytest.approx((2 * 2 / 4 + 6 * 4 / 6) / 8)
    # 28 pairs. Joined by both: 1 + 1 + 6 = 8; by the prediction: 12; by the truth: 16.
    assert rand_index(pairs) == pytest.approx((28 - (12 - 8) - (16 - 8)) / 28)
    # H(truth | predicted): one bit on the left half, none on the right.
    # H(predicted | truth): of the rest's 6 pixels 2 lie left and 4 right.
    rest = -(1 / 3 * math.log2(1 / 3) + 2 / 3 * math.log2(2 / 3))
    assert variation_of_information(pairs) == pytest.approx(0.5 * 1 + 0.75 * rest)


def test_covering_is_of_the_truth_by_the_prediction():
    whole = np.zeros_like(HALVES)
    assert covering(overlap(HALVES, whole)) == 0.5  # either half covers half of all
    # By hand: all is the best for the column, 2 / 8, and the rest, 6 / 8.
    assert covering(overlap(whole, COLUMN)) == pytest.approx((2 * 2 + 6 * 6) / 64)
    assert covering(overlap(COLUMN, whole)) == 6 / 8


def test_information_is_in_bits():
    # One region against 8 of a pixel: log2(8).
    pixels = np.arange(8).reshape(2, 4)
    one = np.zeros_like(pixels)
    assert variation_of_information(overlap(one, pixels)) == 3
    assert variation_of_information(overlap(pixels, one)) == 3
    # What the module says of a true region of 8 of 16 pixels, cut in 4: 8/16 log2(4).
    truth = np.repeat([[0], [1]], 8, axis=1)
    cut = np.where(truth == 0, np.arange(8) // 2, 9)
    assert variation_of_information(overlap(cut, truth)) == 1


def test_covering_counts_images_by_their_annotators_the_others_do_not():
    perfect, halves = np.zeros((2, 4), int), np.zeros((2, 4), int)
    found = score_annotators([perfect, HALVES], [[perfect], [halves] * 3])
    assert found.covering == pytest.approx((1 + 3 * 0.5) / 4)
    # Halves where the annotators saw one region: 12 of 28 pairs joined; one bit.
    assert found.probabilistic_rand == pytest.approx((1 + 12 / 28) / 2)
    assert found.variation_of_information == pytest.approx((0 + 1) / 2)
    assert found.images == 2


def test_annotators_who_disagree():
    # By hand: right for the first annotator, halves of the second's one region.
    found = score_annotators([HALVES], [[HALVES, np.zeros_like(HALVES)]])
    assert found.covering == 0.75
    assert found.probabilistic_rand == pytest.approx((1 + 12 / 28) / 2)
    assert found.variation_of_information == 0.5


@few
@given(images(most=1))
def test_perfect_under_other_names(image):
    predicted, _ = image
    other = (7 - 3 * predicted).astype(np.int16)  # negative numbers, too
    found = score_annotators([other], [[predicted]])
    assert found == AnnotatorScores(1.0, 1.0, 0.0, 1)


@few
@given(images(), st.permutations(range(5)), st.integers(-9, 10**12))
def test_names_of_regions_do_not_matter(image, names, far):
    predicted, annotators = image
    names = np.array(names) * far if far else np.array(names)
    renamed = score_annotators([names[predicted]], [[names[a] for a in annotators]])
    expected = score_annotators([predicted], [annotators])
    for name in ("covering", "probabilistic_rand", "variation_of_information"):
        assert getattr(renamed, name) == pytest.approx(
            getattr(expected, name), abs=1e-12
        )


@few
@given(images())
def test_laws(image):
    predicted, annotators = image
    for truth in annotators:
        there, back = overlap(predicted, truth), overlap(truth, predicted)
        assert 0 < covering(there) <= 1
        assert 0 <= rand_index(there) <= 1
        assert rand_index(there) == pytest.approx(rand_index(back), abs=1e-12)
        distance = variation_of_information(there)
        assert 0 <= distance <= math.log2(predicted.size) + 1e-12
        assert distance == pytest.approx(variation_of_information(back), abs=1e-12)
        by_way_of_first = variation_of_information(
            overlap(predicted, annotators[0])
        ) + variation_of_information(overlap(annotators[0], truth))
        assert distance <= by_way_of_first + 1e-12  # a metric (Meila 2005)


def test_a_region_for_every_pixel_of_a_picture():
    # 154,401 regions on both sides: a dense table would have 2e10 entries.
    pixels = np.arange(321 * 481, dtype=np.int32).reshape(321, 481)
    found = score_annotators([pixels], [[pixels[::-1], np.zeros_like(pixels)]])
    assert found.covering == pytest.approx((1 + 1 / pixels.size) / 2, rel=1e-12)
    assert found.probabilistic_rand == 0.5
    assert found.variation_of_information == pytest.approx(math.log2(pixels.size) / 2)


def flooded(labels) -> np.ndarray:
    """Number the regions one flood after the other."""
    regions = np.zeros(labels.shape, int)
    for start in np.ndindex(labels.shape):
        if regions[start]:
            continue
        number = regions.max() + 1
        open_places = [start]
        while open_places:
            row, column = place = open_places.pop()
            inside = 0 <= row < labels.shape[0] and 0 <= column < labels.shape[1]
            if inside and not regions[place] and labels[place] == labels[start]:
                regions[place] = number
                for step in (-1, 1):
                    open_places += [(row + step, column), (row, column + step)]
    return regions


@few
@given(arrays(np.uint8, st.tuples(st.integers(1, 7), st.integers(1, 7))))
def test_connected_regions_against_a_flood(values):
    labels = values % 3
    found = connected_regions(labels)
    expected = flooded(labels)
    assert found.shape == labels.shape and found.dtype == np.int32
    assert set(found.flat) == set(range(1, expected.max() + 1))
    assert score_annotators([found], [[expected]]) == AnnotatorScores(1.0, 1.0, 0.0, 1)


def test_connected_regions_by_hand():
    labels = np.array([[0, 0, 1], [1, 0, 0], [2, 1, 0]], np.uint8)  # corners part
    expected = np.array([[1, 1, 2], [3, 1, 1], [4, 5, 1]])
    np.testing.assert_array_equal(connected_regions(labels), expected)


MAP = np.zeros((2, 3), np.uint8)


@pytest.mark.parametrize(
    ("predicted", "segmentations", "message"),
    [
        ([], [], "no images to score"),
        ([MAP], [], "segmentations: expected those of 1 images, got 0"),
        ([MAP, MAP], [[MAP], []], "image 1: no annotators"),
        (
            [MAP, MAP],
            [[MAP], [MAP, MAP.T]],
            r"image 1: predicted and truth: expected one shape, got \(2, 3\) and "
            r"\(3, 2\)",
        ),
        (
            [MAP + 0.5],
            [[MAP]],
            r"image 0: predicted: expected \[height, width\] integers, got float64 "
            r"\(2, 3\)",
        ),
        (
            [MAP],
            [[MAP[None]]],
            r"image 0: truth: expected \[height, width\] integers, got uint8 "
            r"\(1, 2, 3\)",
        ),
        ([MAP[:0]], [[MAP[:0]]], r"image 0: predicted: .* got uint8 \(0, 3\)"),
    ],
)
def test_what_cannot_be_scored(predicted, segmentations, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        score_annotators(predicted, segmentations)


def test_connected_regions_of_what_is_no_label_map():
    with pytest.raises(ValueError, match="^labels: expected .* got uint8"):
        connected_regions(MAP[None])
