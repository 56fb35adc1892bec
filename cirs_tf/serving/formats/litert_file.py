"""A segmenter as a LiteRT (TensorFlow Lite) file, by TensorFlow's own converter."""

import re
from pathlib import Path

import keras
import tensorflow as tf

from cirs_tf.serving.formats.converters import fails, lacks
from cirs_tf.serving.formats.inference import SIGNATURE, temporary_savedmodel

QUANTIZE = ("float16", "int8")
_LACKING = re.compile(r"^TF (?:Select|Custom) ops: (.+)$", re.MULTILINE)


def write_litert(segmenter: keras.Model, path: Path, quantize: str | None) -> None:
    """Write the function of `inference_function` as a `.tflite` file.

    Its signature `serving_default` has the names of input and outputs. Sizes are free
    where the segmenter leaves them so.

    Args:
        segmenter: `[batch, height, width, 3]` float in [0, 1] to K logits.
        path: The file.
        quantize: None: float32 weights; `float16`: half the size, computed with in
            float32; `int8`: the weights of large layers with one scale per channel,
            activations of these layers made int8 as they come (dynamic range).

    Raises:
        ConfigError: LiteRT lacks an operation.
        OSError: The file cannot be written.
    """
    with temporary_savedmodel(segmenter) as folder:
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=[SIGNATURE]
        )
        if quantize:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        try:
            model = converter.convert()
        except Exception as error:  # of no public class
            lists = ", ".join(_LACKING.findall(str(error)))
            raise (
                lacks("litert", lists.split(", ")) if lists else fails("litert", error)
            ) from None
    path.write_bytes(model)
