"""Every number of the results, from run folders, as one JSON object."""

import functools
import json
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import keras
import numpy as np

from cirs_tf.baselines import kmeans_labels
from cirs_tf.data.manifest import Manifest
from cirs_tf.data.pipeline import load_segmentations, load_split
from cirs_tf.metrics.segmentation import SegmentationMetric
from cirs_tf.oned.color import rank_by_color
from cirs_tf.oned.cross_instance import rank_by_cross_instance
from cirs_tf.oned.frequency import find_objects
from cirs_tf.oned.segmentations import format_patterns
from cirs_tf.postprocessing.dense_crf import is_crf_installed
from cirs_tf.postprocessing.postprocess import postprocess
from cirs_tf.reproduce.data_sets import DRAWN
from cirs_tf.reproduce.plan import BUDGETS, MERGED_BELOW
from cirs_tf.reproduce.scores import scores_of, seconds_of
from cirs_tf.reproduce.selection import selection
from cirs_tf.reproduce.systems import HARDER, SYSTEMS, TARGETS
from cirs_tf.runs.evaluation import (
    Postprocessing,
    against_annotators,
    evaluate_run,
    everywhere,
    write_json,
)
from cirs_tf.runs.queue import Run
from cirs_tf.training.run_folder import RunFolder

PROOF_IMAGES = ("112200", "011220", "001122")  # thesis 4


def collect(
    targets: Sequence[str],
    budget: str,
    seeds: Sequence[int],
    runs: Sequence[Run],
    data: dict[str, Path],
) -> dict:
    """Gather the numbers of some targets from finished runs.

    Args:
        targets: Keys of `TARGETS`.
        budget: Key of `BUDGETS`.
        seeds: Of the runs.
        runs: All finished.
        data: Folder of each data set.

    Returns:
        What `results.json` holds.
    """
    of_system = {name: [run for run in runs if run.system == name] for name in SYSTEMS}
    segmenters = {
        name: found
        for name, found in of_system.items()
        if found and SYSTEMS[name].data in DRAWN
    }
    results = {
        "budget": budget,
        "budget_meaning": BUDGETS[budget].meaning,
        "seeds": list(seeds),
        "machine": _machine(),
        "systems": {name: _segmenter(found) for name, found in segmenters.items()},
    }
    if "proof" in targets:
        results["proof"] = _proof()
    if autoencoders := [name for name in TARGETS["table4"] if of_system[name]]:
        results["autoencoders"] = {
            name: _autoencoder(of_system[name][0]) for name in autoencoders
        }
    if "baselines" in targets:
        results["baselines"] = _baselines(data["fruit"], seeds[:3])
    if "harder" in targets:
        results["harder"] = {name: _baselines(data[name], seeds[:1]) for name in HARDER}
    if "selection" in targets:
        results["selection"] = {
            name: {"title": SYSTEMS[name].title, **selection(segmenters[name])}
            for name in TARGETS["selection"]
        }
    if "postprocessing" in targets:
        results["postprocessing"] = _postprocessing(of_system["wnet_paper"])
    if of_system["wnet_bsds"] and "bsds_whole" in data:
        results["bsds"] = _bsds(of_system["wnet_bsds"], data)
    return results


def statistics(values: Sequence[float]) -> dict:
    """Return mean, minimum and maximum, and the values themselves, in seed order."""
    return {
        "mean": float(np.mean(values)),
        "min": float(min(values)),
        "max": float(max(values)),
        "values": list(map(float, values)),
    }


def _segmenter(runs: Sequence[Run]) -> dict:
    """Return the scores of one system over its seeds, label-free and oracle."""
    scores = [scores_of(run) for run in runs]
    return {
        **_account(runs),
        **{
            protocol: {
                metric: statistics([score[checkpoint][metric] for score in scores])
                for metric in ("miou", "miou_thesis")
            }
            for protocol, checkpoint in (("label_free", "loss"), ("oracle", "oracle"))
        },
    }


def _account(runs: Sequence[Run]) -> dict:
    """Return what was run: configuration, settings, length, time."""
    system, config = SYSTEMS[runs[0].system], runs[0].config
    steps = RunFolder.open(runs[0].folder).read_metrics()[-1]["step"]
    return {
        "title": system.title,
        "config": system.config,
        "settings": [
            setting
            for setting in runs[0].overrides
            if not setting.startswith(("data=", "seed="))
        ],
        "seeds": [run.seed for run in runs],
        "epochs": config.training.epochs,
        "mini_batches": steps,
        "batch_size": config.training.batch_size,
        "seconds": statistics([seconds_of(run) for run in runs]),
        "thesis": system.thesis,
        "remark": system.remark,
    }


def _autoencoder(run: Run) -> dict:
    """Return the lowest alpha_2 term over the epochs (thesis 9.1), in three forms."""
    rows = [row["validation"] for row in RunFolder.open(run.folder).read_metrics()]
    distances = [row["class_distance"] for row in rows]
    lowest = int(np.argmin(distances))
    bottleneck = run.config.autoencoder.bottleneck
    return {
        **_account([run]),
        "bottleneck": bottleneck,
        "lowest": distances[lowest],
        "lowest_per_unit": distances[lowest] / bottleneck,
        "lowest_epoch": lowest + 1,
        "last": distances[-1],
        "lowest_share": min(
            row["class_distance"] / row["code_variance"] for row in rows
        ),
        "validation_error": rows[-1]["loss"],
    }


