"""A segmenter as an OpenVINO model, by OpenVINO's reader of SavedModels."""

import re
from collections.abc import Mapping
from pathlib import Path

import keras

from cirs_tf.serving.formats.converters import fails, lacks, require
from cirs_tf.serving.formats.inference import temporary_savedmodel

_LACKING = re.compile(r"No conversion rule found for operations: (.+)")


def write_openvino(
    segmenter: keras.Model, path: Path, facts: Mapping[str, object]
) -> None:
    """Write the function of `inference_function` as `.xml` and, beside it, `.bin`.

    Weights are stored in float32. The facts stand in the model's `rt_info`, in
    `cirs_tf`.

    Args:
        segmenter: `[batch, height, width, 3]` float in [0, 1] to K logits.
        path: The `.xml` file.
        facts: What the model is.

    Raises:
        ConfigError: The extra `openvino` is not installed, or it lacks an operation.
        OSError: The files cannot be written.
    """
    openvino = require("openvino", "--format openvino", "openvino", "openvino")
    with temporary_savedmodel(segmenter) as folder:
        try:
            model = openvino.convert_model(folder)
        except Exception as error:  # of no class in common
            lists = ", ".join(_LACKING.findall(str(error)))
            raise (
                lacks("openvino", lists.split(", "))
                if lists
                else fails("openvino", error)
            ) from None
        for name, value in facts.items():
            model.set_rt_info(str(value), ["cirs_tf", name])
        # While the SavedModel is there: its weights may be read from its files.
        openvino.save_model(model, path, compress_to_fp16=False)
