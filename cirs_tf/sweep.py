"""Train several seeds and pick one without labels: `python -m cirs_tf.sweep`."""

import argparse
import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from cirs_tf.config import Config
from cirs_tf.config_files import load_config
from cirs_tf.data.manifest import Manifest
from cirs_tf.data.pipeline import load_split
from cirs_tf.errors import ConfigError, DataError, command
from cirs_tf.methods.build import build_segmenter, method_class
from cirs_tf.runs.evaluation import write_json
from cirs_tf.runs.queue import Run, seeds_from, state_of, train_missing
from cirs_tf.runs.selection import (
    CRITERIA,
    SCORED_IMAGES,
    Candidate,
    Signals,
    candidates_of,
    choose,
    predictions,
    signals_of,
)
from cirs_tf.train import (
    add_settings,
    check_model,
    default_data,
    overrides_of,
    source_of,
)
from cirs_tf.training.run_folder import RunFolder

_MEANING = """
agreement     with the segments of the other seeds: 1 is best, 0 needs no image
equivariance  with the segments of the mirror image: the same
equal pixels  with the mirror image, uncorrected: 1 also for one segment everywhere
"""


@command
def main(argv: list[str] | None = None) -> int:
    """Parse the command line, train what is missing, score, and say which to export."""
    arguments = _parser().parse_args(argv)
    # Each run compiles networks of its own, which TensorFlow takes for a mistake.
    tf.get_logger().setLevel("ERROR")
    seeds, criterion = seeds_from(arguments.seeds), arguments.criterion
    if criterion == "agreement" and len(seeds) < 2:
        raise ConfigError("--criterion agreement: needs two seeds or more, got one")
    source = source_of(arguments)
    name = Path(source).stem
    out = Path(arguments.out or f"runs/sweep-{name}")
    config = _config(arguments, source)
    val = load_split(config.data, "val", with_masks=False, limit=SCORED_IMAGES)
    images = val.images
    if len(images) < 2:
        raise DataError(f"{config.data}: split 'val' has 1 image, a sweep compares 2")
    runs = _plan(arguments, source, seeds, out, config.data)
    for run, state in zip(runs, [state_of(run) for run in runs], strict=True):
        print(f"{state.value:12}{run.folder}")
    if status := train_missing(runs):
        print("stopped; the same command goes on")
        return status

    found = candidates_of([RunFolder.open(run.folder) for run in runs])
    print(f"\n{len(found)} checkpoints on {len(images)} unlabeled validation images")
    labels = predictions(found, images, images[:, :, ::-1])
    signals = signals_of(found, *labels, config.segments)
    keras.backend.clear_session()
    chosen = choose(found, signals, criterion)
    _print_table(found, signals, chosen)
    best = found[chosen]
    export = (
        f"python -m cirs_tf.export {shlex.quote(str(best.run.path))} "
        f"--checkpoint {best.step} --out {shlex.quote(f'exported/{name}')}"
    )
    file = out / "sweep.json"
    write_json(
        file,
        {
            "config": source,
            "data": config.data,
            "seeds": seeds,
            "images": len(images),
            "criterion": criterion,
            "candidates": [
                _where(one) | dataclasses.asdict(of)
                for one, of in zip(found, signals, strict=True)
            ],
            "chosen": _where(best),
            "export": export,
        },
    )
    print(f"chosen by {criterion}, without labels: seed {best.seed}, step {best.step}")
    print(f"export    {export}")
    print(f"numbers   {file}")
    return 0


def _config(arguments: argparse.Namespace, source: str) -> Config:
    """Return the configuration of all runs, checked as far as a sweep can take it."""
    overrides = overrides_of(arguments)
    if given := [one for one in overrides if one.startswith("seed=")]:
        raise ConfigError(f"--set {given[0]}: a sweep takes --seeds")
    config = load_config(source, overrides)
    check_model(arguments, config)
    if method_class(config).needs_masks:
        raise ConfigError(
            f"method: {config.method} learns from labels, a sweep chooses without any"
        )
    if config.training.strategy == "multi_worker":
        raise ConfigError("--strategy multi_worker: a sweep is of one machine")
    data = Path(config.data).resolve() if config.data else default_data()
    manifest = Manifest.read(data)
    build_segmenter(config, manifest.height, manifest.width)  # or the method has none
    keras.backend.clear_session()
    return dataclasses.replace(config, data=str(data))


def _plan(
    arguments: argparse.Namespace,
    source: str,
    seeds: Sequence[int],
    out: Path,
    data: str,
) -> list[Run]:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {out}: {error.strerror}") from None
    fixed = (f"data={data}", "training.validation_masks=false")
    runs = [
        Run(
            Path(source).stem,
            seed,
            out / f"seed-{seed}",
            source,
            (*overrides_of(arguments), *fixed, f"seed={seed}"),
        )
        for seed in seeds
    ]
    for run in runs:
        _ = run.config  # a seed out of range is refused before the first training
    return runs


def _where(candidate: Candidate) -> dict:
    run = str(candidate.run.path)
    return {"seed": candidate.seed, "run": run, "step": candidate.step}


def _print_table(
    found: Sequence[Candidate], signals: Sequence[Signals], chosen: int
) -> None:
    print(
        f"\n{'seed':>6}{'step':>9}{'loss':>12}{'agreement':>11}{'equivariance':>14}"
        f"{'equal pixels':>14}"
    )
    for index, (one, of) in enumerate(zip(found, signals, strict=True)):
        agreement = "-" if of.agreement is None else f"{of.agreement:.3f}"
        mark = "  <- chosen" if index == chosen else ""
        print(
            f"{one.seed:>6}{one.step:>9}{of.loss:>12.5g}{agreement:>11}"
            f"{of.equivariance:>14.3f}{of.mirror_pixels:>14.3f}{mark}"
        )
    print(_MEANING)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cirs_tf.sweep",
        description="Train several seeds (finished runs are reused, interrupted ones "
        "resumed), score every kept checkpoint on unlabeled validation images and "
        "pick one. No mask is read.",
        epilog="Every other setting: --set segmenter.width=8 (configs/ and "
        "cirs_tf/config.py list them).",
    )
    add_settings(parser)
    add = parser.add_argument
    add("--seeds", default="0-4", metavar="S,...", help="such as 0,1,2; default: 0-4")
    add("--out", metavar="DIR", help="folder of the runs; default: runs/sweep-METHOD")
    add(
        "--criterion",
        choices=CRITERIA,
        default="loss",
        help="lowest validation loss (default), highest agreement with other seeds, or "
        "highest equivariance under mirroring",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
