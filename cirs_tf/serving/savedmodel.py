"""A segmenter as a SavedModel that TensorFlow Serving and plain TensorFlow load."""

import os
import shutil
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.errors import CheckpointError, DataError
from cirs_tf.serving.segmenter import Segmenter
from cirs_tf.serving.warmup import write_warmup


def write_savedmodel(
    segmenter: keras.Model,
    model_dir: str | Path,
    height: int,
    width: int,
    origin: str = "",
) -> Path:
    """Write the next version of a model: `model_dir/1`, then 2, 3, ...

    Signatures:
        serving_default: `images` uint8 `[batch, height, width, 3]` -> `labels` int32
            `[batch, height, width]` in [0, K), `probabilities` float32
            `[batch, height, width, K]`. Any batch, height and width.
        serve_bytes: `image_bytes` `[batch]` PNG or JPEG files, of any sizes ->
            `mask_png_bytes` `[batch]`, 8-bit gray PNGs, pixel value = segment index.

    Args:
        segmenter: `[batch, height, width, 3]` float in [0, 1] to K logits.
        model_dir: The model's folder; versions stand in it.
        height: Of the training images, for the warm-up requests.
        width: Of the training images, for the warm-up requests.
        origin: Where weights are from that were trained elsewhere, written to
            `assets.extra/origin.txt`; empty: there are none.

    Returns:
        The folder of the new version. It appears whole or not at all.

    Raises:
        CheckpointError: It cannot be written.
    """
    model_dir = Path(model_dir)
    version = max(_versions(model_dir), default=0) + 1
    final = model_dir / str(version)
    temporary = model_dir / f".{version}.{os.getpid()}.tmp"
    archive = keras.export.ExportArchive()
    archive.track(segmenter)
    images = tf.TensorSpec([None, None, None, 3], tf.uint8, name="images")
    files = tf.TensorSpec([None], tf.string, name="image_bytes")

    def segment_images(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return _segment(segmenter, images)

    def segment_files(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        def one(file: tf.Tensor) -> tf.Tensor:
            image = tf.io.decode_image(file, channels=3, expand_animations=False)
            image = tf.ensure_shape(image, [None, None, 3])
            labels = _segment(segmenter, image[None])["labels"][0]
            return tf.io.encode_png(tf.cast(labels, tf.uint8)[..., None])

        masks = tf.map_fn(one, image_bytes, fn_output_signature=tf.string)
        return {"mask_png_bytes": masks}

    archive.add_endpoint("serving_default", segment_images, input_signature=[images])
    archive.add_endpoint("serve_bytes", segment_files, input_signature=[files])
    blank = np.zeros((height, width, 3), np.uint8)
    try:
        archive.write_out(str(temporary), verbose=False)
        png = tf.io.encode_png(blank).numpy()
        write_warmup(
            temporary,
            [
                ("serving_default", {"images": blank[None]}),
                ("serve_bytes", {"image_bytes": [png]}),
            ],
        )
        if origin:
            extra = temporary / "assets.extra" / "origin.txt"
            extra.write_text(origin + "\n")
        os.replace(temporary, final)
    except (OSError, tf.errors.OpError) as error:
        raise CheckpointError(f"{final}: cannot be written: {error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return final


def load_savedmodel(model_dir: str | Path) -> Segmenter:
    """Load the newest version of an exported model.

    Args:
        model_dir: The model's folder, or the folder of one version.

    Raises:
        DataError: There is no SavedModel, or it is not one of a segmenter.
    """
    folder = _newest(Path(model_dir))
    try:
        model = tf.saved_model.load(str(folder))
        serve = model.signatures["serving_default"]
        outputs = serve.structured_outputs
        if not {"labels", "probabilities"} <= outputs.keys():
            raise ValueError(f"its outputs are {', '.join(outputs)}")
    except (OSError, KeyError, ValueError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{folder}: cannot be loaded: {reason}") from None

    def probabilities(images: tf.Tensor) -> tf.Tensor:
        _ = model  # its variables live as long as this function
        return serve(images=images)["probabilities"]

    return Segmenter(probabilities, outputs["probabilities"].shape[-1])


def _segment(segmenter: keras.Model, images: tf.Tensor) -> dict[str, tf.Tensor]:
    logits = segmenter(tf.cast(images, tf.float32) / 255.0, training=False)
    labels = tf.argmax(logits, axis=-1, output_type=tf.int32)
    return {"labels": labels, "probabilities": tf.nn.softmax(logits)}


def _versions(model_dir: Path) -> list[int]:
    if not model_dir.is_dir():
        return []
    return [
        int(path.name)
        for path in model_dir.iterdir()
        if path.name.isdecimal() and (path / "saved_model.pb").is_file()
    ]


def _newest(model_dir: Path) -> Path:
    if (model_dir / "saved_model.pb").is_file():
        return model_dir
    versions = _versions(model_dir)
    if not versions:
        raise DataError(
            f"{model_dir}: no SavedModel; expected a folder written by "
            "`python -m cirs_tf.export`"
        )
    return model_dir / str(max(versions))
