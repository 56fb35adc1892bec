"""The table of what each part is worth, without its runs."""

from cirs_tf.config_files import load_config

from cirs_tf.reproduce.ablation import ablation
from cirs_tf.reproduce.plan import planned_runs
from cirs_tf.reproduce.systems import ABLATIONS, SYSTEMS, TARGETS


def test_each_row_differs_from_the_first_by_its_settings(tmp_path):
    runs = planned_runs(["ablation"], "cpu", (0, 1, 2), tmp_path, {"twotone": tmp_path})
    assert len(runs) == 2 * len(ABLATIONS)
    configs = {run.system: run.config for run in runs if run.seed == 0}
    whole = configs[TARGETS["ablation"][0]]
    assert whole.training.epochs * whole.training.steps_per_epoch == 250
    for name, (_, settings) in zip(
        TARGETS["ablation"], ABLATIONS.values(), strict=True
    ):
        same = (*SYSTEMS[name].overrides, "training.validation_images=500")
        expected = load_config("cirs_aligned", [*same, f"data={tmp_path}"])
        assert configs[name] == expected
        assert set(settings) <= set(same)
        assert (configs[name] == whole) == (not settings)


def test_a_change_is_counted_from_the_whole():
    means = dict(
        zip(TARGETS["ablation"], (0.9, 0.5, 0.85, 0.95, 0.9, 0.1), strict=True)
    )
    systems = {
        name: {
            "label_free": {"miou": {"values": [mean], "mean": mean}},
            "oracle": {"miou": {"values": [mean + 0.01], "mean": mean + 0.01}},
            "mini_batches": 250,
            "seeds": [0],
        }
        for name, mean in means.items()
    }
    lines = [
        line for line in ablation({"systems": systems}).splitlines() if line[:2] == "| "
    ]
    rows = [[one.strip() for one in line.split("|")[1:-1]] for line in lines[2:]]
    assert [row[0] for row in rows] == [title for title, _ in ABLATIONS.values()]
    assert [row[2] for row in rows] == [f"{mean:.3f}" for mean in means.values()]
    changes = ["", "-0.400", "-0.050", "+0.050", "+0.000", "-0.800"]
    assert [row[-1] for row in rows] == changes
