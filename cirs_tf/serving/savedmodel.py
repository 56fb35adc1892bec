"""A segmenter as a SavedModel that TensorFlow Serving and plain TensorFlow load."""

import os
import shutil
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.errors import CheckpointError, DataError
from cirs_tf.serving.file_decoding import decode_file
from cirs_tf.serving.model_card import ModelCard
from cirs_tf.serving.scaling import (
    labels_at_size,
    probabilities_at_size,
    to_training_scale,
)
from cirs_tf.serving.segmenter import Segmenter
from cirs_tf.serving.warmup import write_warmup


def write_savedmodel(
    segmenter: keras.Model, model_dir: str | Path, card: ModelCard
) -> Path:
    """Write the next version of a model: `model_dir/1`, then 2, 3, ...

    Signatures, for any batch, height and width:
        serving_default: `images` uint8 `[batch, height, width, 3]` -> `labels` int32
            `[batch, height, width]` in [0, K), `probabilities` float32
            `[batch, height, width, K]`. The network sees images at the scale of the
            training images (`cirs_tf.serving.scaling`).
        serve_native: The same, at the images' own size.
        serve_bytes: `image_bytes` `[batch]` PNG or JPEG files, of any sizes ->
            `mask_png_bytes` `[batch]`, 8-bit gray PNGs, pixel value = segment index, at
            the training scale; `errors` `[batch]`, one line for a file that cannot be
            read, whose mask is empty, else empty.
        describe: `query` `[batch]` strings, ignored -> `json` `[batch]`, the card.

    Args:
        segmenter: `[batch, height, width, 3]` float in [0, 1] to K logits, K at most
            256.
        model_dir: The model's folder; versions stand in it.
        card: What the model says about itself; also written to
            `assets.extra/cirs_tf.json`.

    Returns:
        The folder of the new version. It appears whole or not at all.

    Raises:
        CheckpointError: It cannot be written.
    """
    model_dir = Path(model_dir)
    version = max(_versions(model_dir), default=0) + 1
    final = model_dir / str(version)
    temporary = model_dir / f".{version}.{os.getpid()}.tmp"
    blank = np.zeros((card.height, card.width, 3), np.uint8)
    try:
        _archive(segmenter, card).write_out(str(temporary), verbose=False)
        png = tf.io.encode_png(blank).numpy()
        write_warmup(
            temporary,
            [
                ("serving_default", {"images": blank[None]}),
                ("serve_native", {"images": blank[None]}),
                ("serve_bytes", {"image_bytes": [png]}),
            ],
        )
        description = temporary / "assets.extra" / "cirs_tf.json"
        description.write_text(card.as_json(), encoding="utf-8")
        os.replace(temporary, final)
    except (OSError, tf.errors.OpError) as error:
        raise CheckpointError(f"{final}: cannot be written: {error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return final


def _archive(segmenter: keras.Model, card: ModelCard) -> keras.export.ExportArchive:
    """Return the segmenter with its signatures."""
    training_size = tf.constant([card.height, card.width])
    text = tf.constant(card.as_json())

    def native(images: tf.Tensor) -> tf.Tensor:
        logits = segmenter(tf.cast(images, tf.float32) / 255.0, training=False)
        return tf.nn.softmax(tf.cast(logits, tf.float32))

    def serve_native(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return _outputs(native(images))

    def serving_default(images: tf.Tensor) -> dict[str, tf.Tensor]:
        size = tf.shape(images)[1:3]
        small = native(to_training_scale(images, training_size))
        resized = probabilities_at_size(small, size)
        resized = tf.ensure_shape(resized, [None, None, None, card.num_segments])
        return _outputs(resized)

    def mask_and_error(file: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image, error = decode_file(file, card.max_pixels)

        def mask() -> tf.Tensor:
            small = native(to_training_scale(image[None], training_size))
            (labels,) = tf.unstack(labels_at_size(small, tf.shape(image)[:2]), num=1)
            return tf.io.encode_png(labels[..., None])

        return tf.cond(error == "", mask, lambda: tf.constant("")), error

    def serve_bytes(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        masks, errors = tf.map_fn(
            mask_and_error,
            image_bytes,
            fn_output_signature=(tf.string, tf.string),
            parallel_iterations=1,  # or several pictures are held at once
        )
        return {"mask_png_bytes": masks, "errors": errors}

    def describe(query: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"json": tf.fill(tf.shape(query), text)}

    archive = keras.export.ExportArchive()
    archive.track(segmenter)
    images = tf.TensorSpec([None, None, None, 3], tf.uint8, name="images")
    for endpoint, spec in (
        (serving_default, images),
        (serve_native, images),
        (serve_bytes, tf.TensorSpec([None], tf.string, name="image_bytes")),
        (describe, tf.TensorSpec([None], tf.string, name="query")),
    ):
        archive.add_endpoint(endpoint.__name__, endpoint, input_signature=[spec])
    return archive


def _outputs(probabilities: tf.Tensor) -> dict[str, tf.Tensor]:
    labels = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
    return {"labels": labels, "probabilities": probabilities}


def load_savedmodel(model_dir: str | Path) -> Segmenter:
    """Load the newest version of an exported model.

    Args:
        model_dir: The model's folder, or the folder of one version.

    Returns:
        The segmenter. Models that were exported before there were cards have none, and
        see images at their own size.

    Raises:
        DataError: There is no SavedModel, or it is not one of a segmenter.
    """
    folder = newest_version(model_dir)
    try:
        model = tf.saved_model.load(str(folder))
        signatures = model.signatures
        is_old = "describe" not in signatures
        serve = signatures["serving_default" if is_old else "serve_native"]
        outputs = serve.structured_outputs
        if not {"labels", "probabilities"} <= outputs.keys():
            raise ValueError(f"its outputs are {', '.join(outputs)}")
        card = None
        if not is_old:
            said = signatures["describe"](query=tf.constant([""]))["json"]
            card = ModelCard.from_json(said.numpy()[0].decode(), str(folder))
    except (OSError, KeyError, ValueError, tf.errors.OpError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(f"{folder}: cannot be loaded: {reason}") from None

    def probabilities(images: tf.Tensor) -> tf.Tensor:
        _ = model  # its variables live as long as this function
        return serve(images=images)["probabilities"]

    num_segments = outputs["probabilities"].shape[-1]
    return Segmenter(probabilities, num_segments, card=card)


def _versions(model_dir: Path) -> list[int]:
    if not model_dir.is_dir():
        return []
    return [
        int(path.name)
        for path in model_dir.iterdir()
        if path.name.isdecimal() and (path / "saved_model.pb").is_file()
    ]


def newest_version(model_dir: str | Path) -> Path:
    """Return the folder of the newest version in a model's folder, or of this one.

    Raises:
        DataError: There is no SavedModel.
    """
    model_dir = Path(model_dir)
    if (model_dir / "saved_model.pb").is_file():
        return model_dir
    versions = _versions(model_dir)
    if not versions:
        raise DataError(
            f"{model_dir}: no SavedModel; expected a folder written by "
            "`python -m cirs_tf.export`"
        )
    return model_dir / str(max(versions))
