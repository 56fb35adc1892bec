"""The lines that a run begins with: what is trained, where, how long and on what."""

import logging
from collections.abc import Mapping

from cirs_tf.config.sections import Config
from cirs_tf.data.image_split import ImageSplit
from cirs_tf.methods.registry import entry_of
from cirs_tf.training.phases import Method
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.training.trainer import Trainer

_LOGGER = logging.getLogger("cirs_tf")


def log_run(
    folder: RunFolder, config: Config, method: Method, train_split: ImageSplit
) -> None:
    """Log what is trained, and where."""
    sizes = ", ".join(
        f"{name} {net.count_params():,}" for name, net in method.networks.items()
    )
    segments = f", K={config.segments}" if "segmenter" in method.networks else ""
    entry = entry_of(config.method)
    _log_lines(
        {
            "run": folder.path,
            "data": f"{config.data} ({len(train_split.images):,} training images)",
            "images": train_split.storage(config.training.cache_mb),
            "method": f"{config.method}{segments}; parameters: {sizes}",
            "needs": entry.needs,
            "note": entry.note,
            "TensorBoard": f"tensorboard --logdir {folder.tensorboard}",
        }
    )


def log_training(trainer: Trainer, determinism: str) -> None:
    """Log how long it is trained, and on what."""
    if not trainer.stages:
        nothing = "nothing is trained: epochs, rates and devices do not matter"
        _log_lines({"determinism": determinism, "training": nothing})
        return
    *pretraining, training = trainer.stages
    parts = [f"{stage.name} {stage.part_steps}" for stage in pretraining]
    parts.append(
        f"{training.epochs} epoch{'s' * (training.epochs > 1)} of "
        f"{training.part_steps} mini-batches of {trainer.config.training.batch_size}"
    )
    begin = f"from step {trainer.step} " if trainer.step else ""
    replicas = trainer.workers.strategy.num_replicas_in_sync
    precision = trainer.config.training.precision
    reduced = "" if precision == "float32" else f"{precision}, hidden layers"
    _log_lines(
        {
            "determinism": determinism,
            "precision": reduced,
            "training": f"{begin}to step {trainer.total_steps}: {', '.join(parts)}; "
            f"{replicas} device{'s' * (replicas > 1)}",
        }
    )


def _log_lines(lines: Mapping[str, object]) -> None:
    """Log names and texts in two columns, empty texts left out."""
    for name, text in lines.items():
        if text:
            _LOGGER.info(f"{name:13}{text}")
