"""What was run: lengths and times, from a run folder written by hand."""

import json

import pytest

from cirs_tf.methods.registry import load_config
from cirs_tf.reproduce.experiments_file import load_experiments
from cirs_tf.reproduce.plan import make_plan
from cirs_tf.reproduce.run_facts import run_facts, steps_per_epoch, training_seconds
from cirs_tf.runs.queue import PlannedRun
from cirs_tf.training.run_folder import RunFolder


def write_run(planned, rows):
    """Write the least that makes a run folder with metrics."""
    folder = RunFolder(planned.folder)
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.save_config(planned.config)
    folder.metrics_file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_an_epoch_is_one_pass_where_no_length_is_set(fruit):
    config = load_config("air", [f"data={fruit}", "training.batch_size=10"])
    assert steps_per_epoch(config) == 5  # 48 images
    config = load_config("air", [f"data={fruit}", "training.steps_per_epoch=7"])
    assert steps_per_epoch(config) == 7


def test_seconds_are_those_of_training_alone(fruit, tmp_path):
    settings = [f"data={fruit}", "training.batch_size=8", "training.steps_per_epoch=10"]
    planned = PlannedRun("air", tmp_path / "run", load_config("air", settings))
    # 500 mini-batches of pretraining come before; 80 images an epoch.
    rows = [
        {"epoch": 1, "step": 510, "images_per_second": 40.0},
        {"epoch": 2, "step": 520, "images_per_second": 20.0},
    ]
    write_run(planned, rows)
    assert training_seconds(planned) == pytest.approx(2 + 4)


def test_facts_are_those_of_all_seeds_of_the_system(fruit, tmp_path):
    experiments = load_experiments()
    data = {"fruit": fruit}
    plan = make_plan(experiments, ["plus"], "smoke", [3, 4], tmp_path, data)
    runs = plan.runs_of("cirs_plus")
    for seed, run in zip((3, 4), runs, strict=True):
        row = {"epoch": 1, "step": 8, "images_per_second": 32.0 / seed}
        write_run(run, [row])
    facts = run_facts(plan, "cirs_plus")
    assert facts["title"] == "CIRS with reconstruction"
    assert facts["config"] == "cirs_plus"
    assert "pretraining.steps=4" in facts["settings"]
    assert facts["seeds"] == [3, 4]
    assert (facts["epochs"], facts["mini_batches"], facts["batch_size"]) == (2, 8, 8)
    assert facts["seconds"]["values"] == [3, 4]
    assert (facts["thesis"], facts["remark"]) == (None, "")
    assert facts["version"] is None
    versions = runs[0].folder / "versions.json"
    versions.write_text('{"python": "3.11.7", "cirs-tf": "9.8.7"}')
    assert run_facts(plan, "cirs_plus")["version"] == "9.8.7"


def test_settings_of_a_run_that_starts_from_another_say_so(fruit, tmp_path):
    plan = make_plan(
        load_experiments(), ["plus_from_cirs"], "smoke", [3], tmp_path, {"fruit": fruit}
    )
    for run in plan.runs:
        write_run(run, [{"epoch": 1, "step": 8, "images_per_second": 1.0}])
    settings = run_facts(plan, "cirs_plus_from_cirs")["settings"]
    assert settings[-2:] == [
        "pretraining.pseudo_labels=segmenter",
        "pretraining.segmenter=EXPORT_OF_cirs",
    ]
