"""What each label-free signal would have chosen, and what labels say of that choice."""

import dataclasses
import json
from collections.abc import Sequence

import keras
import numpy as np
from scipy.stats import spearmanr

from cirs_tf.data.manifest import Manifest
from cirs_tf.data.pipeline import load_split
from cirs_tf.metrics.segmentation import SegmentationMetric
from cirs_tf.runs.evaluation import write_json
from cirs_tf.runs.queue import Run
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


def selection(runs: Sequence[Run]) -> dict:
    """Compare the choices of the signals, over all seeds and kept checkpoints.

    Signals choose among checkpoints that no label kept. Labels only measure: validation
    mIoU for the oracle's choice and for the rank correlation, test mIoU for all.

    Args:
        runs: Of one system, all finished. What they score is computed once and kept in
            `eval/selection.json` of the first.

    Returns:
        `candidates`: one a checkpoint. `choices`: signal (and `oracle`) to `seed`,
        `step`, test `miou` and `gap` to the oracle's. `mean`: test mIoU over all
        label-free candidates. `rank_correlation`: Spearman's, of each signal (turned so
        that more is better) and validation mIoU over all candidates; None where one of
        them does not vary.
    """
    found = _scored(runs)
    candidates = found["candidates"]
    chosen = found["chosen"] | {"oracle": int(np.argmax(_column(candidates, "val")))}
    best = candidates[chosen["oracle"]]["test"]
    free = [one["test"] for one in candidates if one["label_free"]]
    return {
        "candidates": candidates,
        "images": found["images"],
        "choices": {
            name: {
                "seed": candidates[index]["seed"],
                "step": candidates[index]["step"],
                "miou": candidates[index]["test"],
                "gap": best - candidates[index]["test"],
            }
            for name, index in chosen.items()
        },
        "mean": float(np.mean(free)),
        "rank_correlation": {
            name: rank_correlation(
                [goodness(name, one[name]) for one in candidates],
                _column(candidates, "val"),
            )
            for name in chosen
            if name in CRITERIA
        },
    }


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation; None where one does not vary."""
    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return float(spearmanr(first, second).statistic)


def _scored(runs: Sequence[Run]) -> dict:
    folders = [RunFolder.open(run.folder) for run in runs]
    of = [[run.seed, *_kept(folder)] for run, folder in zip(runs, folders, strict=True)]
    file = folders[0].evaluation / "selection.json"
    if file.exists() and (kept := json.loads(file.read_text()))["of"] == of:
        return kept
    print(f"label-free selection among the seeds of {runs[0].system}", flush=True)
    config = runs[0].config
    candidates = candidates_of(folders)
    val = load_split(config.data, "val", with_masks=True, limit=SCORED_IMAGES)
    test = load_split(config.data, "test", with_masks=True)
    labels, mirrored, of_test = predictions(
        candidates, val.images, val.images[:, :, ::-1], test.images
    )
    keras.backend.clear_session()
    signals = signals_of(candidates, labels, mirrored, config.segments)
    criteria = [name for name in CRITERIA if name != "agreement" or len(runs) > 1]
    classes = len(Manifest.read(config.data).classes)

    def miou(predicted: np.ndarray, truth: np.ndarray) -> float:
        metric = SegmentationMetric(config.segments, classes)
        metric.update_state(truth, predicted)
        return metric.result().miou

    found = {
        "of": of,
        "images": len(val.images),
        "chosen": {name: choose(candidates, signals, name) for name in criteria},
        "candidates": [
            {
                "seed": one.seed,
                "step": one.step,
                "label_free": one.label_free,
                **dataclasses.asdict(signals[row]),
                "val": miou(labels[row], val.masks),
                "test": miou(of_test[row], test.masks),
            }
            for row, one in enumerate(candidates)
        ],
    }
    write_json(file, found)
    return found


def _kept(folder: RunFolder) -> tuple[str, int]:
    """Return which checkpoints there are, and when the last one was written."""
    index = folder.checkpoints / "checkpoints.json"
    return index.read_text(), index.stat().st_mtime_ns


def _column(candidates: Sequence[dict], name: str) -> list[float]:
    return [one[name] for one in candidates]
