"""Scores of what needs no network."""

import numpy as np
import pytest

from cirs_tf.data.splits import load_split
from cirs_tf.reproduce.baseline_scores import scores_on


def test_one_segment_everywhere_has_the_iou_of_the_largest_class(fruit):
    scores = scores_on(fruit, [0])
    masks = load_split(fruit, "test", with_masks=True).masks
    shares = np.bincount(masks.ravel()) / masks.size
    # One of the classes is matched, the others have IoU 0.
    expected = shares.max() / len(shares)
    assert scores["single_segment"]["miou"] == pytest.approx(expected)


def test_kmeans_has_a_score_per_seed(fruit):
    statistics = scores_on(fruit, [0, 1])["kmeans"]
    assert len(statistics["miou"]["values"]) == 2
    assert 0 < statistics["miou"]["min"] < 1
    assert statistics["miou_thesis"]["mean"] >= statistics["miou"]["mean"]
