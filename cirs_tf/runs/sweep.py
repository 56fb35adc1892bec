"""A sweep: one configuration, several seeds, one checkpoint chosen without labels."""

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path

import keras

from cirs_tf.config.files import resolve
from cirs_tf.config.sections import Config
from cirs_tf.data.splits import load_split
from cirs_tf.errors import ConfigError, DataError
from cirs_tf.methods.registry import build_segmenter, entry_of
from cirs_tf.runs.evaluation import write_json
from cirs_tf.runs.queue import PlannedRun, state_of, train_missing
from cirs_tf.runs.selection import (
    SCORED_IMAGES,
    Candidate,
    Signals,
    candidates_of,
    choose,
    predictions,
    signals_of,
)
from cirs_tf.training.run_folder import RunFolder

_MEANING = """
agreement     with the segments of the other seeds: 1 is best, 0 needs no image
equivariance  with the segments of the mirror image: the same
equal pixels  with the mirror image, uncorrected: 1 also for one segment everywhere
"""


@dataclasses.dataclass(frozen=True)
class SweepResult:
    """The outcome of a sweep.

    Attributes:
        chosen: The checkpoint that the criterion picked, None where it was stopped.
        stopped_by: Number of the signal that stopped it, None: it is finished.
    """

    chosen: Candidate | None = None
    stopped_by: int | None = None


def sweep(
    config: Config,
    seeds: Sequence[int],
    out: Path,
    criterion: str,
    name: str,
    export_command: str = "python -m cirs_tf.export",
) -> SweepResult:
    """Train what is missing, score every kept checkpoint, pick one; print all of it.

    Args:
        config: The configuration of all runs, seed aside; `data` is set.
        seeds: One run each, in `out/seed-SEED`.
        out: Folder of the runs and of `sweep.json`.
        criterion: One of `selection.CRITERIA`.
        name: What the sweep is of, for people.
        export_command: How the printed advice begins.

    Raises:
        ConfigError: The configuration is not for a sweep.
        DataError: There are too few validation images.
    """
    _check(config, seeds, criterion)
    # No mask is read, also where the data set has some.
    config = resolve(config, overrides=["training.validation_masks=false"])
    val = load_split(config.data, "val", with_masks=False, limit=SCORED_IMAGES)
    images = val.images
    if len(images) < 2:
        raise DataError(f"{config.data}: split 'val' has 1 image, a sweep compares 2")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {out}: {error.strerror}") from None
    planned = [
        PlannedRun(
            name, out / f"seed-{seed}", resolve(config, overrides=[f"seed={seed}"])
        )
        for seed in seeds
    ]
    for run, state in zip(planned, [state_of(run) for run in planned], strict=True):
        print(f"{state.value:12}{run.folder}")
    if (stopped_by := train_missing(planned)) is not None:
        return SweepResult(stopped_by=stopped_by)

    candidates = candidates_of([RunFolder.open(run.folder) for run in planned])
    print(
        f"\n{len(candidates)} checkpoints on {len(images)} unlabeled validation images"
    )
    labels = predictions(candidates, images, images[:, :, ::-1])
    signals = signals_of(candidates, *labels, config.segments)
    keras.backend.clear_session()
    index = choose(candidates, signals, criterion)
    _print_table(candidates, signals, index)
    best = candidates[index]
    export = (
        f"{export_command} {shlex.quote(str(best.run.path))} "
        f"--checkpoint {best.step} --out {shlex.quote(f'exported/{name}')}"
    )
    file = out / "sweep.json"
    content = {
        "config": name,
        "data": config.data,
        "seeds": list(seeds),
        "images": len(images),
        "criterion": criterion,
        "candidates": [
            _place(candidate) | dataclasses.asdict(signal)
            for candidate, signal in zip(candidates, signals, strict=True)
        ],
        "chosen": _place(best),
        "export": export,
    }
    write_json(file, content)
    print(f"chosen by {criterion}, without labels: seed {best.seed}, step {best.step}")
    print(f"export    {export}")
    print(f"numbers   {file}")
    return SweepResult(best)


def _check(config: Config, seeds: Sequence[int], criterion: str) -> None:
    """Raise a ConfigError where a sweep cannot take the configuration."""
    if criterion == "agreement" and len(seeds) < 2:
        raise ConfigError("--criterion agreement: needs two seeds or more, got one")
    if entry_of(config.method).method_class.needs_masks:
        raise ConfigError(
            f"method: {config.method} learns from labels, a sweep chooses without any"
        )
    if config.training.strategy == "multi_worker":
        raise ConfigError("--strategy multi_worker: a sweep is of one machine")
    build_segmenter(config, 32, 32)  # or the method has none
    keras.backend.clear_session()


def _place(candidate: Candidate) -> dict:
    run = str(candidate.run.path)
    return {"seed": candidate.seed, "run": run, "step": candidate.step}


def _print_table(
    candidates: Sequence[Candidate], signals: Sequence[Signals], chosen: int
) -> None:
    print(
        f"\n{'seed':>6}{'step':>9}{'loss':>12}{'agreement':>11}{'equivariance':>14}"
        f"{'equal pixels':>14}"
    )
    for index, (candidate, signal) in enumerate(zip(candidates, signals, strict=True)):
        agreement = "-" if signal.agreement is None else f"{signal.agreement:.3f}"
        mark = "  <- chosen" if index == chosen else ""
        print(
            f"{candidate.seed:>6}{candidate.step:>9}{signal.loss:>12.5g}"
            f"{agreement:>11}{signal.equivariance:>14.3f}"
            f"{signal.mirror_pixels:>14.3f}{mark}"
        )
    print(_MEANING)
