"""Confusion matrices against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import confusion_matrix

from cirs_tf.metrics.confusion import confusion_matrices


@st.composite
def label_maps(draw):
    segments, classes = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    shape = draw(st.tuples(*[st.integers(1, 4)] * 3))
    predicted = draw(arrays(np.uint8, shape, elements=st.integers(0, segments - 1)))
    labels = st.one_of(st.integers(0, classes - 1), st.just(255))
    truth = draw(arrays(np.uint8, shape, elements=labels))
    return predicted, truth, segments, classes


@given(label_maps())
def test_each_matrix_is_that_of_scikit_learn_without_ignored_pixels(maps):
    predicted, truth, segments, classes = maps
    found = confusion_matrices(predicted, truth, segments, classes)
    assert found.shape == (len(predicted), segments, classes)
    assert found.dtype == np.int64
    for matrix, image, labels in zip(found, predicted, truth, strict=True):
        counted = labels != 255
        if not counted.any():
            assert matrix.sum() == 0
            continue
        size = max(segments, classes, 2)  # scikit-learn warns of a single label
        # scikit-learn has the truth in rows.
        expected = confusion_matrix(
            labels[counted], image[counted], labels=list(range(size))
        ).T
        np.testing.assert_array_equal(matrix, expected[:segments, :classes])


def test_another_ignore_label_and_class_255():
    predicted, truth = np.array([[[0, 1, 1]]]), np.array([[[255, 0, 7]]])
    found = confusion_matrices(predicted, truth, 2, 256, ignore_label=7)
    assert found.sum() == 2
    assert found[0, 0, 255] == found[0, 1, 0] == 1


def test_prediction_of_an_ignored_pixel_may_be_anything():
    predicted, truth = np.array([[[-1, 1, 99]]]), np.array([[[255, 0, 255]]])
    found = confusion_matrices(predicted, truth, 2, 1)
    np.testing.assert_array_equal(found, [[[0], [1]]])


@pytest.mark.parametrize(
    ("predicted", "truth", "message"),
    [
        ([[[0, 1]]], [[[0], [1]]], r"one shape, got \(1, 1, 2\) and \(1, 2, 1\)"),
        ([[[0, 2]]], [[[0, 1]]], r"predicted: expected labels in \[0, 2\).*2\]"),
        ([[[0, -1]]], [[[0, 1]]], r"predicted: expected labels in \[0, 2\).*\[-1"),
        ([[[0, 1]]], [[[0, 3]]], r"truth: expected labels in \[0, 3\).*3\]"),
        ([[[0, 1]]], [[[-2, 0]]], r"truth: expected labels in \[0, 3\).*\[-2"),
    ],
)
def test_what_cannot_be_counted_is_refused(predicted, truth, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrices(np.array(predicted), np.array(truth), 2, 3)
