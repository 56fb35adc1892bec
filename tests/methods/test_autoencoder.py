"""The bottleneck autoencoder: classes are measured, never seen."""

import json

import numpy as np
import pytest
import tensorflow as tf
from command_line import set_flags
from PIL import Image
from tiny_methods import tiny_config

from cirs_tf import evaluate, export, train
from cirs_tf.data.splits import load_split
from cirs_tf.methods.autoencoder import Autoencoder
from cirs_tf.runs.restore import load_networks
from cirs_tf.training.run_folder import RunFolder
from data_gen.__main__ import main as data_gen

OVERRIDES = ("autoencoder.hidden=[16,16]", "autoencoder.bottleneck=4")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Return a data set of 60 pictures: dark ones and bright ones, a class each."""
    folder = tmp_path_factory.mktemp("classes")
    rng = np.random.default_rng(0)
    for index in range(60):
        bright = index % 2
        pixels = rng.integers(0, 100, (16, 16, 3)) + 150 * bright
        path = folder / "images" / ("dark", "bright")[bright] / f"{index:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    argv = ["images", "--images", folder / "images", "--out", folder / "data"]
    argv += ["--size", 16, "--test", 0.3]
    assert data_gen(list(map(str, argv))) == 0
    return folder / "data"


@pytest.fixture(scope="module")
def run(pictures, tmp_path_factory):
    """Return a run of two epochs."""
    folder = tmp_path_factory.mktemp("autoencoder") / "run"
    argv = ["--model", "autoencoder", "--data", str(pictures), "--run", str(folder)]
    argv += ["--epochs", "2", "--steps-per-epoch", "20", "--batch-size", "8"]
    assert train.main([*argv, *set_flags(OVERRIDES)]) == 0
    return RunFolder(folder)


def test_the_alpha_2_term_is_recorded_after_every_epoch(run, pictures):
    rows = run.read_metrics()
    assert len(rows) == 2
    method, _ = load_networks(run, "last")
    test = load_split(pictures, "test", with_masks=False, with_image_classes=True)
    codes = method.encoder.predict(test.images / np.float32(255), verbose=0)
    means = [codes[test.image_classes == k].mean(axis=0) for k in (0, 1)]
    # Two means lie at the same distance from the middle between them.
    expected = np.sum((means[0] - means[1]) ** 2) / 2
    assert expected > 0
    row = rows[-1]["validation"]
    assert row["class_distance"] == pytest.approx(expected, rel=1e-4)
    assert row["code_variance"] == pytest.approx(codes.var(axis=0).sum(), rel=1e-4)


def test_it_learns(run):
    first, second = (row["validation"]["loss"] for row in run.read_metrics())
    assert second < first


def test_no_checkpoint_is_chosen_by_classes(run):
    chosen = json.loads((run.checkpoints / "checkpoints.json").read_text())
    assert "oracle" not in json.dumps(chosen)


def test_it_has_no_segmenter_to_evaluate_or_export(run, capsys, tmp_path):
    for main, arguments in (
        (evaluate.main, ["--split", "test"]),
        (export.main, ["--out", str(tmp_path / "model")]),
    ):
        assert main([str(run.path), *arguments]) == 1
        error = capsys.readouterr().err
        assert error == "error: method: autoencoder has no segmenter\n"


def test_images_without_classes_are_refused(fruit, capsys, tmp_path):
    argv = ["--model", "autoencoder", "--data", str(fruit), *set_flags(OVERRIDES)]
    assert train.main([*argv, "--run", str(tmp_path / "run")]) == 1
    assert "its images have no classes" in capsys.readouterr().err


def test_the_loss_is_the_squared_error_with_dropout_in_training_alone(tiny):
    method = Autoencoder(tiny_config(tiny, "autoencoder", *OVERRIDES), 6, 7)
    images = np.random.default_rng(0).random((3, 6, 7, 3)).astype(np.float32)
    batch = {"image": tf.constant(images)}
    rebuilt = method.decoder(method.encoder(images, training=False), training=False)
    expected = np.mean((rebuilt.numpy() - images) ** 2, axis=(1, 2, 3))
    validation = method.validation_terms(batch)["loss"]
    np.testing.assert_allclose(validation, expected, rtol=1e-5)
    (phase,) = method.phases
    first, second = (phase.loss(batch)["loss"].numpy() for _ in range(2))
    assert (first != second).all()


def test_images_of_one_class_are_refused(pictures, tmp_path, capsys):
    """Their codes are compared with those of other classes after every epoch."""
    images = tmp_path / "images" / "holiday"
    images.mkdir(parents=True)
    for index in range(10):
        Image.new("RGB", (16, 16), (index, 0, 0)).save(images / f"{index}.png")
    data = tmp_path / "data"
    argv = ["images", "--images", images.parent, "--size", "16", "--out", data]
    assert data_gen(list(map(str, argv))) == 0
    argv = ["--model", "autoencoder", "--data", str(data), *set_flags(OVERRIDES)]
    assert train.main([*argv, "--run", str(tmp_path / "run")]) == 1
    assert "expected images of two classes or more" in capsys.readouterr().err
    assert not (tmp_path / "run" / "config.yaml").exists()
