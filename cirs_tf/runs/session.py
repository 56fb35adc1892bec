"""Train a configuration into a run folder: start a run, or go on with one."""

import contextlib
import dataclasses
import datetime
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from cirs_tf.config.sections import Config
from cirs_tf.config.settings import flatten
from cirs_tf.data.image_split import ImageSplit
from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import ConfigError
from cirs_tf.layers.precision import hidden_precision
from cirs_tf.methods.registry import build_method, entry_of
from cirs_tf.runs.announcement import log_run, log_training
from cirs_tf.runs.open_split import split_opener
from cirs_tf.runs.restore import check_resumable, read_config
from cirs_tf.training.autoencoder_validation import AutoencoderValidator
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.interruption import StopRequest
from cirs_tf.training.phases import SUMMARY, Initialization, Initializes, Method
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.training.run_lock import run_lock
from cirs_tf.training.run_log import RunLog
from cirs_tf.training.strategy import Workers, make_strategy, set_determinism
from cirs_tf.training.trainer import Trainer
from cirs_tf.training.validation import SegmentationValidator, Validator

_LOGGER = logging.getLogger("cirs_tf")


@dataclasses.dataclass(frozen=True)
class Run:
    """A run after training.

    Attributes:
        folder: Everything that it left behind.
        config: The resolved configuration.
        step: Mini-batches done, those of pretraining included.
        total_steps: Mini-batches of the whole run.
        stopped_by: Number of the signal that stopped it, None: it is finished.
    """

    folder: RunFolder
    config: Config
    step: int
    total_steps: int
    stopped_by: int | None = None

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path


def train(
    config: Config,
    run_dir: str | Path | None = None,
    resume: bool | None = None,
    verify: bool = False,
) -> Run:
    """Train a configuration into a run folder.

    A run that was stopped or killed at any moment goes on where its last checkpoint
    is, or from the beginning where there is none; a finished one is left as it is.

    Args:
        config: The run; `config.data` must name a data set.
        run_dir: The run folder; None: `runs/METHOD-DATE-TIME`.
        resume: Whether the folder holds a run already. None: go on where it holds a
            run of the same configuration, else start one. True: go on, with `config` in
            place of the stored configuration (for example more epochs). False: the
            folder must not hold a run.
        verify: Whether hashes of the data are compared first, not sizes alone.

    Returns:
        The run, finished or stopped by a signal.

    Raises:
        CirsError: The configuration, data or run folder is not what is expected,
            another process trains there, or training cannot go on; one clear line.
    """
    with StopRequest() as stop, contextlib.ExitStack() as held:
        determinism = set_determinism(config.training.deterministic)
        workers = Workers(make_strategy(config.training))
        held.enter_context(workers.reporting_losses())
        stop.reinstall()
        if config.data is None:
            raise ConfigError("data: expected the folder of a data set, got null")
        config = dataclasses.replace(config, data=str(Path(config.data).resolve()))
        manifest = Manifest.read(config.data)
        folder = RunFolder(path := Path(run_dir or default_run_dir(config)))
        if workers.chief:
            if resume:  # or there is no folder to lock
                RunFolder.open(path)
            elif any(path.glob("*.tfrecord")):
                raise ConfigError(
                    f"--run {path}: holds a data set; name another folder for the run"
                )
            held.enter_context(run_lock(path))
            _check_folder(folder, config, manifest, resume)
        store = CheckpointStore(folder.checkpoints)
        if workers.chief:
            store.remove_leftovers()
        # The other workers may not see the chief's files yet: it says where to begin.
        last_step = workers.from_chief(
            -1 if store.last_step is None else store.last_step
        )
        open_one = split_opener(config, verify=verify)
        train_split = open_one("train", with_masks=_needs_masks(config))
        height, width = train_split.images.shape[1:3]
        with workers.strategy.scope(), hidden_precision(config.training.precision):
            # Before the folder becomes a run: what cannot be built leaves none.
            method = build_method(config, height, width)
        with workers.strategy.scope():
            validator = _validator(method, config, manifest, open_one)
        if workers.chief and not folder.config_file.exists():
            RunFolder.create(path, config, manifest)
        with RunLog(folder if workers.chief else None):
            with workers.strategy.scope():
                log_run(folder, config, method, train_split)
                initialization = _initialize(method, folder, train_split, workers)
                trainer = Trainer(
                    method,
                    config,
                    workers,
                    folder,
                    train_split,
                    initialization,
                    validator,
                )
                if last_step >= 0:
                    trainer.restore(str(last_step))
                elif workers.chief:
                    folder.rewind_metrics(0)
            if workers.chief:
                folder.save_config(config)
            log_training(trainer, determinism)
            stopped_by = None
            if stop.signal_number is None or workers.count > 1:
                stopped_by = trainer.fit(stop)
            elif not trainer.finished:
                stopped_by = stop.signal_number
            return Run(folder, config, trainer.step, trainer.total_steps, stopped_by)


