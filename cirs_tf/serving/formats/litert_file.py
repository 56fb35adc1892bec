"""A segmenter as a LiteRT (TensorFlow Lite) file, by TensorFlow's own converter."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.errors import ConfigError
from cirs_tf.serving.formats.converters import fails, lacks
from cirs_tf.serving.formats.inference import SIGNATURE, temporary_savedmodel

INT8_FULL = "int8_full"
QUANTIZE = ("float16", "int8", INT8_FULL)
_LACKING = re.compile(r"^TF (?:Select|Custom) ops: (.+)$", re.MULTILINE)


def write_litert(
    segmenter: keras.Model,
    path: Path,
    quantize: str | None,
    images: np.ndarray | None = None,
) -> None:
    """Write the function of `inference_function` as a `.tflite` file.

    Its signature `serving_default` has the names of input and outputs. Sizes are free
    where the segmenter leaves them so.

    Args:
        segmenter: `[batch, height, width, 3]` float in [0, 1] to K logits.
        path: The file.
        quantize: None: float32 weights; `float16`: half the size, computed with in
            float32; `int8`: the weights of large layers with one scale per channel,
            activations of these layers made int8 as they come (dynamic range);
            `int8_full`: weights and activations of all layers, logits too, the range of
            each activation taken from `images`. Input and outputs stay the same.
        images: `[images, height, width, 3]` uint8 like those to come, without labels;
            of `int8_full` alone.

    Raises:
        ConfigError: LiteRT lacks an operation, or `int8_full` has no images.
        OSError: The file cannot be written.
    """
    if quantize == INT8_FULL and (images is None or not len(images)):
        raise ConfigError(f"--quantize {INT8_FULL}: expected images, got none")

    def representative() -> Iterator[tuple[str, dict[str, np.ndarray]]]:
        for image in images:
            yield SIGNATURE, {"images": image[None]}

    with temporary_savedmodel(segmenter) as folder:
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=[SIGNATURE]
        )
        if quantize:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantize == INT8_FULL:
            converter.representative_dataset = representative
            # What has no int8 kernel is an error, and not left in float.
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        try:
            with warnings.catch_warnings():
                # The converter uses an interpreter that TensorFlow calls deprecated.
                warnings.simplefilter("ignore", UserWarning)
                model = converter.convert()
        except Exception as error:  # of no public class
            lists = ", ".join(_LACKING.findall(str(error)))
            raise (
                lacks("litert", lists.split(", ")) if lists else fails("litert", error)
            ) from None
    path.write_bytes(model)
