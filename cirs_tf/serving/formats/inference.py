"""The function that other formats hold: images in, labels and probabilities out."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

SIGNATURE = "serving_default"


def inference_function(segmenter: keras.Model) -> Any:
    """Return the `tf.function` that is exported.

    Args:
        segmenter: `[batch, height, width, 3]` float in [0, 1] to K logits.

    Returns:
        From `images` uint8 `[batch, height, width, 3]` to `labels` int32
        `[batch, height, width]` in [0, K) and `probabilities` float32
        `[batch, height, width, K]`. Any batch; any height and width that the segmenter
        takes: those of a fixed camera are those of its frames.
    """
    size = segmenter.input_shape[1:3]
    spec = tf.TensorSpec([None, *size, 3], tf.uint8, name="images")

    @tf.function(input_signature=[spec], autograph=False)
    def segment(images: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = segmenter(tf.cast(images, tf.float32) / 255.0, training=False)
        labels = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return {"labels": labels, "probabilities": tf.nn.softmax(logits)}

    return segment


@contextlib.contextmanager
def temporary_savedmodel(segmenter: keras.Model) -> Iterator[str]:
    """Yield the folder of a SavedModel of `inference_function`, for converters.

    Args:
        segmenter: As of `inference_function`.
    """
    function = inference_function(segmenter)
    archive = keras.export.ExportArchive()
    archive.track(segmenter)
    archive.add_endpoint(
        SIGNATURE, function.python_function, input_signature=function.input_signature
    )
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model")
        archive.write_out(path, verbose=False)
        yield path
