"""Load what a run has learned: its configuration, its segmenter, or all networks."""

import dataclasses
from pathlib import Path
from typing import Any

import keras

from cirs_tf.config.files import read_yaml, resolve
from cirs_tf.config.renamed import is_from_0_1, migrate_from_0_1
from cirs_tf.config.sections import Config
from cirs_tf.config.settings import flatten
from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import CheckpointError
from cirs_tf.methods.registry import (
    build_method,
    build_segmenter,
    entry_of,
    weights_origin,
)
from cirs_tf.serving.model_card import ModelCard
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.phases import Method
from cirs_tf.training.run_folder import RunFolder


@dataclasses.dataclass(frozen=True)
class Restored:
    """A segmenter with trained weights, and where they are from.

    Attributes:
        segmenter: `[batch, height, width, 3]` float in [0, 1] to
            `[batch, height, width, K]` logits.
        config: The run's configuration.
        checkpoint: The checkpoint's name: `loss`, `oracle`, `last` or a step.
        step: Mini-batches that it had seen.
        height: Height of the training images in pixels.
        width: Width of the training images in pixels.
        origin: Where weights are from that were trained elsewhere; empty: none were.
        card: All of that and more, for exported models.
    """

    segmenter: keras.Model
    config: Config
    checkpoint: str
    step: int
    height: int
    width: int
    origin: str
    card: ModelCard


def read_config(run: RunFolder) -> Config:
    """Return the resolved configuration of a run.

    The settings of a run of version 0.1.0 are translated; settings of other methods,
    which that version stored too, are left out.

    Args:
        run: The run folder.

    Raises:
        ConfigError: `config.yaml` is damaged, or of a method that is not known.
    """
    document = read_yaml(run.config_file)
    base = entry_of(str(document.get("method"))).config_class()
    if not is_from_0_1(document):
        return resolve(base, document, where=str(run.config_file))
    nested: dict = {}
    for key, value in migrate_from_0_1(document, set(flatten(base))).items():
        section, _, name = key.rpartition(".")
        (nested.setdefault(section, {}) if section else nested)[name] = value
    return resolve(base, nested, where=str(run.config_file))


def check_resumable(run: RunFolder) -> None:
    """Raise a CheckpointError for a run whose training cannot go on."""
    if is_from_0_1(read_yaml(run.config_file)):
        raise CheckpointError(
            f"{run.path}: trained by cirs_tf 0.1.0; it can be evaluated, exported and "
            "segmented with, but training it further needs that version"
        )


def load_segmenter(run: RunFolder, checkpoint: str | None = None) -> Restored:
    """Load the segmenter of a run; of other networks nothing is read.

    Args:
        run: The run folder.
        checkpoint: `loss`, `oracle`, `last`, or the step of one that is kept; None:
            `training.selection` of the run.

    Raises:
        CheckpointError: The checkpoint is not there, or does not fit.
        ConfigError: The method has no segmenter.
    """
    config = read_config(run)
    images = Manifest.read(run.path)
    segmenter = build_segmenter(config, images.height, images.width)
    name = checkpoint or config.training.selection
    store = CheckpointStore(run.checkpoints)
    step = store.restore(name, {"segmenter": segmenter})["step"]
    origin = weights_origin(config)
    card = ModelCard(
        images.height,
        images.width,
        num_segments=segmenter.output_shape[-1],
        method=config.method,
        run=run.path.resolve().name,
        checkpoint=name,
        step=step,
        classes=tuple(images.classes),
        validation=_label_free(run, step),
        weights_origin=origin,
    )
    return Restored(
        segmenter, config, name, step, images.height, images.width, origin, card
    )


def _label_free(run: RunFolder, step: int) -> dict[str, Any]:
    """Return what validation measured at a step, without what needs labels."""
    rows = [row for row in run.read_metrics() if row["step"] == step]
    found = rows[-1].get("validation", {}) if rows else {}
    return {key: value for key, value in found.items() if not key.startswith("miou")}


def load_networks(run: RunFolder, checkpoint: str | None = None) -> tuple[Method, int]:
    """Load all networks of a run.

    Args:
        run: The run folder.
        checkpoint: As for `load_segmenter`.

    Returns:
        The method, with its networks, and the mini-batches that they had seen.

    Raises:
        CheckpointError: The checkpoint is not there, or does not fit.
    """
    config, images = read_config(run), Manifest.read(run.path)
    method = build_method(config, images.height, images.width)
    name = checkpoint or config.training.selection
    step = CheckpointStore(run.checkpoints).restore(name, method.networks)["step"]
    return method, step


def open_run(path: str | Path | RunFolder) -> RunFolder:
    """Return the run folder at a path.

    Raises:
        CheckpointError: It is none.
    """
    return path if isinstance(path, RunFolder) else RunFolder.open(path)
