"""Scores by class of segmenters of photographs, beside those of colors alone."""

import dataclasses

from cirs_tf.data.manifest import Manifest
from cirs_tf.data.pipeline import load_split
from cirs_tf.reproduce.experiments import Target
from cirs_tf.reproduce.plan import Plan
from cirs_tf.reproduce.scores import evaluate_once, seed_statistics
from cirs_tf.runs.baselines import kmeans_scores
from cirs_tf.runs.evaluation import single_segment_scores

MEASURES = ("miou", "pixel_accuracy")


def class_scores(plan: Plan, target: Target) -> dict:
    """Return the scores of a target's systems on the test split of their data sets.

    Args:
        plan: Its runs are finished; with the target's own data set.
        target: Its table is `classes`.

    Returns:
        `rows`: title to statistics of `miou` and `pixel_accuracy` over seeds, first of
        one segment everywhere and of k-means on RGB, a cluster for each class;
        `images` of the test split.
    """
    data = plan.data[target.data_sets[0]]
    classes = len(Manifest.read(data).classes)
    train = load_split(data, "train", with_masks=False)
    test = load_split(data, "test", with_masks=True)
    kmeans = kmeans_scores(train, test, classes, classes, plan.seeds)
    scored = {
        "one segment everywhere": [single_segment_scores(test, classes)],
        "k-means on RGB": kmeans,
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
        "rows": {
            title: {
                measure: seed_statistics([scores[measure] for scores in each])
                for measure in MEASURES
            }
            for title, each in found.items()
        },
    }
