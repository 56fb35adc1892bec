"""Deep clustering by DINOv2: train, evaluate, export and segment, from a preset."""

import json
import shutil
import sys

import keras
import numpy as np
import pytest
from command_line import set_flags
from PIL import Image
from tiny_dinov2 import write_preset
from tiny_methods import TINY_DEEP_CLUSTERING

from cirs_tf import evaluate, export, segment, train
from cirs_tf.runs.restore import load_segmenter
from cirs_tf.serving.savedmodel import load_savedmodel
from cirs_tf.training.run_folder import RunFolder
from data_gen.__main__ import main as data_gen

HEIGHT, WIDTH = 42, 60


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Draw something green on something red."""
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for number in range(20):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        row, column = rng.integers(0, (14, 30))
        mask[row : row + 28, column : column + 30] = 1
        image = np.array([[200, 40, 30], [40, 180, 60]], np.uint8)[mask]
        Image.fromarray(image).save(folder / "images" / f"{number:02}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number:02}.png")
    argv = ["images", "--images", folder / "images", "--masks", folder / "masks"]
    argv += ["--size", f"{HEIGHT}x{WIDTH}", "--val", 0.2, "--out", folder / "data"]
    assert data_gen([str(argument) for argument in argv]) == 0
    return folder


def command(data, run, *overrides):
    settings = [
        *TINY_DEEP_CLUSTERING,
        "segments=2",
        "deep_clustering.backbone=dinov2",
        "deep_clustering.layers=[stage1,layernorm]",
        *overrides,
    ]
    argv = ["--model", "deep_clustering", "--data", str(data / "data")]
    return [*argv, "--run", str(run), *set_flags(settings)]


@pytest.fixture(scope="module")
def run(data):
    write_preset(data / "preset")
    folder = data / "run"
    weights = f"deep_clustering.weights={data / 'preset'}"
    assert train.main(command(data, folder, weights)) == 0
    return folder


def test_a_run_is_evaluated_and_says_its_weights(data, run):
    assert evaluate.main([str(run), "--split", "test"]) == 0
    report = json.loads((run / "eval" / "test.json").read_text())
    assert report["miou"] > 0.6  # patches of 14 pixels are larger than its edges
    log = (run / "train.log").read_text()
    assert "dinov2 of keras-hub, weights of preset; 2 x 6 clusters" in log


def test_the_exported_model_needs_no_preset(data, run, capsys):
    images = np.random.default_rng(1).integers(0, 256, (2, 45, 71, 3), dtype=np.uint8)
    segmenter = load_segmenter(RunFolder(run)).segmenter
    expected = np.argmax(segmenter(images / np.float32(255)), -1)
    assert len(np.unique(expected)) == 2
    assert export.main([str(run), "--out", str(data / "exported")]) == 0
    moved = shutil.move(data / "preset", data / "moved")
    try:
        model = load_savedmodel(data / "exported")
        found = model.predict(images)
        argv = [data / "exported", data / "images", "--out", data / "segments"]
        assert segment.main([str(argument) for argument in argv]) == 0
        # The run itself is built by the preset's config.json.
        capsys.readouterr()
        assert evaluate.main([str(run), "--split", "test"]) == 1
        assert "such as dinov2_small, or the folder of one" in capsys.readouterr().err
    finally:
        shutil.move(moved, data / "preset")
    assert np.mean(found == expected) > 0.99
    assert len(list((data / "segments").rglob("*.png"))) >= 20


def test_a_run_is_restored_without_the_presets_weights(data, run):
    keras_hub = pytest.importorskip("keras_hub")
    preset = str(data / "preset")
    trained = keras_hub.models.DINOV2Backbone.from_preset(preset).get_weights()
    file = data / "preset" / "model.weights.h5"
    moved = shutil.move(file, data / "elsewhere.h5")
    try:
        segmenter = load_segmenter(RunFolder(run)).segmenter
    finally:
        shutil.move(moved, file)
    restored = segmenter.get_layer("dinov2").get_weights()
    assert len(restored) == len(trained) > 40
    for found, expected in zip(restored, trained, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_keras_model_is_saved_and_loaded(data, run):
    segmenter = load_segmenter(RunFolder(run)).segmenter
    segmenter.save(data / "segmenter.keras")
    loaded = keras.saving.load_model(data / "segmenter.keras")
    images = np.random.default_rng(3).random((1, 30, 50, 3)).astype(np.float32)
    np.testing.assert_allclose(loaded(images), segmenter(images), atol=1e-5)


def test_without_the_extra_training_ends_with_the_line_to_type(
    data, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "keras_hub", None)  # as if it were not there
    weights = "deep_clustering.weights=dinov2_small"
    assert train.main(command(data, tmp_path / "run", weights)) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: dinov2: keras-hub is not installed: pip install")
