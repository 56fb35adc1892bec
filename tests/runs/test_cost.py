"""Lengths and times, from a run folder written by hand."""

import json

import pytest

from cirs_tf.data.manifest import Manifest
from cirs_tf.methods.registry import load_config
from cirs_tf.runs.cost import steps_per_epoch, training_seconds
from cirs_tf.training.run_folder import RunFolder


def test_an_epoch_is_one_pass_where_no_length_is_set(fruit):
    data = Manifest.read(fruit)
    config = load_config("air", ["training.batch_size=10"])
    assert steps_per_epoch(config, data) == 5  # 48 images
    config = load_config("air", ["training.steps_per_epoch=7"])
    assert steps_per_epoch(config, data) == 7


def test_seconds_are_those_of_training_alone(fruit, tmp_path):
    settings = ["training.batch_size=8", "training.steps_per_epoch=10"]
    # 500 mini-batches of pretraining come before; 80 images an epoch.
    rows = [
        {"epoch": 1, "step": 510, "images_per_second": 40.0, "validation": {}},
        {"epoch": 2, "step": 520, "images_per_second": 20.0, "validation": {}},
    ]
    run = RunFolder(tmp_path)
    Manifest.read(fruit).write(run.path)
    run.metrics_file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = load_config("air", settings)
    assert training_seconds(run, config) == pytest.approx(2 + 4)
