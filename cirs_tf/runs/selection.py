"""What unlabeled images say of the checkpoints of several seeds, and the choice.

Three signals, none of which has seen a label: the validation loss, agreement with the
other seeds, and equivariance under mirroring.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from cirs_tf.data.manifest import Manifest
from cirs_tf.methods.registry import build_segmenter
from cirs_tf.metrics.agreement import (
    matched_agreement,
    pixel_agreement,
    segment_agreement,
)
from cirs_tf.runs.label_store import new_labels
from cirs_tf.runs.restore import read_config
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.training.validation import Predictor

CRITERIA = ("loss", "agreement", "equivariance")
SCORED_IMAGES = 500  # of the validation split, at most


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A checkpoint at the end of an epoch.

    Attributes:
        run: Its run.
        seed: Of the run.
        step: Mini-batches that it had seen.
        label_free: Whether it is kept for its step or loss; if not, then by labels
            alone, and no label-free choice may take it.
        loss: Mean validation loss, as it was trained.
    """

    run: RunFolder
    seed: int
    step: int
    label_free: bool
    loss: float


@dataclasses.dataclass(frozen=True)
class Signals:
    """What unlabeled images say of a candidate.

    Attributes:
        loss: Validation loss; lower is better.
        agreement: With the segments of other seeds (`matched_agreement`), mean over
            each one's label-free candidates, then over seeds; None: there is no other.
        equivariance: Of the labels of an image with the labels of its mirror image,
            mirrored back (`segment_agreement`).
        mirror_pixels: Share of pixels with equal labels in those two; 1 for a
            collapse, hence no criterion.
    """

    loss: float
    agreement: float | None
    equivariance: float
    mirror_pixels: float


def goodness(criterion: str, value: float | None) -> float:
    """Return a signal as a number of which more is better; -inf for none.

    Args:
        criterion: One of `CRITERIA`.
        value: That signal.
    """
    if value is None or math.isnan(value):
        return -math.inf
    return -value if criterion == "loss" else value


def candidates_of(runs: Sequence[RunFolder]) -> list[Candidate]:
    """Return every kept checkpoint of some runs that validation has seen, in order."""
    found = []
    for run in runs:
        store, seed = CheckpointStore(run.checkpoints), read_config(run).seed
        rows = {row["step"]: row["validation"] for row in run.read_metrics()}
        label_free = store.steps(label_free=True)
        for step in store.steps():
            if step in rows:  # not one of an interruption, amid an epoch
                loss = float(rows[step]["loss"])
                found.append(Candidate(run, seed, step, step in label_free, loss))
    return found


def predictions(
    candidates: Sequence[Candidate], *images: np.ndarray
) -> list[np.ndarray]:
    """Label images with every candidate.

    Args:
        candidates: Of runs that differ in nothing but the seed.
        images: Each `[images, height, width, 3]` uint8, of the size in training.

    Returns:
        For each of `images`: `[candidates, images, height, width]` uint8.

    Raises:
        CheckpointError: A checkpoint is missing or does not fit.
        ConfigError: The method has no segmenter.
    """
    run = candidates[0].run
    config = read_config(run)
    trained = Manifest.read(run.path)
    segmenter = build_segmenter(config, trained.height, trained.width)
    predict = Predictor(segmenter, config.training.batch_size)
    labels = [new_labels((len(candidates), *one.shape[:3])) for one in images]
    for row, candidate in enumerate(candidates):
        store = CheckpointStore(candidate.run.checkpoints)
        store.restore(str(candidate.step), {"segmenter": segmenter})
        for one, found in zip(images, labels, strict=True):
            found[row] = predict(one)
    return labels


def signals_of(
    candidates: Sequence[Candidate],
    labels: np.ndarray,
    mirrored: np.ndarray,
    segments: int,
) -> list[Signals]:
    """Return the signals of every candidate.

    Args:
        candidates: From `candidates_of`.
        labels: `[candidates, images, height, width]` of unlabeled images, two or more.
        mirrored: The same of those images mirrored left to right, as predicted.
        segments: K.
    """
    found = []
    agreements = _agreements(candidates, labels, segments)
    back = mirrored[..., ::-1]
    for row, candidate in enumerate(candidates):
        by_seed: dict[int, list[float]] = {}
        for other, one in enumerate(candidates):
            if one.seed != candidate.seed and one.label_free:
                by_seed.setdefault(one.seed, []).append(agreements[row, other])
        means = [np.mean(values) for values in by_seed.values()]
        found.append(
            Signals(
                candidate.loss,
                float(np.mean(means)) if means else None,
                segment_agreement(labels[row], back[row], segments),
                pixel_agreement(labels[row], back[row]),
            )
        )
    return found


def choose(
    candidates: Sequence[Candidate], signals: Sequence[Signals], criterion: str
) -> int:
    """Return the index of the best label-free candidate; of equals the lower loss.

    Args:
        candidates: At least one of them label-free.
        signals: Of each.
        criterion: One of `CRITERIA`.
    """

    def rank(index: int) -> tuple[float, float]:
        one = signals[index]
        value = goodness(criterion, getattr(one, criterion))
        return value, goodness("loss", one.loss)

    allowed = [index for index, one in enumerate(candidates) if one.label_free]
    return max(allowed, key=rank)


def _agreements(
    candidates: Sequence[Candidate], labels: np.ndarray, segments: int
) -> np.ndarray:
    """Return `[candidates, candidates]`, NaN for two of one seed."""
    count = len(candidates)
    found = np.full((count, count), np.nan)
    for row in range(count):
        for other in range(row):
            if candidates[row].seed != candidates[other].seed:
                value = matched_agreement(labels[row], labels[other], segments)
                found[row, other] = found[other, row] = value
    return found
