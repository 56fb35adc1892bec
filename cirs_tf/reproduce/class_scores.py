"""Scores by class of segmenters of photographs, beside those of colors alone."""

import dataclasses
from collections.abc import Sequence

from cirs_tf.data.manifest import Manifest
from cirs_tf.reproduce.experiments import Target
from cirs_tf.reproduce.plan import Plan
from cirs_tf.reproduce.scores import evaluate_once, seed_statistics
from cirs_tf.runs.baselines import (
    THRESHOLDS,
    kmeans_scores,
    open_splits,
    threshold_scores,
)
from cirs_tf.runs.evaluation import single_segment_scores

MEASURES = ("miou", "pixel_accuracy")


def class_scores(plan: Plan, target: Target) -> dict:
    """Return the scores of a target's systems on the test split of their data sets.

    Args:
        plan: Its runs are finished; with the target's own data set.
        target: Its table is `classes`.

    Returns:
        `rows`: title to statistics of `miou` and `pixel_accuracy` over seeds, and of
        two classes `f_second`, first of one segment everywhere and of k-means on RGB, a
        cluster for each class; of two classes, of Otsu's threshold, too. `images` of
        the test split; `classes`, their names.
    """
    data = plan.data[target.data_sets[0]]
    names = Manifest.read(data).classes
    classes = len(names)
    train, test = open_splits(data, "test")
    kmeans = kmeans_scores(train, test, classes, classes, plan.seeds)
    scored = {
        "one segment everywhere": [single_segment_scores(test, classes)],
        "k-means on RGB": kmeans,
    }
    if classes == 2:
        scored |= {
            name: [threshold_scores(test, classes, threshold)]
            for name, threshold in THRESHOLDS.items()
        }
    found = {
        title: [dataclasses.asdict(scores) for scores in each]
        for title, each in scored.items()
    }
    for name in target.systems:
        runs = plan.runs_of(name)
        title = plan.experiments.systems[name].title
        found[title] = [evaluate_once(run).scores for run in runs]
    return {
        "images": len(test.images),
        "classes": list(names),
        "rows": {title: _statistics(each, classes) for title, each in found.items()},
    }


def _statistics(seeds: Sequence[dict], classes: int) -> dict:
    """Return the statistics of the scores of some seeds."""
    statistics = {
        measure: seed_statistics([scores[measure] for scores in seeds])
        for measure in MEASURES
    }
    if classes == 2:
        ious = [scores["per_class_iou"][1] or 0.0 for scores in seeds]
        statistics["f_second"] = seed_statistics([2 * u / (1 + u) for u in ious])
    return statistics
