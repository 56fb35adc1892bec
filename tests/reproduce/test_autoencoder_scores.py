"""The alpha_2 term of an autoencoder's epochs, from metrics written by hand."""

import json

import pytest

from cirs_tf.data.manifest import Manifest
from cirs_tf.reproduce.autoencoder_scores import autoencoder_scores
from cirs_tf.reproduce.experiments_file import load_experiments
from cirs_tf.reproduce.plan import make_plan
from cirs_tf.training.run_folder import RunFolder


def test_the_lowest_term_of_the_epochs_in_three_forms(fruit, tmp_path):
    data = {"cifar10": fruit}
    plan = make_plan(load_experiments(), ["table4"], "smoke", [0], tmp_path, data)
    (run,) = plan.runs_of("autoencoder_48")
    rows = [
        {"class_distance": 2.4, "code_variance": 4.8, "loss": 0.3},
        {"class_distance": 1.2, "code_variance": 2.0, "loss": 0.2},
        {"class_distance": 3.6, "code_variance": 9.0, "loss": 0.1},
    ]
    folder = RunFolder(run.folder)
    folder.path.mkdir(parents=True)
    folder.save_config(run.config)
    Manifest.read(run.config.data).write(folder.path)
    lines = [
        {"step": step, "images_per_second": 1.0, "validation": row}
        for step, row in enumerate(rows, start=1)
    ]
    folder.metrics_file.write_text("".join(json.dumps(line) + "\n" for line in lines))

    scores = autoencoder_scores(plan, ["autoencoder_48"])["autoencoder_48"]
    assert (scores["lowest"], scores["lowest_epoch"]) == (1.2, 2)
    assert scores["bottleneck"] == 48
    assert scores["lowest_per_unit"] == pytest.approx(0.025)
    assert scores["lowest_share"] == pytest.approx(0.4)  # of the third epoch
    assert (scores["last"], scores["validation_error"]) == (3.6, 0.1)
    assert scores["thesis"] == 0.21
