"""Write a run's segmenter in one of the formats."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from cirs_tf.config.sections import Config
from cirs_tf.data.manifest import MANIFEST
from cirs_tf.data.splits import open_split
from cirs_tf.errors import ConfigError, DataError
from cirs_tf.proposals.evenly_spaced import evenly_spaced
from cirs_tf.runs.hub_folder import write_hub_folder
from cirs_tf.runs.restore import Restored, load_segmenter
from cirs_tf.serving.formats.export_format import FILES, check_quantize, write_format
from cirs_tf.serving.formats.litert_file import INT8_FULL
from cirs_tf.serving.savedmodel import write_savedmodel
from cirs_tf.training.run_folder import RunFolder

SAVED_MODEL, HUB = "saved_model", "hub"
_REPRESENTATIVE = 100  # training images that give the ranges of activations
FORMATS = (SAVED_MODEL, *FILES, HUB)


def export_run(
    run: RunFolder,
    out: str | Path,
    checkpoint: str | None = None,
    export_format: str = SAVED_MODEL,
    quantize: str | None = None,
    model_license: str | None = None,
    data: str | Path | None = None,
    **facts: Any,
) -> tuple[Path, Restored]:
    """Write a run's segmenter for others to use.

    Args:
        run: The run folder.
        out: Folder of the model. `saved_model` writes the next version in it; the
            others want it new or empty.
        checkpoint: As of `load_segmenter`.
        export_format: One of `FORMATS`.
        quantize: `float16` or `int8` weights, or `int8_full`, weights and activations,
            of `litert` alone; None: float32.
        model_license: Of `hub` alone: the license that its card states, such as
            `apache-2.0`; None: the card says that none is stated.
        data: Of `int8_full` alone: the data set whose training images, without labels,
            give the ranges of activations; None: the run's own.
        **facts: Of the description, that are not of the run: `segment_names`,
            `max_pixels`.

    Returns:
        What was written (a version's folder, the model's file, or the hub folder),
        and the segmenter.

    Raises:
        CheckpointError: The checkpoint is not there, or `out` cannot be written.
        ConfigError: There is no such format or weights, a package is missing, the
            format lacks an operation, there are not as many names as segments, or
            something is given that only another format uses.
        DataError: A file of the run's evaluation is damaged, or `int8_full` finds no
            training images.
    """
    if export_format not in FORMATS:
        raise ConfigError(
            f"--format: expected one of {', '.join(FORMATS)}, got {export_format!r}"
        )
    if model_license is not None and export_format != HUB:
        raise ConfigError(f"--license: expected --format hub, got {export_format}")
    check_quantize(export_format, quantize)
    if data is not None and quantize != INT8_FULL:
        raise ConfigError(f"--data: expected --quantize {INT8_FULL}, got {quantize}")
    restored = load_segmenter(run, checkpoint)
    restored = dataclasses.replace(
        restored, card=dataclasses.replace(restored.card, **facts)
    )
    segmenter, card = restored.segmenter, restored.card
    if export_format == SAVED_MODEL:
        path = write_savedmodel(segmenter, out, card)
    elif export_format == HUB:
        path = write_hub_folder(run, restored, out, model_license)
    else:
        images = None
        if quantize == INT8_FULL:
            images = _representative_images(restored.config, data)
        path = write_format(segmenter, out, export_format, card, quantize, images)
    return path, restored


def _representative_images(config: Config, data: str | Path | None) -> np.ndarray:
    """Return training images from all over the data set, their labels not read."""
    data = config.data if data is None else data
    if data is None or not (Path(data) / MANIFEST).is_file():
        raise DataError(
            f"--quantize {INT8_FULL} needs training images: {data} is not there; say "
            "where it is with --data"
        )
    images = open_split(data, "train", with_masks=False, cache="records").images
    return images[evenly_spaced(len(images), _REPRESENTATIVE)]
