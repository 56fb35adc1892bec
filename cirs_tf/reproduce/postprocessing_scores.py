"""Scores after each post-processing: W-Net on the fruit set and on photographs."""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from cirs_tf.data.splits import open_segmentations, open_split
from cirs_tf.metrics.annotators import AnnotatorScores
from cirs_tf.postprocessing.dense_crf import is_crf_installed
from cirs_tf.postprocessing.postprocess import postprocess
from cirs_tf.proposals.color_kmeans import ColorKMeans
from cirs_tf.reproduce.plan import Plan
from cirs_tf.reproduce.row_facts import row_facts
from cirs_tf.reproduce.scores import (
    evaluate_once,
    metric_statistics,
    seed_statistics,
)
from cirs_tf.runs.evaluation import Postprocessing, against_annotators

# Connected regions of fewer pixels are merged: on scenes, and on whole photographs.
SCENE_REGION_SIZE = 16
PHOTOGRAPH_REGION_SIZE = 100
MEASURES = ("covering", "probabilistic_rand", "variation_of_information")
PARTITIONS = ("segments", "regions")


def merged_name(min_region_size: int) -> str:
    """Return the name of the merging of small regions."""
    return f"regions below {min_region_size} pixels merged"


def postprocessings(min_region_size: int) -> dict[str, Postprocessing | None]:
    """Return what is compared, by name; the CRF only where its extra is installed.

    Args:
        min_region_size: Connected regions of fewer pixels are merged.

    Returns:
        Functions of images and probabilities; the one without a name is None.
    """

    def step(crf: bool, size: int) -> Postprocessing:
        return functools.partial(postprocess, crf=crf, min_region_size=size)

    merged = merged_name(min_region_size)
    steps = {"": None, merged: step(False, min_region_size)}
    if is_crf_installed():
        steps["dense CRF"] = step(True, 0)
        steps[f"dense CRF, then {merged}"] = step(True, min_region_size)
    return steps


def postprocessing_scores(plan: Plan, system: str) -> dict:
    """Return the label-free scores of a system after each post-processing.

    Args:
        plan: Its runs are finished.
        system: Name of a segmenter.

    Returns:
        `row_facts`; `rows`: statistics of the metrics, by post-processing.
    """
    rows = {}
    for name, step in postprocessings(SCENE_REGION_SIZE).items():
        evaluations = [
            evaluate_once(run, name=name, postprocessing=step)
            for run in plan.runs_of(system)
        ]
        rows[name or "none"] = metric_statistics(
            [evaluation.scores for evaluation in evaluations]
        )
    return row_facts(plan, system) | {"rows": rows}


def photograph_scores(plan: Plan, system: str) -> dict:
    """Return region measures on the whole validation photographs of BSDS500.

    Args:
        plan: Its runs are finished; with the folders of the photographs.
        system: Name of a segmenter.

    Returns:
        `row_facts`, `segments` (K), `images`; `rows`: statistics of each measure, for
        the segments as they are and for their connected regions, by row of the table.
    """
    runs = plan.runs_of(system)
    segments = runs[0].config.segments
    train = open_split(runs[0].config.data, "train", with_masks=False)
    images = open_split(plan.data["bsds_whole"], "val", with_masks=False).images
    annotations = open_segmentations(plan.data["bsds_whole"], "val")
    rows = {}
    for name, step in postprocessings(PHOTOGRAPH_REGION_SIZE).items():
        evaluations = [
            evaluate_once(run, "val", plan.data["bsds_whole"], name, step)
            for run in runs
        ]
        rows[f"W-Net, {name}" if name else "W-Net"] = [
            evaluation.scores["annotators"] for evaluation in evaluations
        ]
    rows[f"k-means on RGB, K = {segments}"] = [
        _as_dicts(
            against_annotators(
                ColorKMeans(segments, run.config.seed)
                .fit(train.images)
                .predict(images),
                annotations,
            )
        )
        for run in runs
    ]
    single_segment = np.zeros(images.shape[:3], np.uint8)
    rows["one segment everywhere"] = [
        _as_dicts(against_annotators(single_segment, annotations))
    ]
    return row_facts(plan, system) | {
        "segments": segments,
        "images": len(images),
        "rows": {name: _measure_statistics(scores) for name, scores in rows.items()},
    }


def _as_dicts(scores: dict[str, AnnotatorScores]) -> dict[str, dict]:
    return {partition: dataclasses.asdict(scores[partition]) for partition in scores}


def _measure_statistics(scores: Sequence[dict]) -> dict:
    """Return the statistics of each measure over seeds, by partition."""
    return {
        partition: {
            measure: seed_statistics([score[partition][measure] for score in scores])
            for measure in MEASURES
        }
        for partition in PARTITIONS
    }
