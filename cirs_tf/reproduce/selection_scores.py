"""What each label-free signal would have chosen, and what labels say of that choice."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np
from scipy.stats import spearmanr

from cirs_tf.data.manifest import Manifest
from cirs_tf.data.splits import load_split
from cirs_tf.metrics.segmentation import SegmentationMetric
from cirs_tf.reproduce.plan import Plan
from cirs_tf.reproduce.row_facts import row_facts
from cirs_tf.reproduce.scores import computed_once, fingerprint
from cirs_tf.runs.queue import PlannedRun
from cirs_tf.runs.selection import (
    CRITERIA,
    SCORED_IMAGES,
    candidates_of,
    choose,
    goodness,
    predictions,
    signals_of,
)
from cirs_tf.training.run_folder import RunFolder


def selection_scores(plan: Plan, systems: Sequence[str]) -> dict:
    """Return `title`, `version` and `compare_signals` of every system.

    Args:
        plan: Its runs are finished.
        systems: Names of segmenters.
    """
    return {
        name: {
            "title": plan.experiments.systems[name].title,
            "version": row_facts(plan, name)["version"],
            **compare_signals(plan.runs_of(name)),
        }
        for name in systems
    }


def compare_signals(runs: Sequence[PlannedRun]) -> dict:
    """Compare the choices of the signals, over all seeds and kept checkpoints.

    Signals choose among checkpoints that no label kept. Labels only measure: validation
    mIoU for the oracle's choice and for the rank correlation, test mIoU for all.

    Args:
        runs: Finished runs of one system. What they score is computed once and kept in
            `eval/` of the first.

    Returns:
        `candidates`: one per checkpoint. `choices`: signal (and `oracle`) to `seed`,
        `step`, test `miou` and `gap` to the oracle's. `mean`: test mIoU over all
        label-free candidates. `rank_correlation`: Spearman's, of each signal (turned so
        that more is better) and validation mIoU over all candidates; None where one of
        them does not vary.
    """
    folders = [RunFolder.open(run.folder) for run in runs]
    scored = computed_once(
        folders[0].evaluation / "reproduce_selection.json",
        fingerprint(folders, runs[0].config.data),
        lambda: _score_candidates(runs, folders),
    )
    candidates = scored["candidates"]
    val_miou = [candidate["val"] for candidate in candidates]
    chosen = scored["chosen"] | {"oracle": int(np.argmax(val_miou))}
    best = candidates[chosen["oracle"]]["test"]
    return {
        "candidates": candidates,
        "images": scored["images"],
        "choices": {
            name: {
                "seed": candidates[index]["seed"],
                "step": candidates[index]["step"],
                "miou": candidates[index]["test"],
                "gap": best - candidates[index]["test"],
            }
            for name, index in chosen.items()
        },
        "mean": float(np.mean([c["test"] for c in candidates if c["label_free"]])),
        "rank_correlation": {
            name: rank_correlation(
                [goodness(name, candidate[name]) for candidate in candidates], val_miou
            )
            for name in chosen
            if name in CRITERIA
        },
    }


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation; None where one does not vary.

    Args:
        first: Values.
        second: As many.

    Example:
        >>> round(rank_correlation([1, 5, 6], [0.1, 0.2, 0.9]), 6)
        1.0
        >>> rank_correlation([1, 1], [0, 2])
    """
    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return float(spearmanr(first, second).statistic)


def _score_candidates(runs: Sequence[PlannedRun], folders: Sequence[RunFolder]) -> dict:
    """Return signals and mIoU of every checkpoint, and the choice of each signal."""
    print(f"label-free selection among the seeds of {runs[0].system}", flush=True)
    config = runs[0].config
    candidates = candidates_of(folders)
    val = load_split(config.data, "val", with_masks=True, limit=SCORED_IMAGES)
    test = load_split(config.data, "test", with_masks=True)
    val_labels, mirrored_labels, test_labels = predictions(
        candidates, val.images, val.images[:, :, ::-1], test.images
    )
    keras.backend.clear_session()
    signals = signals_of(candidates, val_labels, mirrored_labels, config.segments)
    criteria = [name for name in CRITERIA if name != "agreement" or len(runs) > 1]
    num_classes = len(Manifest.read(config.data).classes)

    def miou(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        metric = SegmentationMetric(config.segments, num_classes)
        metric.update_state(y_true, y_pred)
        return metric.result().miou

    return {
        "images": len(val.images),
        "chosen": {name: choose(candidates, signals, name) for name in criteria},
        "candidates": [
            {
                "seed": candidate.seed,
                "step": candidate.step,
                "label_free": candidate.label_free,
                **dataclasses.asdict(signals[index]),
                "val": miou(val.masks, val_labels[index]),
                "test": miou(test.masks, test_labels[index]),
            }
            for index, candidate in enumerate(candidates)
        ],
    }
