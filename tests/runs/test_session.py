"""Training a configuration into a folder: started, gone on with, or left as it is."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.errors import CheckpointError, ConfigError, DataError
from cirs_tf.methods.registry import load_config
from cirs_tf.reproduce.curves import read_scalars
from cirs_tf.runs import session
from cirs_tf.runs.session import config_difference, default_run_dir, train
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.interruption import StopRequest
from cirs_tf.training.phases import SUMMARY
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.training.run_lock import run_lock
from cirs_tf.training.strategy import set_determinism
from cirs_tf.training.trainer import Trainer

PRETRAINED = (
    "pretraining.pseudo_labels=colors",
    "pretraining.steps=4",
    "cirs.feature_net_pretraining_steps=3",
    "training.epochs=1",
    "training.steps_per_epoch=5",
)


@pytest.fixture(scope="module")
def config(tiny, fruit):
    return load_config("thesis/cirs_balanced", [*tiny, *PRETRAINED, f"data={fruit}"])


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    """Return a finished run; tests must not change it."""
    return train(config, tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture
def finished(whole, tmp_path):
    """Return the folder of a finished run, to be changed."""
    return RunFolder(shutil.copytree(whole.path, tmp_path / "run"))


def tensors(folder):
    folder = CheckpointStore(folder.checkpoints).path("last")
    reader = tf.train.load_checkpoint(str(folder / "variables"))
    names = set(reader.get_variable_to_shape_map())
    names.discard("_CHECKPOINTABLE_OBJECT_GRAPH")
    return {name: reader.get_tensor(name) for name in names}


def stop_after(monkeypatch, calls):
    """Let a stop be asked for once the compiled loop has run so many times."""
    original = Trainer._show

    def shown(self, *arguments):
        original(self, *arguments)
        shown.count += 1
        if shown.count == calls:
            StopRequest.pretend = 15

    shown.count = 0
    monkeypatch.setattr(Trainer, "_show", shown)
    monkeypatch.setattr(StopRequest, "pretend", None, raising=False)
    monkeypatch.setattr(
        StopRequest,
        "signal_number",
        property(lambda self: type(self).pretend, lambda self, value: None),
        raising=False,
    )


def test_pretraining_and_training_are_one_run(whole):
    run = whole
    assert (run.step, run.total_steps, run.stopped_by) == (4 + 3 + 5, 12, None)
    log = run.folder.log_file.read_text()
    for words in (
        "pretraining segmenter: 4 mini-batches",
        "pretraining feature_net: 3 mini-batches",
        "to step 12: pretraining segmenter 4, pretraining feature_net 3, 1 epoch of 5",
        "determinism  on (default on a CPU)",
    ):
        assert words in log
    (row,) = run.folder.read_metrics()
    assert (row["epoch"], row["step"]) == (1, 12)


def test_a_finished_run_is_left_as_it_is(config, finished):
    def files():
        kept = [file for file in finished.checkpoints.rglob("*") if file.is_file()]
        return {file: file.stat().st_mtime_ns for file in kept}

    before, rows = files(), finished.read_metrics()
    assert len(before) > 3 and len(rows) == 1
    assert train(config, finished.path).step == 12
    assert files() == before and finished.read_metrics() == rows


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_a_run_stopped_in_any_stage_ends_like_one_that_was_not(
    config, whole, tmp_path, monkeypatch, calls
):
    with monkeypatch.context() as patch:
        stop_after(patch, calls)
        stopped = train(config, tmp_path / "run")
    # After the last mini-batch there is nothing to stop.
    step_and_signal = {1: (4, 15), 2: (7, 15), 3: (12, None)}[calls]
    assert (stopped.step, stopped.stopped_by) == step_and_signal
    ended = train(config, tmp_path / "run")
    assert (ended.step, ended.stopped_by) == (12, None)
    ours, theirs = tensors(ended.folder), tensors(whole.folder)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


def test_what_is_taken_from_the_images_is_computed_once(config, finished, monkeypatch):
    stored = finished.load_initialization()
    assert str(stored[SUMMARY]) in finished.log_file.read_text()

    def again(*_):
        raise AssertionError("computed again")

    method_class = session.entry_of("cirs").method_class
    monkeypatch.setattr(method_class, "initialize", again)
    longer = load_config(overrides=["training.epochs=2"], base=config)
    assert train(longer, finished.path, resume=True).step == 17


@pytest.mark.parametrize("resume", [None, True])
def test_without_a_checkpoint_a_run_begins_again(config, whole, finished, resume):
    """Killed before its first checkpoint: the folder holds a run without any."""
    for path in finished.checkpoints.rglob("*"):
        if path.is_file():
            path.unlink()
    assert train(config, finished.path, resume=resume).step == 12
    for name, value in tensors(finished).items():
        np.testing.assert_array_equal(value, tensors(whole.folder)[name])
    assert len(finished.read_metrics()) == 1


def test_a_line_lost_between_checkpoint_and_metrics_comes_back(config, finished):
    (row,) = finished.read_metrics()
    finished.metrics_file.unlink()
    train(config, finished.path)
    assert finished.read_metrics() == [row]


def test_checkpoints_within_an_epoch_come_by_the_clock(config, whole, tmp_path):
    assert CheckpointStore(whole.folder.checkpoints).steps() == [4, 7, 12]
    overrides = ["training.log_every=2", "training.checkpoints_kept=99"]
    overrides += ["training.checkpoint_minutes=1e-9"]
    run = train(load_config(overrides=overrides, base=config), tmp_path / "run")
    assert CheckpointStore(run.folder.checkpoints).steps() == [2, 4, 6, 7, 9, 11, 12]


def test_leftovers_of_a_kill_are_removed(config, finished):
    leftover = finished.checkpoints / ".step-00000012.0.99.tmp"
    leftover.mkdir()
    train(config, finished.path)
    assert not leftover.exists()


def test_other_settings_or_no_run_are_refused(config, finished, tmp_path):
    other = load_config(overrides=["cirs.alpha_1=2"], base=config)
    with pytest.raises(ConfigError, match="holds a run with cirs.alpha_1=1.0, not 2"):
        train(other, finished.path)
    with pytest.raises(ConfigError, match="holds a run already"):
        train(config, finished.path, resume=False)
    with pytest.raises(CheckpointError, match="not a run folder"):
        train(config, tmp_path / "none", resume=True)


def test_a_difference_is_named_and_the_place_of_the_data_is_none(config):
    assert config_difference(config, config) is None
    moved = load_config(overrides=["data=/elsewhere"], base=config)
    assert config_difference(config, moved) is None
    other = load_config(overrides=["seed=3"], base=config)
    assert config_difference(other, config) == "seed=0, not 3"
    both = load_config(overrides=["seed=3", "cirs.alpha_1=2"], base=config)
    assert config_difference(both, config) == "seed=0, not 3"  # in order
    air = load_config("air", ["seed=0"])
    assert config_difference(air, config) == "method=cirs, not air"


def test_a_run_without_a_name_gets_one(config):
    assert str(default_run_dir(config)).startswith("runs/cirs-2")


@pytest.mark.parametrize("chosen", [True, False])
def test_determinism_is_chosen_and_logged(config, tmp_path, monkeypatch, chosen):
    """TensorFlow refuses unseeded draws when operations must be deterministic."""
    asked = []
    monkeypatch.setattr(
        tf.config.experimental, "enable_op_determinism", lambda: asked.append(True)
    )
    overrides = [f"training.deterministic={str(chosen).lower()}"]
    overrides += ["pretraining.steps=0", "cirs.feature_net_pretraining_steps=0"]
    overrides += ["training.steps_per_epoch=1"]
    run = train(load_config(overrides=overrides, base=config), tmp_path / "run")
    assert asked == [True] * chosen
    word = "on" if chosen else "off"
    assert f"determinism  {word} (training.deterministic)" in (
        run.folder.log_file.read_text()
    )


def test_determinism_is_off_by_default_on_a_gpu(monkeypatch):
    asked = []
    monkeypatch.setattr(
        tf.config.experimental, "enable_op_determinism", lambda: asked.append(True)
    )
    devices = {"GPU": ["one"], "CPU": ["one"]}
    monkeypatch.setattr(tf.config, "list_physical_devices", devices.get)
    assert set_determinism(None) == "off (default on a GPU)" and asked == []
    assert set_determinism(True) == "on (training.deterministic)" and asked == [True]


def test_a_run_that_is_being_trained_is_refused(config, finished, tmp_path):
    before = finished.metrics_file.read_text()
    for resume in (None, True):
        with run_lock(finished.path):
            with pytest.raises(ConfigError, match="is being trained by process"):
                train(config, finished.path, resume=resume)
    assert finished.metrics_file.read_text() == before
    with pytest.raises(CheckpointError, match="not a run folder"):
        train(config, tmp_path / "none", resume=True)
    assert not (tmp_path / "none").exists()
    train(config, finished.path)  # it was released


def test_what_cannot_be_built_leaves_no_run(fruit, tmp_path):
    settings = ["deep_clustering.backbone=Unknown", f"data={fruit}"]
    wrong = load_config("deep_clustering", settings)
    with pytest.raises(ConfigError, match="Unknown"):
        train(wrong, tmp_path / "run")
    assert not (tmp_path / "run" / "config.yaml").exists()


def test_a_set_that_was_drawn_anew_is_noticed(config, finished):
    file = finished.path / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["splits"]["train"]["shards"][0]["sha256"] = "0" * 64
    file.write_text(json.dumps(manifest))
    with pytest.raises(ConfigError, match="is not the data set that it began with"):
        train(config, finished.path, resume=True)
    with pytest.raises(ConfigError, match="holds a run of another data set"):
        train(config, finished.path)


def test_a_data_set_is_not_made_a_run(config, fruit, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(fruit, data)
    before = {path: path.read_bytes() for path in data.iterdir()}
    with pytest.raises(ConfigError, match="data: holds a data set; name another"):
        train(config, data)
    assert {path: path.read_bytes() for path in data.iterdir()} == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("training.steps_per_epoch=6", "began with 5 mini-batches of an epoch, not 6"),
        (
            "cirs.feature_net_pretraining_steps=2",
            "began with 3 mini-batches of .*, not 2",
        ),
    ],
)
def test_steps_mean_the_same_when_a_run_is_gone_on_with(
    change, message, config, finished
):
    before = (finished.path / "config.yaml").read_text()
    longer = load_config(overrides=["training.epochs=2", change], base=config)
    with pytest.raises(CheckpointError, match=message):
        train(longer, finished.path, resume=True)
    assert (finished.path / "config.yaml").read_text() == before


def test_a_constant_learning_rate_can_be_changed(config, finished):
    changed = ["training.epochs=2", "training.learning_rate=0.125"]
    train(load_config(overrides=changed, base=config), finished.path, resume=True)
    rates = dict(read_scalars(finished.tensorboard, "learning_rate/joint"))
    assert rates[12] == pytest.approx(config.training.learning_rate)
    assert rates[17] == 0.125


def test_a_set_without_validation_images_leaves_no_run(config, fruit, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(fruit, data)
    manifest = json.loads((data / "manifest.json").read_text())
    del manifest["splits"]["val"]
    (data / "manifest.json").write_text(json.dumps(manifest))
    without = load_config(overrides=[f"data={data}"], base=config)
    with pytest.raises(DataError, match="'val'"):
        train(without, tmp_path / "run")
    assert not (tmp_path / "run" / "config.yaml").exists()


def test_a_file_of_the_run_that_cannot_be_written_is_one_line(config, finished):
    finished.log_file.unlink()
    finished.log_file.mkdir()
    longer = load_config(overrides=["training.epochs=2"], base=config)
    with pytest.raises(CheckpointError, match="train.log: cannot be written: Is a dir"):
        train(longer, finished.path, True)
