"""The train command as a user meets it: what it leaves behind, and what it refuses."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from command_line import set_flags
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cirs_tf import train
from cirs_tf.runs.restore import read_config
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder

ROOT = Path(__file__).parents[1]


def refused(capsys, argv):
    """Return the one line that a refused command prints."""
    assert train.main(argv) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ")
    assert "\n" not in error
    return error


def test_everything_is_in_the_run_folder(finished, fruit):
    names = {path.name for path in finished.iterdir()}
    assert names >= {
        "config.yaml",
        "versions.json",
        "manifest.json",
        "train.log",
        "metrics.jsonl",
        "tensorboard",
        "checkpoints",
    }
    config = yaml.safe_load((finished / "config.yaml").read_text())
    assert config["training"]["epochs"] == 2
    assert config["data"] == str(fruit)
    assert "keras" in json.loads((finished / "versions.json").read_text())
    lines = (finished / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(row["epoch"], row["step"]) for row in rows] == [(1, 10), (2, 20)]
    for row in rows:
        train_terms = row["train"]
        assert train_terms["loss"] == pytest.approx(
            train_terms["within"] - train_terms["between"], rel=1e-5
        )
        assert 0 < row["validation"]["miou"] < 1
    assert "epoch 2/2" in (finished / "train.log").read_text()


def test_tensorboard_has_every_promised_tag(finished):
    events = EventAccumulator(str(finished / "tensorboard"))
    events.Reload()
    # Summaries of TensorFlow 2 are tensors, of which the plugin's name says the kind.
    tags = set(events.Tags()["tensors"])
    assert tags >= {
        "train/loss",
        "train/within",
        "train/between",
        "learning_rate/joint",
        "segment_share/0",
        "segment_share/3",
        "validation/loss",
        "validation/miou",
        "validation/miou_thesis",
        "validation",
    }
    steps = [event.step for event in events.Tensors("train/loss")]
    assert steps == [5, 10, 15, 20]  # training.log_every = 5
    assert [event.step for event in events.Tensors("validation")] == [10, 20]
    assert "_hparams_/session_start_info" in events.summary_metadata


def test_the_same_seed_gives_the_same_run(finished, command, tmp_path):
    run = tmp_path / "again"
    assert train.main(["--epochs", "1", "--run", str(run), *command]) == 0
    first = json.loads((finished / "metrics.jsonl").read_text().splitlines()[0])
    again = json.loads((run / "metrics.jsonl").read_text())
    assert again["train"] == first["train"]
    other = tmp_path / "other"
    argv = ["--epochs", "1", "--seed", "1", "--run", str(other), *command]
    assert train.main(argv) == 0
    assert json.loads((other / "metrics.jsonl").read_text())["train"] != first["train"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--set", "segmenter.widht=3"], "did you mean 'segmenter.width'?"),
        (["--set", "segments=1"], "segments: expected 2 to 255, got 1"),
        (["--set", "segmenter.width=wide"], "segmenter.width"),
        (["--epochs", "0"], "training.epochs: expected at least 1, got 0"),
        (["--config", "thesis/cirs_balance"], "did you mean 'thesis/cirs_balanced'?"),
        (["--config", "missing.yaml"], "missing.yaml: no such file"),
        (["--data", "nowhere"], "manifest.json: not found"),
        (["--resume", "nowhere"], "nowhere: not a run folder"),
    ],
)
def test_bad_input_is_one_line(capsys, tmp_path, monkeypatch, argv, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused(capsys, argv)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_key_in_a_yaml_names_the_file(capsys, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("training:\n  epoch: 3\n")
    error = refused(capsys, ["--config", str(path)])
    assert str(path) in error
    assert "did you mean 'training.epochs'?" in error


def test_a_run_of_other_settings_is_not_overwritten(capsys, finished, command):
    argv = ["--epochs", "2", "--run", str(finished), *command]
    error = refused(capsys, [*argv, "--set", "cirs.alpha_1=2"])
    assert "holds a run with cirs.alpha_1=1.0, not 2.0; go on with --resume" in error


def test_a_finished_run_is_left_as_it_is(capsys, finished, command):
    before = {path: path.stat().st_mtime_ns for path in finished.glob("checkpoints/*")}
    assert train.main(["--epochs", "2", "--run", str(finished), *command]) == 0
    assert "done: " in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_checkpoint_of_another_architecture(capsys, finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    before = (run / "config.yaml").read_text()
    error = refused(capsys, ["--resume", str(run), "--set", "segmenter.width=3"])
    assert "holds a segmenter of another architecture" in error
    assert (run / "config.yaml").read_text() == before


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(
    capsys, command, tmp_path
):
    run = tmp_path / "run"
    argv = ["--config", "thesis/cirs_balanced", "--epochs", "1", "--run", str(run)]
    argv += [*command, *set_flags(["feature_net.output=none", "segmenter.norm=none"])]
    assert train.main(argv) == 0
    capsys.readouterr()
    # 1e38 times any variance above 4 is beyond float32.
    error = refused(
        capsys,
        ["--resume", str(run), "--epochs", "2", "--set", "cirs.alpha_2=3e38"],
    )
    assert "step 10: loss of phase joint is not finite" in error
    assert CheckpointStore(run / "checkpoints").path("last").name == "step-00000010"
    assert train.main(["--resume", str(run), "--set", "cirs.alpha_2=1"]) == 0


def test_a_full_disk_leaves_the_earlier_checkpoint(finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    before = sorted(path.name for path in (run / "checkpoints").iterdir())
    largest = max(p.stat().st_size for p in (run / "checkpoints").rglob("variables.*"))
    limit = largest // 2

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-m", "cirs_tf.train", "--resume", run, "--epochs", "3"],
        env=environment,
        preexec_fn=small_files,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1, result.stdout + result.stderr
    errors = result.stderr.strip().splitlines()
    assert [line for line in errors if line.startswith("error: ")] == errors[-1:]
    assert "step-00000030: cannot be written" in errors[-1]
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == before


def test_without_data_the_default_set_is_drawn(capsys, monkeypatch, tiny, tmp_path):
    from data_gen import options

    small = options.default_options(train=16, val=8, test=8, size=16, shards=1)
    monkeypatch.setattr(options, "default_options", lambda: small)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    argv = ["--epochs", "1", "--steps-per-epoch", "1", *set_flags(tiny)]
    assert train.main([*argv, "--run", str(tmp_path / "a")]) == 0
    assert "drawing the fruit set once" in capsys.readouterr().out


def test_mirrored_trains_on_all_devices(command, tmp_path):
    """That it trains like one device: tests/training/test_loop.py."""
    run = tmp_path / "run"
    argv = ["--epochs", "1", "--run", str(run), "--strategy", "mirrored", *command]
    assert train.main([*argv, "--config", "thesis/cirs_balanced"]) == 0
    assert "2 devices" in (run / "train.log").read_text()
    row = json.loads((run / "metrics.jsonl").read_text())
    assert np.isfinite(row["train"]["loss"]) and row["step"] == 10


def test_a_folder_with_signs_of_yaml_is_what_is_trained_on(
    capsys, fruit, command, tmp_path, monkeypatch
):
    data = tmp_path / "set #2"
    data.symlink_to(fruit)
    monkeypatch.chdir(tmp_path)
    argv = [*command, "--data", "set #2", "--run", "run", "--epochs", "1"]
    assert train.main(argv) == 0
    assert read_config(RunFolder("run")).data == str(fruit)
    (tmp_path / "manifest.json").mkdir()
    for wrong, message in (
        ("007", "007/manifest.json: not found"),
        (str(fruit / "manifest.json"), "manifest.json/manifest.json: not found"),
        (".", "manifest.json: cannot be read (Is a directory)"),
    ):
        assert message in refused(capsys, ["--data", wrong])


def test_the_settings_of_a_run_that_is_gone_on_with_are_shown(capsys, finished):
    argv = ["--resume", str(finished), "--show-config", "--epochs", "9"]
    assert train.main(argv) == 0
    shown = capsys.readouterr().out
    assert re.search(r"training\.epochs: 9 ", shown)
    assert re.search(r"segmenter\.width: 2 ", shown)  # the run's, no default
