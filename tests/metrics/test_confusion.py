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
    num_segments, num_classes = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    shape = draw(st.tuples(*[st.integers(1, 4)] * 3))
    y_pred = draw(arrays(np.uint8, shape, elements=st.integers(0, num_segments - 1)))
    labels = st.one_of(st.integers(0, num_classes - 1), st.just(255))
    y_true = draw(arrays(np.uint8, shape, elements=labels))
    return y_true, y_pred, num_segments, num_classes


@given(label_maps())
def test_each_matrix_is_that_of_scikit_learn_without_ignored_pixels(maps):
    y_true, y_pred, num_segments, num_classes = maps
    matrices = confusion_matrices(y_true, y_pred, num_segments, num_classes)
    assert matrices.shape == (len(y_pred), num_segments, num_classes)
    assert matrices.dtype == np.int64
    for matrix, true_labels, labels in zip(matrices, y_true, y_pred, strict=True):
        counted = true_labels != 255
        if not counted.any():
            assert matrix.sum() == 0
            continue
        size = max(num_segments, num_classes, 2)  # scikit-learn warns of a single label
        # scikit-learn has the truth in rows.
        expected = confusion_matrix(
            true_labels[counted], labels[counted], labels=list(range(size))
        ).T
        np.testing.assert_array_equal(matrix, expected[:num_segments, :num_classes])


def test_another_ignored_class_makes_255_a_class():
    y_true, y_pred = np.array([[[255, 0, 7]]]), np.array([[[0, 1, 1]]])
    matrices = confusion_matrices(y_true, y_pred, 2, 256, ignore_class=7)
    assert matrices.sum() == 2
    assert matrices[0, 0, 255] == matrices[0, 1, 0] == 1


def test_without_an_ignored_class_every_pixel_counts():
    y_true, y_pred = np.array([[[255, 0, 7]]]), np.array([[[0, 1, 1]]])
    assert confusion_matrices(y_true, y_pred, 2, 256, ignore_class=None).sum() == 3
    with pytest.raises(ValueError, match=r"y_true: expected labels in \[0, 255\)"):
        confusion_matrices(y_true, y_pred, 2, 255, ignore_class=None)


def test_prediction_of_an_ignored_pixel_may_be_anything():
    y_true, y_pred = np.array([[[255, 0, 255]]]), np.array([[[-1, 1, 99]]])
    matrices = confusion_matrices(y_true, y_pred, 2, 1)
    np.testing.assert_array_equal(matrices, [[[0], [1]]])


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        ([[[0], [1]]], [[[0, 1]]], r"one shape, got \(1, 2, 1\) and \(1, 1, 2\)"),
        ([[[0, 1]]], [[[0, 2]]], r"y_pred: expected labels in \[0, 2\).*2\]"),
        ([[[0, 1]]], [[[0, -1]]], r"y_pred: expected labels in \[0, 2\).*\[-1"),
        ([[[0, 3]]], [[[0, 1]]], r"y_true: expected labels in \[0, 3\).*3\]"),
        ([[[-2, 0]]], [[[0, 1]]], r"y_true: expected labels in \[0, 3\).*\[-2"),
    ],
)
def test_what_cannot_be_counted_is_refused(y_true, y_pred, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrices(np.array(y_true), np.array(y_pred), 2, 3)
