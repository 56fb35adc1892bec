"""The public API, as a Python user meets it."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import cirs_tf
from cirs_tf.errors import CirsError, ConfigError, DataError, ImageError

NAMES = [
    "METHODS",
    "ArgmaxInPlace",
    "CirsError",
    "PadToMultiple",
    "ReplicaDropout",
    "Segmenter",
    "argmax_in_place",
    "evaluate",
    "export",
    "load",
    "load_config",
    "train",
]
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def segmenter(finished):
    return cirs_tf.load(finished)


@pytest.fixture(scope="module")
def exported(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("api") / "model"
    return cirs_tf.export(finished, folder)


def labels_by_hand(segmenter, images):
    """Return the argmax of Keras's own prediction."""
    scaled = images.astype(np.float32) / 255
    return segmenter.keras_model.predict(scaled, verbose=0).argmax(-1)


def test_the_exported_names_are_these_and_no_others():
    assert cirs_tf.__all__ == NAMES
    assert dir(cirs_tf) == sorted(NAMES)
    assert len(NAMES) <= 12
    for name in NAMES:
        assert getattr(cirs_tf, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = cirs_tf.trian


def test_commands_are_functions_too():
    for name in ("train", "evaluate", "export"):
        module = getattr(cirs_tf, name)
        assert module is sys.modules[f"cirs_tf.{name}"]
        assert callable(module) and callable(module.main)


def test_train_evaluate_export_load(tiny, fruit, tmp_path):
    settings = dict(override.split("=") for override in tiny)
    settings["training.steps_per_epoch"] = 2
    keywords = {"data": fruit, "run": tmp_path / "run", "settings": settings}
    run = cirs_tf.train("cirs", epochs=1, seed=3, **keywords)
    assert (run.step, run.config.seed, run.stopped_by) == (2, 3, None)
    assert run.config.feature_net.hidden == (8,)
    evaluation = cirs_tf.evaluate(run, split="val")
    assert 0 < evaluation.chosen.scores.miou < 1
    version = cirs_tf.export(run, tmp_path / "model")
    assert version == tmp_path / "model" / "1"
    ours, theirs = cirs_tf.load(run), cirs_tf.load(tmp_path / "model")
    np.testing.assert_array_equal(ours.predict(IMAGES), theirs.predict(IMAGES))


def test_a_batch_gives_a_batch_of_labels(segmenter):
    labels = segmenter.predict(IMAGES)
    assert (labels.shape, labels.dtype) == ((3, 16, 16), np.uint8)
    np.testing.assert_array_equal(labels, labels_by_hand(segmenter, IMAGES))


def test_probabilities_come_beside_the_labels(segmenter):
    labels, probabilities = segmenter.predict(IMAGES, probabilities=True)
    assert probabilities.shape == (3, 16, 16, 4)
    np.testing.assert_allclose(probabilities.sum(-1), 1, rtol=1e-6)
    np.testing.assert_array_equal(probabilities.argmax(-1), labels)


def test_one_image_may_be_an_array_a_path_or_an_open_image(segmenter, tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(IMAGES[0]).save(path)
    expected = segmenter.predict(IMAGES)[0]
    with Image.open(path) as opened:
        for image in (IMAGES[0], IMAGES[0] / 255, path, str(path), opened):
            np.testing.assert_array_equal(segmenter.predict(image), expected)


def test_a_list_may_mix_sizes_and_kinds(segmenter, tmp_path):
    wide = np.concatenate([IMAGES[0], IMAGES[1]], axis=1)
    path = tmp_path / "image.png"
    Image.fromarray(IMAGES[2]).save(path)
    first, second = segmenter.predict([wide, path])
    np.testing.assert_array_equal(first, labels_by_hand(segmenter, wide[None])[0])
    np.testing.assert_array_equal(second, segmenter.predict(IMAGES)[2])
    pairs = segmenter.predict([wide, path], probabilities=True)
    assert [pair[1].shape for pair in pairs] == [(16, 32, 4), (16, 16, 4)]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4), np.uint8), r"got shape \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), r"got shape \(4, 4, 4\)"),
        (np.zeros((4, 4, 3), np.int64), "expected uint8, or float in .* got int64"),
        (np.full((4, 4, 3), 255.0), r"floats in \[0, 1\], got 255 to 255"),
        ("nowhere.png", "nowhere.png: "),
    ],
)
def test_what_is_no_image_is_one_line(segmenter, image, message):
    with pytest.raises(ImageError, match=message):
        segmenter.predict(image)


