"""Partitions compared: pixel pairs, sets of pixels, scikit-learn, by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score, rand_score

from cirs_tf.metrics.partition_scores import partition_scores

few = settings(max_examples=40)


@st.composite
def label_maps(draw, count: int = 2):
    """Maps of one shape, up to 4 x 4 pixels."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    maps = arrays(np.int64, shape, elements=st.integers(0, 4))
    return [draw(maps) for _ in range(count)]


def pixels_of(labels, label) -> set:
    return {pixel for pixel in np.ndindex(labels.shape) if labels[pixel] == label}


def covering_of_sets(y_true, y_pred) -> float:
    """Arbelaez et al. 2011, 2.3, on sets of pixels."""
    total = 0.0
    for label in set(y_true.flat):
        region = pixels_of(y_true, label)
        others = [pixels_of(y_pred, other) for other in set(y_pred.flat)]
        total += len(region) * max(len(region & o) / len(region | o) for o in others)
    return total / y_true.size


def rand_index_of_pairs(y_true, y_pred) -> float:
    """Rand 1971: the share of pixel pairs joined by both or by neither."""
    pairs = itertools.combinations(np.ndindex(y_pred.shape), 2)
    agreed = [(y_true[a] == y_true[b]) == (y_pred[a] == y_pred[b]) for a, b in pairs]
    return np.mean(agreed) if agreed else 1.0


def information_by_libraries(y_true, y_pred) -> float:
    """Meila 2005, from nats to bits."""
    entropies = [
        entropy(np.unique(labels, return_counts=True)[1]) for labels in (y_true, y_pred)
    ]
    shared = mutual_info_score(y_true.ravel(), y_pred.ravel())
    return (sum(entropies) - 2 * shared) / math.log(2)


@few
@given(label_maps())
def test_scores_against_sets_pairs_and_libraries(maps):
    scores = partition_scores(*maps)
    assert scores.covering == pytest.approx(covering_of_sets(*maps), abs=1e-12)
    assert scores.rand_index == pytest.approx(rand_index_of_pairs(*maps), abs=1e-12)
    assert scores.variation_of_information == pytest.approx(
        information_by_libraries(*maps),
        abs=1e-9,  # the libraries' differences of logarithms round
    )


def test_larger_maps_against_scikit_learn():
    rng = np.random.default_rng(0)
    y_pred = rng.integers(0, 300, (60, 70))
    y_true = (y_pred + (rng.random((60, 70)) < 0.3)) // 7
    scores = partition_scores(y_true.astype(np.uint16), y_pred)
    expected = rand_score(y_true.ravel(), y_pred.ravel())
    assert scores.rand_index == pytest.approx(expected, abs=1e-12)
    assert scores.variation_of_information == pytest.approx(
        information_by_libraries(y_true, y_pred), abs=1e-9
    )


# Predicted: two halves of 4 pixels. Truth: the left column, 2 pixels, and the rest.
HALVES = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
COLUMN = np.array([[5, 7, 7, 7], [5, 7, 7, 7]])


def test_scores_by_hand():
    scores = partition_scores(COLUMN, HALVES)
    # Column: 2 of the left half's 4. Rest: 4 of 6 with the right half, 2 of 8 left.
    assert scores.covering == pytest.approx((2 * 2 / 4 + 6 * 4 / 6) / 8)
    # 28 pairs. Joined by both: 1 + 1 + 6 = 8; by the prediction: 12; by the truth: 16.
    assert scores.rand_index == pytest.approx((28 - (12 - 8) - (16 - 8)) / 28)
    # H(truth | predicted): one bit on the left half, none on the right.
    # H(predicted | truth): of the rest's 6 pixels 2 lie left and 4 right.
    rest = -(1 / 3 * math.log2(1 / 3) + 2 / 3 * math.log2(2 / 3))
    expected = 0.5 * 1 + 0.75 * rest
    assert scores.variation_of_information == pytest.approx(expected)


def test_covering_is_of_the_truth_by_the_prediction():
    whole = np.zeros_like(HALVES)
    assert partition_scores(whole, HALVES).covering == 0.5  # half of all, by either
    # By hand: all is the best for the column, 2 / 8, and the rest, 6 / 8.
    expected = (2 * 2 + 6 * 6) / 64
    assert partition_scores(COLUMN, whole).covering == pytest.approx(expected)
    assert partition_scores(whole, COLUMN).covering == 6 / 8


def test_information_is_in_bits():
    # One region against 8 of a pixel: log2(8).
    pixels = np.arange(8).reshape(2, 4)
    whole = np.zeros_like(pixels)
    assert partition_scores(pixels, whole).variation_of_information == 3
    assert partition_scores(whole, pixels).variation_of_information == 3
    # As annotators.py says of a true region of 8 of 16 pixels, cut in 4: 8/16 log2(4).
    y_true = np.repeat([[0], [1]], 8, axis=1)
    cut = np.where(y_true == 0, np.arange(8) // 2, 9)
    assert partition_scores(y_true, cut).variation_of_information == 1


def test_a_single_pixel_is_perfect():
    assert partition_scores(np.array([[3]]), np.array([[8]])) == (1, 1, 0)


@few
@given(label_maps(), st.permutations(range(5)), st.integers(-9, 10**12))
def test_names_of_regions_do_not_matter(maps, names, far):
    names = np.array(names) * far if far else np.array(names)
    renamed = partition_scores(*[names[labels] for labels in maps])
    assert renamed == pytest.approx(partition_scores(*maps), abs=1e-12)


@few
@given(label_maps(count=3))
def test_laws_of_ranges_symmetry_and_triangles(maps):
    first, second, third = maps
    there, back = partition_scores(first, second), partition_scores(second, first)
    assert 0 < there.covering <= 1
    assert 0 <= there.rand_index <= 1
    assert there.rand_index == pytest.approx(back.rand_index, abs=1e-12)
    distance = there.variation_of_information
    assert 0 <= distance <= math.log2(first.size) + 1e-12
    assert distance == pytest.approx(back.variation_of_information, abs=1e-12)
    by_way_of_third = (
        partition_scores(first, third).variation_of_information
        + partition_scores(third, second).variation_of_information
    )
    assert distance <= by_way_of_third + 1e-12  # a metric (Meila 2005)


MAP = np.zeros((2, 3), np.uint8)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        (MAP.T, MAP, r"y_true and y_pred: expected one shape, got \(3, 2\) and \(2, 3"),
        (MAP, MAP + 0.5, r"y_pred: expected \[height, width\] integers, got float64 "),
        (MAP[None], MAP, r"y_true: expected .* got uint8 \(1, 2, 3\)"),
        (MAP, MAP[:0], r"y_pred: expected .* got uint8 \(0, 3\)"),
    ],
)
def test_what_is_no_label_map_is_refused(y_true, y_pred, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        partition_scores(y_true, y_pred)
