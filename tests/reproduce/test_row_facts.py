"""What was run, from run folders written by hand."""

import json

from cirs_tf.data.manifest import Manifest
from cirs_tf.reproduce.experiments_file import load_experiments
from cirs_tf.reproduce.plan import make_plan
from cirs_tf.reproduce.row_facts import row_facts
from cirs_tf.training.run_folder import RunFolder


def write_run(planned, rows):
    """Write the least that makes a run folder with metrics."""
    folder = RunFolder(planned.folder)
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.save_config(planned.config)
    Manifest.read(planned.config.data).write(folder.path)
    folder.metrics_file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_facts_are_those_of_all_seeds_of_the_system(fruit, tmp_path):
    experiments = load_experiments()
    data = {"fruit": fruit}
    plan = make_plan(experiments, ["plus"], "smoke", [3, 4], tmp_path, data)
    runs = plan.runs_of("cirs_plus")
    for seed, run in zip((3, 4), runs, strict=True):
        row = {
            "epoch": 1,
            "step": 8,
            "images_per_second": 32.0 / seed,
            "validation": {},
        }
        write_run(run, [row])
    facts = row_facts(plan, "cirs_plus")
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
    assert row_facts(plan, "cirs_plus")["version"] == "9.8.7"


def test_settings_of_a_run_that_starts_from_another_say_so(fruit, tmp_path):
    plan = make_plan(
        load_experiments(), ["plus_from_cirs"], "smoke", [3], tmp_path, {"fruit": fruit}
    )
    for run in plan.runs:
        write_run(
            run, [{"epoch": 1, "step": 8, "images_per_second": 1.0, "validation": {}}]
        )
    settings = row_facts(plan, "cirs_plus_from_cirs")["settings"]
    assert settings[-2:] == [
        "pretraining.pseudo_labels=segmenter",
        "pretraining.segmenter=EXPORT_OF_cirs",
    ]
