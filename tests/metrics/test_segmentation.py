"""Every score against a search, scikit-learn or a hand calculation."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import adjusted_rand_score

from cirs_tf.metrics.segmentation import SegmentationMetric


def scores(y_true, y_pred, num_segments, num_classes, **options):
    metric = SegmentationMetric(num_segments, num_classes, **options)
    metric.update_state(np.asarray(y_true), np.asarray(y_pred))
    return metric.result()


def best_mean_iou(y_true, y_pred, num_segments, num_classes) -> float:
    """Thesis 5.1.2 of one image from its pixels, by trying every assignment."""
    candidates = list(range(num_segments))
    candidates += [None] * max(num_classes - num_segments, 0)
    best = 0.0
    for assignment in set(itertools.permutations(candidates, num_classes)):
        values = []
        for true_class, segment in enumerate(assignment):
            is_class = y_true == true_class
            is_segment = (y_pred == segment) & (y_true != 255)
            union = (is_class | is_segment).sum()
            if union:  # absent from truth and prediction: left out
                values.append((is_class & is_segment).sum() / union)
        best = max(best, sum(values) / len(values))
    return best


@st.composite
def label_maps(draw, ignored: bool = True):
    """Up to three images of up to 4 x 4 pixels, each with a labeled pixel."""
    num_segments, num_classes = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)))
    y_pred = draw(arrays(np.uint8, shape, elements=st.integers(0, num_segments - 1)))
    labels = st.integers(0, num_classes - 1)
    labels = st.one_of(labels, labels, st.just(255)) if ignored else labels
    y_true = draw(arrays(np.uint8, shape, elements=labels))
    y_true[:, 0, 0] = np.where(y_true[:, 0, 0] == 255, 0, y_true[:, 0, 0])
    return y_true, y_pred, num_segments, num_classes


@settings(max_examples=150)
@given(label_maps())
def test_miou_thesis_is_the_best_of_all_assignments_of_each_image(maps):
    y_true, y_pred, num_segments, num_classes = maps
    expected = [
        best_mean_iou(*image, num_segments, num_classes)
        for image in zip(y_true, y_pred, strict=True)
    ]
    found = scores(y_true, y_pred, num_segments, num_classes)
    assert found.miou_thesis == pytest.approx(np.mean(expected), abs=1e-12)
    assert found.images == len(y_pred)


@settings(max_examples=100)
@given(label_maps())
def test_miou_is_the_same_of_all_images_laid_side_by_side(maps):
    y_true, y_pred, num_segments, num_classes = maps
    found = scores(y_true, y_pred, num_segments, num_classes)
    expected = best_mean_iou(y_true, y_pred, num_segments, num_classes)
    assert found.miou == pytest.approx(expected, abs=1e-12)
    per_class = [value for value in found.per_class_iou if value is not None]
    assert np.mean(per_class) == pytest.approx(expected, abs=1e-12)


@given(label_maps())
def test_rand_indices_are_those_of_scikit_learn(maps):
    y_true, y_pred, num_segments, num_classes = maps
    found = scores(y_true, y_pred, num_segments, num_classes)
    everything, foreground = [], []
    for true_labels, labels in zip(y_true, y_pred, strict=True):
        labeled = true_labels != 255
        score = adjusted_rand_score(true_labels[labeled], labels[labeled])
        everything.append(score)
        kept = labeled & (true_labels != 0)
        if kept.any():
            score = adjusted_rand_score(true_labels[kept], labels[kept])
            foreground.append(score)
    assert found.ari == pytest.approx(np.mean(everything), abs=1e-9)
    if foreground:
        assert found.fg_ari == pytest.approx(np.mean(foreground), abs=1e-9)
    else:
        assert found.fg_ari is None


@given(label_maps())
def test_accuracy_and_shares_counted_pixel_by_pixel(maps):
    y_true, y_pred, num_segments, num_classes = maps
    found = scores(y_true, y_pred, num_segments, num_classes)
    pixels = [(t, p) for t, p in zip(y_true.flat, y_pred.flat, strict=True) if t != 255]
    right = sum(found.assignment[t] == p for t, p in pixels)
    assert found.pixel_accuracy == pytest.approx(right / len(pixels), abs=1e-12)
    for segment, share in enumerate(found.segment_share):
        here = sum(p == segment for _, p in pixels)
        assert share == pytest.approx(here / len(pixels), abs=1e-12)


@given(label_maps(), st.randoms(use_true_random=False))
def test_names_of_segments_do_not_matter(maps, random):
    y_true, y_pred, num_segments, num_classes = maps
    names = list(range(num_segments))
    random.shuffle(names)
    found = scores(y_true, np.array(names)[y_pred], num_segments, num_classes)
    expected = scores(y_true, y_pred, num_segments, num_classes)
    for name in ("miou", "miou_thesis", "ari"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-12)


def test_perfect_prediction_under_other_names():
    found = scores([[[0, 0, 1], [2, 2, 255]]], [[[2, 2, 0], [1, 1, 0]]], 3, 3)
    assert found.miou == found.miou_thesis == found.pixel_accuracy == found.ari == 1
    assert found.fg_ari == 1
    assert found.per_class_iou == (1, 1, 1)
    assert found.assignment == (2, 0, 1)
    assert found.segment_share == (0.2, 0.4, 0.4)


def test_more_segments_than_classes():
    # Class 0: 4 pixels in segments 0, 0, 0, 1; class 1: 2 pixels in 2 and 3.
    found = scores([[[0] * 4 + [1] * 2]], [[[0, 0, 0, 1, 2, 3]]], 4, 2)
    assert found.per_class_iou == (3 / 4, 1 / 2)
    assert found.miou == (3 / 4 + 1 / 2) / 2
    assert found.pixel_accuracy == 4 / 6  # a spare segment is wrong everywhere


def test_fewer_segments_than_classes():
    # Segment 0: classes 0, 0, 1; segment 1: classes 2, 2, 2.
    found = scores([[[0, 0, 1, 2, 2, 2]]], [[[0, 0, 0, 1, 1, 1]]], 2, 3)
    assert found.per_class_iou == (2 / 3, 0, 1)
    assert found.assignment == (0, -1, 1)
    assert found.miou == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert found.pixel_accuracy == 5 / 6


def test_class_absent_from_truth_and_prediction_is_left_out():
    # Class 2 and segment 2 are empty: a mean over two classes, not 0/0 nor a zero.
    found = scores([[[0, 1, 1, 1]]], [[[0, 0, 1, 1]]], 3, 3)
    assert found.per_class_iou == (1 / 2, 2 / 3, None)
    assert found.miou == found.miou_thesis == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_class_absent_from_truth_but_predicted_counts_as_zero():
    found = scores([[[0, 0, 1, 1]]], [[[0, 0, 1, 2]]], 3, 3)
    assert found.per_class_iou == (1, 1 / 2, 0)
    assert found.miou_thesis == pytest.approx(1.5 / 3)


def test_each_image_has_its_own_assignment_in_the_thesis_score_only():
    y_pred = [[[0, 0, 1, 1]], [[1, 1, 0, 0]]]
    found = scores([[[0, 0, 1, 1]]] * 2, y_pred, 2, 2)
    assert found.miou_thesis == found.ari == 1
    assert found.pixel_accuracy == 0.5
    assert found.miou == pytest.approx(1 / 3)  # 2 of 6 pixels in either class


def test_background_class_is_left_out_of_the_foreground_ari():
    found = scores([[[0, 1, 1, 2]]], [[[0, 1, 1, 1]]], 2, 3, background_class=2)
    assert found.fg_ari == 1  # without class 2 the partitions agree
    assert found.ari < 1


@settings(max_examples=20)
@given(label_maps())
def test_batches_add_up(maps):
    y_true, y_pred, num_segments, num_classes = maps
    metric = SegmentationMetric(num_segments, num_classes)
    for true_labels, labels in zip(y_true, y_pred, strict=True):
        metric.update_state(true_labels[None], labels[None])
    assert metric.result() == scores(y_true, y_pred, num_segments, num_classes)


def test_memory_does_not_grow_with_the_matrices_of_all_images():
    images, side = 40, 60
    metric = SegmentationMetric(side, side)
    labels = np.random.default_rng(0).integers(0, side, (2, images, 1, 8, 8))
    tracemalloc.start()
    for y_true, y_pred in zip(*labels, strict=True):
        metric.update_state(y_true, y_pred)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert metric.result().images == images
    assert kept < 5 * side * side * 8  # of the 40 matrices


def test_no_images():
    with pytest.raises(ValueError, match="no images"):
        SegmentationMetric(2, 2).result()


def test_images_without_a_counted_pixel_are_left_out():
    # By hand: one perfect image, one that is ignored as a whole.
    y_true = np.array([[[0, 1]], [[255, 255]]], np.uint8)
    found = scores(y_true, [[[1, 0]], [[1, 1]]], 2, 2)
    assert (found.miou, found.miou_thesis, found.ari, found.images) == (1, 1, 1, 1)
    with pytest.raises(ValueError, match="no image has a pixel"):
        scores(y_true[1:], [[[0, 0]]], 2, 2)


def test_ignored_class_is_an_option():
    # By hand: class 1 ignored leaves one right pixel; counted, it is half of segment 0.
    y_true, y_pred = [[[0, 1]]], [[[0, 0]]]
    assert scores(y_true, y_pred, 1, 2, ignore_class=1).miou == 1
    assert scores(y_true, y_pred, 1, 2, ignore_class=None).miou == (1 / 2 + 0) / 2


def test_reset_state_forgets_all_batches():
    metric = SegmentationMetric(num_segments=2, num_classes=2)
    metric.update_state(np.array([[[0, 1]]]), np.array([[[0, 0]]]))
    metric.reset_state()
    with pytest.raises(ValueError, match="no images"):
        metric.result()
    metric.update_state(np.array([[[0, 1]]]), np.array([[[1, 0]]]))
    assert metric.result().miou == 1
