"""Every method's segmenter, saved, exported and loaded, for images of any size."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_methods import tiny_config

from cirs_tf.config.sections import SegmenterConfig
from cirs_tf.methods.registry import METHODS, build_method, build_segmenter
from cirs_tf.serving.model_card import ModelCard
from cirs_tf.serving.savedmodel import write_savedmodel
from cirs_tf.serving.segmenter import Segmenter

UPSAMPLING = "segmenter.upsampling"
(FIELD,) = (f for f in dataclasses.fields(SegmenterConfig) if f.name == "upsampling")
VALUES = FIELD.metadata["range"].text.removeprefix("one of ").split(", ")
# Upsampling is that of the one U-Net which all methods build, so one has both.
SEGMENTERS = [
    (method, value)
    for method, entry in METHODS.items()
    if hasattr(entry.method_class, "build_segmenter")
    for value in (VALUES if method == "cirs" else [None])
]
SIZES = [(16, 16), (9, 14)]


@pytest.fixture(scope="module", params=SEGMENTERS, ids=str)
def segmenter(request, tiny):
    """Return the segmenter of a method, with other statistics and several labels."""
    method, value = request.param
    settings = () if value is None else (f"{UPSAMPLING}={value}",)
    config = tiny_config(tiny, method, *settings)
    if method == "deep_clustering":  # its segments come from images
        deep = build_method(config, 16, 16)
        deep.assign(deep.initialize(np.uint8(255 * images((16, 16)))))
        return deep.segmenter
    model = build_segmenter(config, 16, 16)
    if not model.trainable_variables:
        return model
    for seed in range(5):
        model(images((16, 16), seed), training=True)
    if not any(layer.name == "scaled_logits" for layer in model.layers):
        (*_, last) = (x for x in model.layers if isinstance(x, keras.layers.Conv2D))
        last.bias.assign_sub(np.mean(model(images((16, 16))), axis=(0, 1, 2)))
    return model


def images(size, seed=0):
    drawn = np.random.default_rng(seed).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    return drawn.astype(np.float32) / 255


def labels_of(model, batch):
    labels = model(batch, training=False).numpy().argmax(axis=-1)
    assert labels.shape == batch.shape[:3]
    assert len(np.unique(labels)) > 1
    return labels


def test_the_table_holds_all_methods_but_the_autoencoder_and_all_values():
    # S of a fixed camera has its size: tests/methods/test_fixed_camera.py.
    without = {"autoencoder", "fixed_camera"}
    assert {method for method, _ in SEGMENTERS} == set(METHODS) - without
    assert {value for _, value in SEGMENTERS} == {"transposed", "bilinear", None}


def test_exported_labels_are_those_of_the_keras_model(segmenter, tmp_path):
    card = ModelCard(16, 16, segmenter.output_shape[-1])
    version = write_savedmodel(segmenter, tmp_path / "model", card)
    serve = tf.saved_model.load(str(version)).signatures["serve_native"]
    predict = Segmenter.from_keras(segmenter).predict
    for size in SIZES:
        batch = images(size)
        expected = labels_of(segmenter, batch)
        pixels = np.uint8(np.rint(255 * batch))
        outputs = serve(images=tf.constant(pixels))
        np.testing.assert_array_equal(outputs["labels"], expected)
        np.testing.assert_array_equal(predict(pixels), expected)


def test_a_keras_file_gives_the_same_logits(segmenter, tmp_path):
    segmenter.save(tmp_path / "segmenter.keras")
    loaded = keras.saving.load_model(tmp_path / "segmenter.keras")
    for size in SIZES:
        batch = images(size)
        np.testing.assert_array_equal(
            loaded(batch, training=False), segmenter(batch, training=False)
        )