def default_run_dir(config: Config) -> Path:
    """Return `runs/METHOD-DATE-TIME`."""
    return Path(f"runs/{config.method}-{datetime.datetime.now():%Y%m%d-%H%M%S}")


def config_difference(
    planned: Config, stored: Config, among: tuple[str, ...] = ("",)
) -> str | None:
    """Return the first setting in which two configurations differ, None: none.

    Args:
        planned: What is to be trained.
        stored: What a run folder holds. Where the data lies and is held does not
            matter, nor the segmenter, whose segments are kept with the run.
        among: Beginnings of the names that are compared.
    """
    elsewhere = ("data", "pretraining.segmenter", "training.cache")
    ours, theirs = flatten(planned), flatten(stored)
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        if key.startswith(elsewhere) or not key.startswith(among):
            continue
        if ours.get(key) != theirs.get(key):
            return f"{key}={theirs.get(key)}, not {ours.get(key)}"
    return None


def _check_folder(
    folder: RunFolder, config: Config, manifest: Manifest, resume: bool | None
) -> None:
    """Raise a ConfigError where a folder holds a run that is not to be gone on with."""
    path = folder.path
    if not folder.config_file.exists():
        return
    check_resumable(folder)
    same_data = Manifest.read(path) == manifest
    if resume:
        _check_initialization(folder, config)
        if not same_data:
            raise ConfigError(
                f"--resume {path}: {config.data} is not the data set that it began "
                "with; start another run"
            )
        return
    advice = f"go on with --resume {path}, or name another folder"
    if resume is False:
        raise ConfigError(f"--run {path}: holds a run already; {advice}")
    if difference := config_difference(config, read_config(folder)):
        raise ConfigError(f"--run {path}: holds a run with {difference}; {advice}")
    if not same_data:
        raise ConfigError(
            f"--run {path}: holds a run of another data set than {config.data}; name "
            "another folder"
        )


def _check_initialization(folder: RunFolder, config: Config) -> None:
    """Refuse to go on with settings that what is kept of the images was not made by."""
    if not folder.initialization_file.exists():
        return
    method_class = entry_of(config.method).method_class
    among = getattr(method_class, "initialized_by", ())
    if difference := config_difference(config, read_config(folder), among):
        raise ConfigError(
            f"--resume {folder.path}: began with {difference}, and with what it took "
            "from the images by that; start another run"
        )


def _needs_masks(config: Config) -> bool:
    return entry_of(config.method).method_class.needs_masks


def _initialize(
    method: Method, folder: RunFolder, train_split: ImageSplit, workers: Workers
) -> Initialization:
    """Take from the images what the method asks for, once per run, by the chief."""
    if not isinstance(method, Initializes):
        return {}
    initialization: Mapping[str, np.ndarray] | None = None
    if workers.chief:
        initialization = folder.load_initialization()
        if initialization is None:
            initialization = method.initialize(train_split.images)
            if initialization:
                folder.save_initialization(initialization)
            if SUMMARY in initialization:
                _LOGGER.info(f"initialized  {initialization[SUMMARY]}")
    # Rounding may differ between machines: all take what the chief has found.
    if workers.from_chief(int(bool(initialization))) and not workers.chief:
        initialization = folder.await_initialization()
    if initialization:
        method.assign(initialization)
    return initialization or {}


def _validator(
    method: Method,
    config: Config,
    manifest: Manifest,
    open_one: Callable[..., ImageSplit],
) -> Validator:
    read = config.training.validation_masks or method.needs_masks
    masks = read and manifest.split("val").masks
    limit, size = config.training.validation_images, config.training.batch_size
    if "segmenter" in method.networks:
        validation = open_one("val", masks, limit)
        classes = len(manifest.classes)
        return SegmentationValidator(method, validation, config.segments, classes, size)
    validation = open_one("val", with_masks=False, limit=limit)
    probe = open_one("test", with_masks=False, with_image_classes=True)
    return AutoencoderValidator(method, validation, probe, size)
