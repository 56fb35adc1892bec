"""The assignment against a search through all of them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cirs_tf.metrics.matching import iou_matrix, match_segments, matched_iou


def iou(confusion: np.ndarray, segment: int, true_class: int) -> float:
    """Intersection over union of one pair, NaN where both are empty."""
    both = confusion[segment, true_class]
    either = confusion[segment].sum() + confusion[:, true_class].sum() - both
    return both / either if either else float("nan")


def all_assignments(segments: int, classes: int):
    """Every way to give each class its own segment; -1 where segments run out."""
    candidates = list(range(segments)) + [-1] * max(classes - segments, 0)
    return set(itertools.permutations(candidates, classes))


def ious(confusion: np.ndarray, assignment) -> list[float]:
    values = []
    for true_class, segment in enumerate(assignment):
        if segment >= 0:
            values.append(iou(confusion, segment, true_class))
        else:
            values.append(0.0 if confusion[:, true_class].sum() else float("nan"))
    return values


def largest_sum(confusion: np.ndarray) -> float:
    return max(
        np.nansum(ious(confusion, assignment))
        for assignment in all_assignments(*confusion.shape)
    )


counts = st.one_of(st.just(0), st.integers(0, 20))


@st.composite
def confusions(draw, largest: int):
    shape = draw(st.tuples(st.integers(1, largest), st.integers(1, largest)))
    return draw(arrays(np.int64, shape, elements=counts))


@given(confusions(5))
def test_iou_of_every_pair(confusion):
    expected = [
        [iou(confusion, s, c) for c in range(confusion.shape[1])]
        for s in range(confusion.shape[0])
    ]
    np.testing.assert_allclose(iou_matrix(confusion), expected, rtol=1e-12)


@settings(max_examples=100)
@given(confusions(4))
def test_assignment_is_the_best_of_all(confusion):
    assignment = match_segments(confusion)
    assert tuple(assignment) in all_assignments(*confusion.shape)
    found = np.nansum(ious(confusion, assignment))
    assert found == pytest.approx(largest_sum(confusion), abs=1e-12)


@pytest.mark.parametrize("shape", [(5, 5), (6, 6), (6, 3), (3, 6), (2, 6), (6, 5)])
def test_assignment_is_the_best_of_all_of_more_segments(shape):
    confusion = np.random.default_rng(sum(shape)).integers(0, 50, shape)
    found = np.nansum(ious(confusion, match_segments(confusion)))
    assert found == pytest.approx(largest_sum(confusion), abs=1e-12)


@given(confusions(5))
def test_iou_of_the_matched_pairs(confusion):
    assignment = match_segments(confusion)
    found = matched_iou(confusion, assignment)
    np.testing.assert_allclose(found, ious(confusion, assignment), rtol=1e-12)


def test_greedy_choice_would_be_wrong():
    # The largest IoU is 8 of 18, of segment 0 with class 0; it leaves 0 for class 1.
    confusion = np.array([[8, 4], [6, 0]])
    greedy = iou(confusion, 0, 0) + iou(confusion, 1, 1)
    crossed = iou(confusion, 0, 1) + iou(confusion, 1, 0)
    assert greedy == pytest.approx(8 / 18)
    assert crossed == pytest.approx(4 / 12 + 6 / 14)
    np.testing.assert_array_equal(match_segments(confusion), [1, 0])


def test_empty_segment_is_matched_to_the_absent_class():
    confusion = np.array([[5, 0, 1], [0, 0, 0], [1, 0, 5]])
    np.testing.assert_array_equal(match_segments(confusion), [0, 1, 2])
    found = matched_iou(confusion, match_segments(confusion))
    np.testing.assert_allclose(found, [5 / 7, np.nan, 5 / 7])


@pytest.mark.parametrize(
    ("confusion", "best"),
    [
        # Segments 0 and 2 serve classes 3 and 1; segment 1 is left. It has IoU 0 with
        # class 0, which is absent, and with class 2, which is not: the sum is the same,
        # but giving it to class 2 leaves class 0 out of the mean.
        ([[0, 0, 3, 5], [0, 3, 0, 0], [0, 4, 0, 0]], (4 / 7 + 5 / 8 + 0) / 3),
        ([[1, 0, 2, 1], [3, 0, 0, 0], [2, 0, 0, 0]], (3 / 6 + 2 / 4 + 0) / 3),
    ],
)
def test_a_segment_goes_to_an_absent_class_last(confusion, best):
    confusion = np.array(confusion)
    found = np.nanmean(matched_iou(confusion, match_segments(confusion)))
    assert found == pytest.approx(best, abs=1e-12)
    means = [np.nanmean(ious(confusion, a)) for a in all_assignments(*confusion.shape)]
    assert found == pytest.approx(max(means), abs=1e-12)
