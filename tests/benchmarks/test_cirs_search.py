"""The search over settings: what it keeps, what it runs again, what it writes."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import set_flags

from benchmarks import cirs_search
from benchmarks.cirs_search import SETTINGS, SearchLog, best, scores
from cirs_tf import train
from cirs_tf.config import Config
from cirs_tf.config_files import load_config
from cirs_tf.data.pipeline import load_split
from cirs_tf.training.run_folder import RunFolder

ROOT = Path(__file__).parents[2]
FEW = {"one": (), "two": ("cirs.alpha_1=5",), "three": ("feature_net.output=l2",)}


@pytest.fixture
def argv(fruit, tiny, tmp_path):
    """Return arguments of a search of seconds, all of it below `tmp_path`."""
    flags = ["--data", str(fruit), "--out", str(tmp_path / "out"), "--every", "2"]
    flags += ["--validation-images", "16", "--table", str(tmp_path / "table.md")]
    return [*flags, *set_flags(tiny), "--rungs", "2,4"]


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(cirs_search, "SETTINGS", FEW)


def log_of(tmp_path):
    text = (tmp_path / "out" / "search.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_one(name):
    config = load_config("cirs", SETTINGS[name])
    assert (config == Config()) == (name == "balanced")


def test_no_two_settings_are_the_same():
    assert len({load_config("cirs", one) for one in SETTINGS.values()}) == len(SETTINGS)
    assert 20 <= len(SETTINGS)


def test_halving_scores_and_table(few, argv, tmp_path, fruit):
    assert cirs_search.main(argv) == 0
    rows = log_of(tmp_path)
    runs = [(row["name"], row["steps"]) for row in rows if not row["baseline"]]
    assert runs[:3] == [("one", 2), ("two", 2), ("three", 2)]
    first = {row["name"]: row["oracle_miou_thesis"] for row in rows[2:5]}
    # The best of three goes on, and goes on where it was.
    assert runs[3:] == [(max(first, key=first.get), 4)]
    winner = runs[3][0]
    metrics = RunFolder(tmp_path / "out/runs" / f"{winner}-seed0").read_metrics()
    assert [row["step"] for row in metrics] == [2, 4]
    best_epoch = max(one["validation"]["miou_thesis"] for one in metrics)
    assert rows[5]["oracle_miou_thesis"] == best_epoch
    # One segment everywhere, by hand: the sky's share is its IoU, the rest is 0.
    masks = load_split(fruit, "val", with_masks=True, limit=16).masks
    share = np.bincount(masks.ravel(), minlength=4)[0] / masks.size
    assert rows[0]["miou"] == pytest.approx(share / 4)
    text = (tmp_path / "table.md").read_text()
    assert "| one segment everywhere | " in text
    assert f"| two | `cirs.alpha_1=5` | {first['two']:.3f} | " in text
    lines = [one.split(" | ")[0] for one in text.split("## 2 mini")[1].splitlines()]
    order = sorted(first, key=first.get, reverse=True)
    assert [one[2:] for one in lines if one[2:] in FEW][:3] == order
    assert not list(tmp_path.rglob("*.tmp"))


def test_what_is_finished_is_not_run_again(few, argv, tmp_path, monkeypatch, capsys):
    assert cirs_search.main([*argv, "--only", "two", "one"]) == 0
    rows = log_of(tmp_path)
    # With --only all rungs are for all.
    named = [(row["name"], row["steps"]) for row in rows if not row["baseline"]]
    assert named == [("two", 2), ("one", 2), ("two", 4), ("one", 4)]
    monkeypatch.setattr(train, "main", lambda argv: pytest.fail("trained again"))
    assert cirs_search.main([*argv, "--only", "one", "two"]) == 0
    assert log_of(tmp_path) == rows
    # Other data or settings are not mixed in, and an unknown name is refused.
    for more, message in (
        (["--set", "segments=3"], "holds scores of other data"),
        (["--every", "1"], "holds scores of other data"),
        (["--only", "four"], "--only: no setting 'four'"),
        (["--rungs", "4,2"], "--rungs: expected rising multiples of --every (2)"),
        (["--rungs", "3"], "--rungs: expected rising multiples of --every (2)"),
    ):
        assert cirs_search.main([*argv, *more]) == 1
        assert message in capsys.readouterr().err


def test_a_setting_gives_the_same_alone_and_after_others(few, argv, tmp_path):
    """One process runs all; nothing of one run may reach the next."""
    short = [*argv, "--rungs", "4"]
    assert cirs_search.main([*short, "--only", "two", "three"]) == 0
    alone = [str(tmp_path / "alone") if "/out" in one else one for one in short]
    assert cirs_search.main([*alone, "--only", "three"]) == 0
    metrics = [
        RunFolder(tmp_path / out / "runs" / "three-seed0").read_metrics()
        for out in ("out", "alone")
    ]
    for rows in metrics:
        for row in rows:
            del row["images_per_second"]
    assert metrics[0] == metrics[1]


def test_no_run_starts_after_the_limit(few, argv, tmp_path, capsys):
    assert cirs_search.main([*argv, "--limit-minutes", "0"]) == 0
    assert "stopped before one, 2 mini-batches" in capsys.readouterr().out
    assert all(row["baseline"] for row in log_of(tmp_path))


def test_a_run_that_fails_is_logged_and_goes_no_further(argv, tmp_path, monkeypatch):
    bad = {"good": (), "bad": ("training.learning_rate=1e30", "segmenter.norm=none")}
    monkeypatch.setattr(cirs_search, "SETTINGS", bad)
    assert cirs_search.main(argv) == 0
    rows = [row for row in log_of(tmp_path) if not row["baseline"]]
    assert [(row["name"], row["steps"], row["failed"]) for row in rows] == [
        ("good", 2, False),
        ("bad", 2, True),
        ("good", 4, False),
    ]
    assert "(failed)" in (tmp_path / "table.md").read_text()


def test_choices_by_hand(tmp_path, monkeypatch):
    monkeypatch.setattr(cirs_search, "SETTINGS", FEW)
    arguments = argparse.Namespace(out=str(tmp_path), seed=0)
    folder = tmp_path / "runs" / "one-seed0"
    folder.mkdir(parents=True)
    (folder / "versions.json").write_text("{}")
    run = RunFolder(folder)
    for step, loss, thesis, miou in (
        (2, float("nan"), 0.1, 0.15),
        (4, -3.0, 0.2, 0.35),
        (6, -1.0, 0.4, 0.3),
        (8, -9.0, 0.9, 0.9),  # of the next rung
    ):
        values = {"loss": loss, "miou_thesis": thesis, "miou": miou}
        values["segment_share"] = [step / 10, 0]
        run.append_metrics({"step": step, "validation": values})
    row = scores("one", 6, arguments)
    assert (row["oracle_miou_thesis"], row["oracle_step"]) == (0.4, 6)
    assert (row["oracle_miou"], row["oracle_shares"]) == (0.35, [0.6, 0])
    assert (row["label_free_miou_thesis"], row["label_free_step"]) == (0.2, 4)
    log = SearchLog(tmp_path / "log.jsonl")
    for name, score in (("a", 0.1), ("b", 0.3), ("c", 0.2), ("d", 0.4)):
        log.append({**row, "name": name, "oracle_miou_thesis": score})
    log.append({**row, "name": "e", "failed": True})
    assert best(log, "abcde", 6, 0) == ["d", "b"]
    # Settings that start from parts compete among themselves, and one ends at once.
    for name, score in (("f", 0.5), ("g", 0.6), ("h", 0.7), ("parts-held", 0.9)):
        settings = ["cirs.start=components"]
        more = {"name": name, "oracle_miou_thesis": score, "settings": settings}
        log.append({**row, **more})
    assert best(log, [*"abcdefgh", "parts-held"], 6, 0) == ["d", "b", "h"]
    assert SearchLog(log.path).rows == log.rows


def test_sigterm_leaves_nothing_half_written(argv, tmp_path):
    """The command itself is stopped in a run and given again; it ends as one run."""
    whole = [str(tmp_path / "whole") if "/out" in one else one for one in argv]
    both = ["--only", "balanced", "both-mean-color", "--rungs", "120"]
    both += ["--every", "40"]
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "cirs_search.py"),
        *argv,
        *both,
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    metrics = tmp_path / "out" / "runs" / "balanced-seed0" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while not metrics.exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 128 + signal.SIGTERM
    assert all(row["baseline"] for row in log_of(tmp_path))
    assert cirs_search.main([*argv, *both]) == 0
    assert cirs_search.main([*whole, *both]) == 0
    kept = []
    for out in ("out", "whole"):
        text = (tmp_path / out / "search.jsonl").read_text()
        rows = [json.loads(line) for line in text.splitlines()]
        kept.append([{k: v for k, v in row.items() if k != "seconds"} for row in rows])
    assert kept[0] == kept[1]
    assert not list((tmp_path / "out").rglob("*.tmp"))
