"""Training what is missing, and what each finished run scored."""

import dataclasses
import enum
import json
import math
import shutil
from collections.abc import Sequence

import keras

from cirs_tf import train
from cirs_tf.config import Config, flatten
from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import ConfigError, TrainingError
from cirs_tf.evaluation import evaluate_run, write_json
from cirs_tf.reproduce.plan import SYSTEMS, Run
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder


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
            f"{run.folder}: holds a run {difference}; remove it, or --out"
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
    config = SYSTEMS[run.system].config
    return ["--config", config, "--run", str(run.folder), *settings]


def scores_of(run: Run) -> dict:
    """Return the scores of a finished run on the test split, by checkpoint.

    They are computed once and kept in `RUN/eval/test.json`.

    Returns:
        `loss`, `oracle` and `last`: `step`, `miou` and `miou_thesis`.
    """
    folder = RunFolder.open(run.folder)
    file = folder.evaluation / "test.json"
    trained = (folder.checkpoints / "checkpoints.json").stat().st_mtime
    if not file.exists() or file.stat().st_mtime < trained:
        print(f"evaluating {run.folder}")
        found = evaluate_run(folder, "test", run.config.data)
        write_json(file, found.as_json())
        found.picture().save(folder.evaluation / "test.png")
        keras.backend.clear_session()
    return json.loads(file.read_text())["by_checkpoint"]


def seconds_of(run: Run) -> float:
    """Return the seconds that a run's training mini-batches took, validation aside."""
    rows = RunFolder.open(run.folder).read_metrics()
    size = run.config.training.batch_size
    steps = [row["step"] for row in rows]
    done = zip(rows, [0, *steps[:-1]], steps, strict=True)
    return sum(
        (end - start) * size / row["images_per_second"] for row, start, end in done
    )


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
