"""Planned runs: what stands in their folders, and training what is missing."""

import dataclasses
import enum
import math
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import keras

from cirs_tf import train
from cirs_tf.config import Config, flatten
from cirs_tf.config_files import load_config
from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import ConfigError, TrainingError
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder

_MOST_SEEDS = 1000  # in one span; more is a slip of the finger


@dataclasses.dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        system: What is trained, for people.
        seed: Of the run.
        folder: Where it goes.
        source: A YAML file or the name of an installed configuration.
        overrides: Settings on top of it, seed and data too.
    """

    system: str
    seed: int
    folder: Path
    source: str
    overrides: tuple[str, ...]

    @property
    def config(self) -> Config:
        """The resolved configuration."""
        return load_config(self.source, self.overrides)


class State(enum.Enum):
    """How far a planned run has come."""

    MISSING = "to train"
    INTERRUPTED = "to resume"
    FINISHED = "finished"


def state_of(run: Run) -> State:
    """Look at what stands in a run's folder.

    Raises:
        ConfigError: It was trained with other settings or other data.
    """
    folder = RunFolder(run.folder)
    if not folder.config_file.exists():
        return State.MISSING
    if not (folder.checkpoints / "checkpoints.json").exists():
        return State.MISSING  # it stopped before its first checkpoint
    config, found = run.config, folder.load_config()
    # The data set's own manifest tells what it holds; where it lies does not matter.
    difference = _difference(config, dataclasses.replace(found, data=config.data))
    if difference is None and Manifest.read(folder.path) != Manifest.read(config.data):
        difference = f"of another data set than {config.data}"
    if difference is not None:
        raise ConfigError(
            f"{run.folder}: holds a run {difference}; remove it, or name another --out"
        )
    last = CheckpointStore(folder.checkpoints).path("last")
    step = int(last.name.removeprefix("step-"))
    return State.FINISHED if step >= _total_steps(config) else State.INTERRUPTED


def train_missing(runs: Sequence[Run]) -> int:
    """Train what is not finished, one after the other.

    Returns:
        0, or the exit status of the run that was stopped by a signal.

    Raises:
        TrainingError: A run failed; its message stands above.
    """
    for number, run in enumerate(runs, start=1):
        state = state_of(run)
        if state is State.FINISHED:
            continue
        if state is State.MISSING and run.folder.exists():
            shutil.rmtree(run.folder)  # it stopped before its first checkpoint
        print(f"\n== {number} of {len(runs)}: {run.system}, seed {run.seed}")
        status = train.main(arguments_of(run, state))
        keras.backend.clear_session()
        if status >= 128:
            return status
        if status:
            raise TrainingError(f"{run.folder}: training failed")
    return 0


def arguments_of(run: Run, state: State) -> list[str]:
    """Return the arguments of `python -m cirs_tf.train` for a run."""
    if state is State.INTERRUPTED:
        return ["--resume", str(run.folder)]
    settings = [flag for value in run.overrides for flag in ("--set", value)]
    return ["--config", run.source, "--run", str(run.folder), *settings]


def seeds_from(text: str) -> list[int]:
    """Read `--seeds`: `0,1,2`, `0-4`, or both, each seed once.

    Raises:
        ConfigError: It is neither.
    """
    seeds: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"(\d+)(?:-(\d+))?", part.strip())
        first, last = found.groups() if found else (1, 0)
        span = range(int(first), int(first if last is None else last) + 1)
        if not 0 < len(span) <= _MOST_SEEDS:
            raise ConfigError(
                f"--seeds: expected integers such as 0,1,2 or 0-4, got {text!r}"
            )
        seeds += span
    return list(dict.fromkeys(seeds))


def _total_steps(config: Config) -> int:
    options = config.training
    images = Manifest.read(config.data).split("train").examples
    one_pass = math.ceil(images / options.batch_size)
    return options.epochs * (options.steps_per_epoch or one_pass)


def _difference(planned: Config, found: Config) -> str | None:
    ours, theirs = flatten(planned), flatten(found)
    for key, value in ours.items():
        if theirs[key] != value:
            return f"with {key}={theirs[key]}, planned is {value}"
    return None
