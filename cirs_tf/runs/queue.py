"""Planned runs: what stands in their folders, and training what is missing."""

import dataclasses
import enum
import re
from collections.abc import Sequence
from pathlib import Path

import keras

from cirs_tf.config.sections import Config
from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import ConfigError
from cirs_tf.runs.exporting import export_run
from cirs_tf.runs.restore import (
    check_resumable,
    open_run,
    read_config,
)
from cirs_tf.runs.session import config_difference, train
from cirs_tf.training.run_folder import RunFolder

_MOST_SEEDS = 1000  # in one span; more is a slip of the finger


@dataclasses.dataclass(frozen=True)
class PlannedRun:
    """One training that a sweep or a table needs.

    Attributes:
        system: What is trained, for people.
        folder: Where it goes.
        config: The resolved configuration, seed and data too.
        starts_from: Folder of the run whose segmenter is exported to
            `config.pretraining.segmenter` first; None: nothing is.
    """

    system: str
    folder: Path
    config: Config
    starts_from: Path | None = None


class State(enum.Enum):
    """How far a planned run has come."""

    MISSING = "to train"
    INTERRUPTED = "to resume"
    FINISHED = "finished"


def state_of(planned: PlannedRun) -> State:
    """Return how far the run in a planned run's folder has come.

    Raises:
        ConfigError: It was trained with other settings or other data.
    """
    folder = RunFolder(planned.folder)
    if not folder.config_file.exists():
        return State.MISSING
    check_resumable(folder)
    config = planned.config
    difference = config_difference(config, read_config(folder))
    if difference is not None:
        difference = f"with {difference}"
    elif Manifest.read(folder.path) != Manifest.read(config.data):
        difference = f"of another data set than {config.data}"
    if difference is not None:
        raise ConfigError(
            f"{planned.folder}: holds a run {difference}; remove it, or name another "
            "--out"
        )
    rows = folder.read_metrics()
    epochs = rows[-1]["epoch"] if rows else 0
    trains = not rows or rows[-1]["train"]  # else its method has no phases
    done = epochs >= config.training.epochs or not trains
    return State.FINISHED if done else State.INTERRUPTED


def train_missing(planned_runs: Sequence[PlannedRun]) -> int | None:
    """Train what is not finished, one after the other.

    Args:
        planned_runs: In order.

    Returns:
        None, or the number of the signal that stopped a run.

    Raises:
        CirsError: A run failed.
    """
    for position, planned in enumerate(planned_runs, start=1):
        if state_of(planned) is State.FINISHED:
            continue
        title = f"{planned.system}, seed {planned.config.seed}"
        print(f"\n== {position} of {len(planned_runs)}: {title}")
        if planned.starts_from is not None:
            _export(planned.starts_from, Path(planned.config.pretraining.segmenter))
        run = train(planned.config, planned.folder)
        keras.backend.clear_session()
        if run.stopped_by is not None:
            return run.stopped_by
    return None


def _export(run: Path, model_dir: Path) -> None:
    """Export the segmenter of a finished run, unless that has been done since."""
    folder = open_run(run)
    trained = (folder.checkpoints / "checkpoints.json").stat().st_mtime
    versions = model_dir.glob("*/saved_model.pb")
    if all(version.stat().st_mtime < trained for version in versions):
        export_run(folder, model_dir)


def seeds_from(text: str) -> list[int]:
    """Read `--seeds`: `0,1,2`, `0-4`, or both, each seed once.

    Raises:
        ConfigError: It is neither.
    """
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part.strip())
        first, last = match.groups() if match else (1, 0)
        first, last = int(first), int(first if last is None else last)
        if not 0 <= last - first < _MOST_SEEDS:
            raise ConfigError(
                f"--seeds: expected integers such as 0,1,2 or 0-4, got {text!r}"
            )
        seeds += range(first, last + 1)
    return list(dict.fromkeys(seeds))
