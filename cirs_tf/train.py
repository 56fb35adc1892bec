"""Train a segmenter: `python -m cirs_tf.train --model cirs`."""

import argparse
import dataclasses
import datetime
import os
from pathlib import Path

import tensorflow as tf

from cirs_tf.config import METHODS, STRATEGIES, Config
from cirs_tf.config_files import load_config
from cirs_tf.data.manifest import MANIFEST, Manifest
from cirs_tf.data.pipeline import load_split
from cirs_tf.errors import ConfigError, command
from cirs_tf.methods.build import build_method, method_class
from cirs_tf.training.autoencoder_validation import CodeValidator
from cirs_tf.training.phases import Method, StartsFromImages
from cirs_tf.training.run_folder import RunFolder, RunLog
from cirs_tf.training.strategy import is_chief, make_strategy
from cirs_tf.training.trainer import Trainer
from cirs_tf.training.validation import SegmentationValidator, Validator

# Command-line flag to configuration key, for what everyone sets.
_FLAGS = {
    "data": "data",
    "epochs": "training.epochs",
    "steps_per_epoch": "training.steps_per_epoch",
    "batch_size": "training.batch_size",
    "seed": "seed",
    "strategy": "training.strategy",
}


@command
def main(argv: list[str] | None = None) -> int:
    """Parse the command line, train, and say where everything is."""
    arguments = _parser().parse_args(argv)
    overrides = overrides_of(arguments)
    if arguments.resume:
        run = RunFolder.open(arguments.resume)
        config = load_config(run.config_file, overrides)
    else:
        config = load_config(source_of(arguments), overrides)
        run = None
    check_model(arguments, config)
    # Same seed, same weights, also after a crash and --resume.
    tf.config.experimental.enable_op_determinism()
    strategy = make_strategy(config.training)
    chief = is_chief(strategy)
    data = Path(config.data).resolve() if config.data else default_data()
    config = dataclasses.replace(config, data=str(data))
    manifest = Manifest.read(data)
    if run is None:
        path = Path(arguments.run or _new_run_name(config))
        run = RunFolder.create(path, config, manifest) if chief else RunFolder(path)
    with RunLog(run if chief else None) as log:
        needs_masks = method_class(config).needs_masks
        train = load_split(data, "train", with_masks=needs_masks)
        height, width = train.images.shape[1:3]
        with strategy.scope():
            method = build_method(config, height, width)
            validator = _validator(method, config, manifest)
            trainer = Trainer(method, config, strategy, run, train, validator)
            if arguments.resume:
                trainer.restore()
                if chief:
                    run.save_config(config)
        _announce(log, config, run, data, trainer)
        if not trainer.step and isinstance(method, StartsFromImages):
            with strategy.scope():
                log.info(method.start_from(train.images))
        stopped_by = trainer.fit()
        if stopped_by is not None:
            log.info(
                f"stopped at step {trainer.step} of {trainer.total_steps}; go on with: "
                f"python -m cirs_tf.train --resume {run.path}"
            )
            return 128 + stopped_by
        log.info(f"done: python -m cirs_tf.evaluate {run.path}")
    return 0


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is trained, seed and folder aside."""
    add = parser.add_argument
    add("--model", choices=METHODS, help="the method, with its default configuration")
    add(
        "--config",
        metavar="YAML",
        help="a file, or a name such as thesis/cirs_balanced",
    )
    add(
        "--data",
        metavar="DIR",
        help="from data_gen; default: the fruit set, drawn once",
    )
    add("--epochs", type=int, metavar="N")
    add("--steps-per-epoch", type=int, metavar="N", help="default: one pass")
    add("--batch-size", type=int, metavar="N", help="images over all devices")
    add("--strategy", choices=STRATEGIES, help="devices; default: auto")
    add(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="any other setting; may be repeated",
    )


def overrides_of(arguments: argparse.Namespace) -> list[str]:
    """Return `--set` and the plain flags as `KEY=VALUE`; the last one wins."""
    overrides = list(arguments.overrides)
    for flag, key in _FLAGS.items():
        value = getattr(arguments, flag, None)
        if value is not None:
            overrides.append(f"{key}={value}")
    return overrides


def source_of(arguments: argparse.Namespace) -> str:
    """Return the configuration that `--config` or `--model` names."""
    return arguments.config or arguments.model or "cirs"


def check_model(arguments: argparse.Namespace, config: Config) -> None:
    """Raise a ConfigError where `--model` is not the method of the configuration."""
    if arguments.model and arguments.model != config.method:
        raise ConfigError(
            f"--model {arguments.model}: the configuration is for {config.method!r}"
        )


def _validator(method: Method, config: Config, manifest: Manifest) -> Validator:
    read = config.training.validation_masks or method.needs_masks
    masks = read and manifest.split("val").masks
    limit, size = config.training.validation_images, config.training.batch_size
    if "segmenter" in method.networks:
        validation = load_split(config.data, "val", masks, limit)
        classes = len(manifest.classes)
        return SegmentationValidator(method, validation, config.segments, classes, size)
    validation = load_split(config.data, "val", with_masks=False, limit=limit)
    probe = load_split(config.data, "test", with_masks=False, with_image_classes=True)
    return CodeValidator(method, validation, probe, size)


def _announce(log, config: Config, run: RunFolder, data: Path, trainer) -> None:
    networks = trainer.method.networks
    sizes = ", ".join(
        f"{name} {net.count_params():,}" for name, net in networks.items()
    )
    replicas = trainer.strategy.num_replicas_in_sync
    log.info(f"run          {run.path}")
    log.info(f"data         {data} ({len(trainer.data.images):,} training images)")
    segments = f", K={config.segments}" if "segmenter" in networks else ""
    log.info(f"method       {config.method}{segments}; parameters: {sizes}")
    if config.method == "cirs":
        log.info(
            "note         the thesis's own method, which collapses here (README, "
            "Limits); --model cirs_aligned finds the objects"
        )
    log.info(f"TensorBoard  tensorboard --logdir {run.tensorboard}")
    start = f"from step {trainer.step} " if trainer.step else ""
    log.info(
        f"training     {start}to step {trainer.total_steps}, "
        f"{trainer.steps_per_epoch} mini-batches of {config.training.batch_size} an "
        f"epoch, {replicas} device{'s' if replicas > 1 else ''}"
    )


def default_data() -> Path:
    """Draw the default fruit set into the cache, once."""
    from data_gen.draw_dataset import draw
    from data_gen.options import default_options

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "cirs_tf" / "fruit"
    if not (folder / MANIFEST).exists():
        print(f"no --data given: drawing the fruit set once, into {folder}", flush=True)
    draw(default_options(), folder, workers=os.cpu_count() or 1, progress=True)
    return folder


def _new_run_name(config: Config) -> str:
    return f"runs/{config.method}-{datetime.datetime.now():%Y%m%d-%H%M%S}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cirs_tf.train",
        description="Train a segmenter without labels.",
        epilog="Every other setting: --set segmenter.width=8 (configs/ and "
        "cirs_tf/config.py list them).",
    )
    add_settings(parser)
    add = parser.add_argument
    add("--run", metavar="DIR", help="run folder; default: runs/METHOD-DATE-TIME")
    add("--resume", metavar="RUN", help="go on with an interrupted or shorter run")
    add("--seed", type=int, metavar="N")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
