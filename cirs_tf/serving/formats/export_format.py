"""Write a segmenter in one of the formats, with what it is beside it."""

from pathlib import Path

import keras
import numpy as np

from cirs_tf.atomic_write import atomic_folder
from cirs_tf.errors import CheckpointError, ConfigError
from cirs_tf.serving.formats.description import (
    DESCRIPTION,
    description,
    flat_description,
)
from cirs_tf.serving.formats.keras_file import KERAS_FILE
from cirs_tf.serving.formats.litert_file import QUANTIZE, write_litert
from cirs_tf.serving.formats.onnx_file import write_onnx
from cirs_tf.serving.formats.openvino_file import write_openvino
from cirs_tf.serving.model_card import ModelCard

FILES = {
    "keras": KERAS_FILE,
    "onnx": "segmenter.onnx",
    "litert": "segmenter.tflite",
    "openvino": "segmenter.xml",
}


def check_quantize(export_format: str, quantize: str | None) -> None:
    """Check that weights can be stored so.

    Args:
        export_format: Any format.
        quantize: `float16`, `int8`, `int8_full`, or None: float32.

    Raises:
        ConfigError: They cannot.
    """
    if quantize is None:
        return
    if export_format != "litert":
        raise ConfigError(
            f"--quantize {quantize}: expected --format litert, got {export_format}"
        )
    if quantize not in QUANTIZE:
        raise ConfigError(
            f"--quantize: expected one of {', '.join(QUANTIZE)}, got {quantize!r}"
        )


def write_format(
    segmenter: keras.Model,
    out: str | Path,
    export_format: str,
    card: ModelCard,
    quantize: str | None = None,
    images: np.ndarray | None = None,
) -> Path:
    """Write a folder with the model's file and `cirs_tf.json`.

    Args:
        segmenter: `[batch, height, width, 3]` float in [0, 1] to K logits.
        out: The folder; it appears whole or not at all.
        export_format: A key of `FILES`.
        card: What the segmenter is.
        quantize: Of LiteRT alone, see `write_litert`; None: float32.
        images: Of `int8_full` alone, see `write_litert`.

    Returns:
        The model's file.

    Raises:
        CheckpointError: The folder holds something already, or cannot be written.
        ConfigError: A package is missing, or the format lacks an operation.
    """
    check_quantize(export_format, quantize)
    text = description(card, export_format, quantize)
    try:
        with atomic_folder(out) as folder:
            path = folder / FILES[export_format]
            if export_format == "keras":
                segmenter.save(path)
            elif export_format == "onnx":
                write_onnx(segmenter, path, flat_description(text))
            elif export_format == "litert":
                write_litert(segmenter, path, quantize, images)
            else:
                write_openvino(segmenter, path, flat_description(text))
            (folder / DESCRIPTION).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CheckpointError(f"{out}: cannot be written: {error.strerror}") from None
    return Path(out) / FILES[export_format]