def _baselines(data: Path, seeds: Sequence[int]) -> dict:
    """Return what needs no network: one segment everywhere, and k-means on colors."""
    classes = len(Manifest.read(data).classes)
    train = load_split(data, "train", with_masks=False)
    test = load_split(data, "test", with_masks=True)
    found = []
    for seed in seeds:
        metric = SegmentationMetric(classes, classes)
        labels = kmeans_labels(train.images, test.images, classes, seed)
        metric.update_state(test.masks, labels)
        found.append(metric.result())
    one = everywhere(test, classes)
    return {
        "kmeans": {
            name: statistics([getattr(score, name) for score in found])
            for name in ("miou", "miou_thesis")
        },
        "everywhere": {"miou": one.miou, "miou_thesis": one.miou_thesis},
    }


def _steps(minimum: int) -> dict[str, Postprocessing | None]:
    """Return the post-processings that are compared, by name."""
    merged = f"regions below {minimum} pixels merged"
    steps = {"none": None}
    steps[merged] = functools.partial(postprocess, crf=False, min_region_size=minimum)
    if is_crf_installed():
        steps["dense CRF"] = functools.partial(postprocess, crf=True, min_region_size=0)
        both = functools.partial(postprocess, crf=True, min_region_size=minimum)
        steps[f"dense CRF, then {merged}"] = both
    return steps


def _postprocessing(runs: Sequence[Run]) -> dict:
    """Return the label-free mIoU of each run after each post-processing."""
    rows = {}
    for name, step in _steps(MERGED_BELOW["test"]).items():
        found = [_evaluated(run, "test", run.config.data, name, step) for run in runs]
        rows[name] = {
            metric: statistics([one[metric] for one in found])
            for metric in ("miou", "miou_thesis")
        }
    return {**_account(runs), "rows": rows}


def _bsds(runs: Sequence[Run], data: dict[str, Path]) -> dict:
    """Return region measures on the whole validation images of BSDS500."""
    whole = data["bsds_whole"]
    rows = {}
    for name, step in _steps(MERGED_BELOW["val"]).items():
        found = [_evaluated(run, "val", whole, name, step) for run in runs]
        rows[f"W-Net, {name}" if step else "W-Net"] = [
            one["annotators"] for one in found
        ]
    segments = runs[0].config.segments
    train = load_split(data["bsds"], "train", with_masks=False)
    images = load_split(whole, "val", with_masks=False).images
    people = load_segmentations(whole, "val")
    rows[f"k-means on RGB, K = {segments}"] = [
        _with_asdict(
            against_annotators(
                kmeans_labels(train.images, images, segments, run.seed), people
            )
        )
        for run in runs
    ]
    nothing = np.zeros(images.shape[:3], np.uint8)
    rows["one segment everywhere"] = [_with_asdict(against_annotators(nothing, people))]
    measures = ("covering", "probabilistic_rand", "variation_of_information")
    return {
        **_account(runs),
        "segments": segments,
        "images": len(images),
        "rows": {
            name: {
                kind: {
                    measure: statistics([one[kind][measure] for one in found])
                    for measure in measures
                }
                for kind in ("segments", "regions")
            }
            for name, found in rows.items()
        },
    }


def _with_asdict(scores: dict) -> dict:
    return {kind: vars(one) for kind, one in scores.items()}


def _evaluated(
    run: Run, split: str, data: str | Path, name: str, step: Postprocessing | None
) -> dict:
    """Return an evaluation of the label-free checkpoint, computed once and kept."""
    folder = RunFolder.open(run.folder)
    part = name.replace(" ", "_").replace(",", "")
    file = folder.evaluation / f"{split}_{part}.json"
    trained = (folder.checkpoints / "checkpoints.json").stat().st_mtime
    if not file.exists() or file.stat().st_mtime < trained:
        print(f"evaluating {run.folder} on {split}: {name}", flush=True)
        found = evaluate_run(folder, split, data, "loss", step, others=False)
        write_json(file, found.as_json())
        found.picture().save(file.with_suffix(".png"))
        keras.backend.clear_session()
    return json.loads(file.read_text())


def _proof() -> dict:
    """Return thesis 4 and 12.1 computed: segmentations and patterns."""
    color = [rank_by_color(image, True)[0] for image in PROOF_IMAGES]
    (objective, matched), *_ = rank_by_cross_instance(PROOF_IMAGES, True, count=1)
    pairs = list(zip(PROOF_IMAGES, matched, strict=True))
    steps = find_objects(PROOF_IMAGES, None)
    return {
        "images": list(PROOF_IMAGES),
        "color": [
            format_patterns(image, of)
            for image, (_, of) in zip(PROOF_IMAGES, color, strict=True)
        ],
        "cross_instance": [format_patterns(*pair) for pair in pairs],
        "cross_instance_objective": float(objective),
        "patterns": [
            {"pattern": step.pattern, "images": step.counts[step.pattern]}
            for step in steps
        ],
    }


def _machine() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("tensorflow-cpu", "tensorflow", "keras", "numpy", "cirs-tf"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
