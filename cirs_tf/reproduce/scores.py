"""Evaluations of finished runs, each computed once and kept in `RUN/eval/`."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import keras
import numpy as np

from cirs_tf.atomic_write import atomic_path
from cirs_tf.data.manifest import MANIFEST
from cirs_tf.errors import DataError
from cirs_tf.runs.evaluation import Postprocessing, evaluate_run, write_json
from cirs_tf.runs.queue import PlannedRun
from cirs_tf.training.run_folder import RunFolder

METRICS = ("miou", "miou_thesis")


@dataclasses.dataclass(frozen=True)
class KeptEvaluation:
    """What the label-free checkpoint of a run does on a split.

    Attributes:
        scores: As `cirs_tf.runs.evaluation.Evaluation.as_json` returns them.
        labels_file: `.npz` with `labels`, `[images, height, width]`.
    """

    scores: dict
    labels_file: Path

    @property
    def labels(self) -> np.ndarray:
        """`[images, height, width]` segment of each pixel."""
        with np.load(self.labels_file) as arrays:
            return arrays["labels"]


def evaluate_once(
    planned: PlannedRun,
    split: str = "test",
    data: str | Path | None = None,
    name: str = "",
    postprocessing: Postprocessing | None = None,
) -> KeptEvaluation:
    """Evaluate a finished run, unless the result is kept already.

    Scores, labels and a picture are kept in `RUN/eval/reproduce_SPLIT*`.

    Args:
        planned: A finished run.
        split: `train`, `val` or `test`.
        data: Another data set than the run's own.
        name: Name of the post-processing, empty: none.
        postprocessing: Makes labels of probabilities, None: the argmax.

    Raises:
        CirsError: The run cannot be evaluated, or the result not be written.
    """
    folder = RunFolder.open(planned.folder)
    data = data or planned.config.data
    words = ["reproduce", split, *name.replace(",", "").split()]
    file = folder.evaluation / f"{'_'.join(words)}.json"
    labels_file = file.with_suffix(".npz")

    def evaluate() -> dict:
        what = f"{split}, {name}" if name else split
        print(f"evaluating {planned.folder} on {what}", flush=True)
        evaluation = evaluate_run(
            folder,
            split,
            data,
            "loss",
            postprocessing,
            others=postprocessing is None,
        )
        try:
            folder.evaluation.mkdir(exist_ok=True)
            with atomic_path(labels_file) as path, path.open("wb") as stream:
                np.savez_compressed(stream, labels=evaluation.labels)
            evaluation.picture().save(file.with_suffix(".png"))
        except OSError as error:
            raise DataError(f"{file}: cannot be written: {error.strerror}") from None
        keras.backend.clear_session()
        return evaluation.as_json()

    if not labels_file.exists():
        file.unlink(missing_ok=True)  # scores without labels are half a result
    basis = fingerprint([folder], data)
    return KeptEvaluation(computed_once(file, basis, evaluate), labels_file)


def computed_once(file: Path, basis: str, compute: Callable[[], dict]) -> dict:
    """Return what a JSON file keeps, computed anew where its basis has changed.

    Args:
        file: Where the result is kept.
        basis: Names everything that the result depends on.
        compute: Returns the result.
    """
    if not file.exists() or json.loads(file.read_text()).get("basis") != basis:
        write_json(file, {"basis": basis, **compute()})
    return json.loads(file.read_text())


def fingerprint(folders: Iterable[RunFolder], data: str | Path) -> str:
    """Return a digest of the checkpoints of some runs and of a data set.

    Args:
        folders: Run folders.
        data: Folder of a data set.
    """
    digest = hashlib.sha256((Path(data) / MANIFEST).read_bytes())
    for folder in folders:
        index = folder.checkpoints / "checkpoints.json"
        digest.update(index.read_bytes())
        digest.update(str(index.stat().st_mtime_ns).encode())
    return digest.hexdigest()


def seed_statistics(values: Sequence[float]) -> dict:
    """Return mean, minimum and maximum, and the values themselves, in seed order.

    Args:
        values: One per seed.

    Example:
        >>> seed_statistics([0.25, 0.75])
        {'mean': 0.5, 'min': 0.25, 'max': 0.75, 'values': [0.25, 0.75]}
    """
    return {
        "mean": float(np.mean(values)),
        "min": float(min(values)),
        "max": float(max(values)),
        "values": list(map(float, values)),
    }


def metric_statistics(scores: Sequence[dict]) -> dict:
    """Return the statistics of each metric.

    Args:
        scores: One per seed, with `miou` and `miou_thesis`.
    """
    return {
        metric: seed_statistics([score[metric] for score in scores])
        for metric in METRICS
    }