def test_the_keras_model_saves_and_loads_in_another_process(segmenter, tmp_path):
    """`import cirs_tf` alone makes its layers known to Keras."""
    file, images = tmp_path / "segmenter.keras", tmp_path / "images.npy"
    segmenter.keras_model.save(file)
    np.save(images, IMAGES)
    program = """
import sys
import cirs_tf, keras
import numpy as np
model = keras.saving.load_model(sys.argv[1])
logits = model(np.load(sys.argv[2]) / np.float32(255), training=False)
np.save(sys.argv[3], logits)
"""
    out = tmp_path / "logits.npy"
    subprocess.run([sys.executable, "-c", program, file, images, out], check=True)
    expected = segmenter.keras_model(IMAGES / np.float32(255), training=False)
    np.testing.assert_allclose(np.load(out), expected, atol=1e-6)


def test_layers_are_ordinary_keras_layers(tmp_path):
    inputs = keras.Input((None, None, 3))
    x = cirs_tf.PadToMultiple(4)(inputs)
    x = keras.layers.Conv2D(4, 1, activation="softmax")(x)
    x = cirs_tf.ReplicaDropout(0.5, seed=1)(x)
    model = keras.Model(inputs, cirs_tf.ArgmaxInPlace()(x))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    images = IMAGES / np.float32(255)
    np.testing.assert_array_equal(loaded(images), model(images))
    assert set(np.unique(model(images))) == {0, 1}
    hard = cirs_tf.argmax_in_place(tf.constant([[0.2, 0.7, 0.1]]))
    np.testing.assert_array_equal(hard, [[0, 1, 0]])


def test_an_exported_model_has_no_keras_code(exported):
    for folder in (exported, exported.parent):
        segmenter = cirs_tf.load(folder)
        assert segmenter.keras_model is None
        assert segmenter.predict(IMAGES).shape == (3, 16, 16)


def test_methods_and_configurations_are_listed():
    assert cirs_tf.METHODS["cirs_aligned"].summary
    assert cirs_tf.load_config("thesis/cirs_imbalanced").cirs.feature_net_steps == 100


def test_bad_input_is_one_line(finished, exported, tmp_path):
    for call, kind, message in (
        (lambda: cirs_tf.load(tmp_path / "none"), DataError, "no such folder"),
        (lambda: cirs_tf.load(tmp_path), DataError, "no SavedModel"),
        (lambda: cirs_tf.load(exported, "last"), DataError, "has no checkpoints"),
        (lambda: cirs_tf.load(finished, "7"), CirsError, "no checkpoint '7'"),
        (lambda: cirs_tf.train("circ"), ConfigError, "did you mean 'cirs'"),
        (
            lambda: cirs_tf.train("cirs", settings={"segmenter.widht": 3}),
            ConfigError,
            "did you mean 'segmenter.width'",
        ),
        (lambda: cirs_tf.evaluate(tmp_path), CirsError, "not a run folder"),
    ):
        with pytest.raises(kind, match=message):
            call()


def test_a_finished_evaluation_is_that_of_the_command(finished, tmp_path):
    file = tmp_path / "scores.json"
    assert cirs_tf.evaluate.main([str(finished), "--json", str(file)]) == 0
    scores = cirs_tf.evaluate(finished).chosen.scores
    assert json.loads(file.read_text())["miou"] == scores.miou
