"""ODS and OIS by hand, and scores of counts beside those of label maps."""

import numpy as np
import pytest

from cirs_tf.metrics.annotators import score_annotators
from cirs_tf.metrics.partition_scores import (
    PartitionScores,
    partition_scores,
    scores_of_counts,
)
from cirs_tf.metrics.scales import ScaleMetric


def test_by_hand():
    """Two images of 10 and 30 pixels, one with two annotators; two scales."""
    metric = ScaleMetric()
    metric.update_scores(
        [
            [PartitionScores(0.5, 0.6, 2.0), PartitionScores(0.7, 0.8, 1.0)],
            [PartitionScores(0.2, 0.9, 3.0), PartitionScores(0.4, 0.9, 3.0)],
        ],
        pixels=10,
    )
    metric.update_scores(
        [[PartitionScores(0.1, 0.2, 4.0)], [PartitionScores(0.9, 0.3, 1.0)]], pixels=30
    )
    found = metric.result()
    assert found.covering == pytest.approx((20 * 0.3 + 30 * 0.9) / 50)
    assert found.scale == 1
    assert found.covering_ois == pytest.approx((20 * 0.6 + 30 * 0.9) / 50)
    assert found.probabilistic_rand == pytest.approx((0.9 + 0.3) / 2)
    assert found.probabilistic_rand_ois == pytest.approx((0.9 + 0.3) / 2)
    assert found.probabilistic_rand_scale == 1
    assert found.variation_of_information == pytest.approx((3.0 + 1.0) / 2)
    assert found.variation_of_information_scale == 1
    assert found.variation_of_information_ois == pytest.approx((1.5 + 1.0) / 2)
    assert found.images == 2


def test_every_measure_has_a_scale_of_its_own():
    metric = ScaleMetric()
    metric.update_scores(
        [
            [PartitionScores(0.5, 0.6, 1.0)],
            [PartitionScores(0.4, 0.7, 2.0)],
            [PartitionScores(0.6, 0.5, 3.0)],
        ],
        pixels=4,
    )
    found = metric.result()
    assert found.scale == 2
    assert found.probabilistic_rand_scale == 1
    assert found.variation_of_information_scale == 0


def test_one_scale_is_the_scores_of_annotators():
    rng = np.random.default_rng(0)
    truths = [
        [rng.integers(0, 4, shape) for _ in range(count)]
        for shape, count in (((6, 7), 3), ((5, 4), 1))
    ]
    maps = [rng.integers(0, 3, truth[0].shape) for truth in truths]
    metric = ScaleMetric()
    for truth, labels in zip(truths, maps, strict=True):
        metric.update_state(truth, [labels])
    found, expected = metric.result(), score_annotators(truths, maps)
    for name in ("covering", "probabilistic_rand", "variation_of_information"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name))
        assert getattr(found, f"{name}_ois") == pytest.approx(getattr(expected, name))


def test_counts_are_as_good_as_maps():
    rng = np.random.default_rng(1)
    y_true, y_pred = rng.integers(0, 5, (9, 11)), rng.integers(0, 7, (9, 11))
    counts = np.zeros((5, 7), np.int32)
    np.add.at(counts, (y_true, y_pred), 1)
    assert scores_of_counts(counts) == pytest.approx(partition_scores(y_true, y_pred))


def test_large_counts_do_not_overflow():
    counts = np.array([[60_000_000, 0], [0, 60_000_000]], np.int32)
    assert scores_of_counts(counts) == (1, 1, 0)


def test_every_image_has_as_many_scales():
    metric = ScaleMetric()
    one = [PartitionScores(1.0, 1.0, 0.0)]
    metric.update_scores([one, one], 4)
    with pytest.raises(ValueError, match="expected 2 scales, got 1"):
        metric.update_scores([one], 4)
