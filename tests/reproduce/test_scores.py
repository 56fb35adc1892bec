"""Results that are computed once and kept."""

import json
import os

import pytest

from cirs_tf.reproduce.scores import (
    computed_once,
    fingerprint,
    metric_statistics,
    seed_statistics,
)
from cirs_tf.training.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path):
    """Return a run folder with an index of checkpoints, and nothing else."""
    run = RunFolder(tmp_path / "run")
    run.checkpoints.mkdir(parents=True)
    (run.checkpoints / "checkpoints.json").write_text("{}")
    return run


def test_a_result_is_computed_where_its_basis_changed(tmp_path):
    file = tmp_path / "eval" / "scores.json"
    calls = []

    def compute():
        calls.append(1)
        return {"miou": len(calls)}

    assert computed_once(file, "a", compute)["miou"] == 1
    assert computed_once(file, "a", compute)["miou"] == 1
    assert computed_once(file, "b", compute)["miou"] == 2
    assert json.loads(file.read_text()) == {"basis": "b", "miou": 2}


def test_a_file_of_an_earlier_version_is_computed_again(tmp_path):
    file = tmp_path / "scores.json"
    file.write_text('{"miou": 1}')
    assert computed_once(file, "a", lambda: {"miou": 2})["miou"] == 2


def test_a_fingerprint_changes_with_checkpoints_and_data(folder, fruit, tmp_path):
    index = folder.checkpoints / "checkpoints.json"
    first = fingerprint([folder], fruit)
    assert fingerprint([folder], fruit) == first
    other = tmp_path / "other"
    other.mkdir()
    manifest = (fruit / "manifest.json").read_text()
    (other / "manifest.json").write_text(manifest.replace('"seed": 0', '"seed": 1'))
    digests = {first, fingerprint([folder], other), fingerprint([folder] * 2, fruit)}
    os.utime(index, ns=(0, 0))
    digests.add(fingerprint([folder], fruit))
    index.write_text("[]")
    os.utime(index, ns=(0, 0))
    digests.add(fingerprint([folder], fruit))
    assert len(digests) == 5


def test_statistics_keep_the_order_of_the_seeds():
    assert seed_statistics([3, 1, 2]) == {
        "mean": 2.0,
        "min": 1.0,
        "max": 3.0,
        "values": [3.0, 1.0, 2.0],
    }


def test_metrics_do_not_mix():
    scores = [{"miou": 0.25, "miou_thesis": 1}, {"miou": 0.75, "miou_thesis": 0}]
    statistics = metric_statistics(scores)
    assert statistics["miou"]["values"] == [0.25, 0.75]
    assert statistics["miou_thesis"]["values"] == [1, 0]
