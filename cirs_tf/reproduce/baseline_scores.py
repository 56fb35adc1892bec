"""Scores of what needs no network: one segment everywhere, and k-means on colors."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from cirs_tf.data.manifest import Manifest
from cirs_tf.reproduce.plan import Plan
from cirs_tf.reproduce.scores import METRICS, metric_statistics
from cirs_tf.runs.baselines import kmeans_scores, open_splits
from cirs_tf.runs.evaluation import single_segment_scores


def baseline_scores(plan: Plan) -> dict:
    """Return the scores of both on the fruit set, three seeds of k-means at most."""
    return scores_on(plan.data["fruit"], plan.seeds[:3])


def benchmark_set_scores(plan: Plan) -> dict:
    """Return the scores of both on every benchmark set, one seed of k-means."""
    return {
        name: scores_on(plan.data[name], plan.seeds[:1])
        for name in plan.experiments.benchmark_sets.segments
    }


def scores_on(data: Path, seeds: Sequence[int]) -> dict:
    """Return the scores of both on the test split of a data set.

    Args:
        data: Its folder.
        seeds: One k-means for each, with a cluster for each class.

    Returns:
        `kmeans`: statistics of `miou` and `miou_thesis`; `single_segment`: the scores
        themselves.
    """
    classes = len(Manifest.read(data).classes)
    train, test = open_splits(data, "test")
    clusterings = kmeans_scores(train, test, classes, classes, seeds)
    single_segment = single_segment_scores(test, classes)
    return {
        "kmeans": metric_statistics(list(map(dataclasses.asdict, clusterings))),
        "single_segment": {
            metric: getattr(single_segment, metric) for metric in METRICS
        },
    }
