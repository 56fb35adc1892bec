"""Planned runs: their order, their configurations, their folders."""

import dataclasses

import pytest

from cirs_tf.errors import ConfigError
from cirs_tf.methods.registry import load_config
from cirs_tf.reproduce.experiments_file import load_experiments
from cirs_tf.reproduce.plan import make_plan, settings_of

EXPERIMENTS = load_experiments()


def plan_of(targets, budget, seeds, out):
    data = dict.fromkeys(EXPERIMENTS.data_sets, out)
    return make_plan(EXPERIMENTS, targets, budget, seeds, out, data)


def test_first_seeds_come_first_and_autoencoders_have_one(tmp_path):
    plan = plan_of(["table4", "table5"], "cpu", (4, 5), tmp_path)
    air = ["air", "air_per_segment"]
    assert [(run.config.seed, run.system) for run in plan.runs] == [
        *((4, name) for name in (*air, *EXPERIMENTS.targets["table4"].systems)),
        *((5, name) for name in air),
    ]
    assert [run.config.seed for run in plan.runs_of("air")] == [4, 5]
    assert plan.systems == EXPERIMENTS.systems_of(["table4", "table5"])


def test_a_configuration_is_that_of_the_system_at_the_budget(tmp_path):
    plan = plan_of(["table4", "table5"], "cpu", (4,), tmp_path)
    air, autoencoder = plan.runs[0], plan.runs[2]
    settings = ["segmenter.width=8", "training.validation_images=500"]
    settings += ["training.epochs=4", "seed=4", f"data={tmp_path}"]
    assert air.config == load_config("air", settings)
    assert autoencoder.config.autoencoder.bottleneck == 192
    assert air.folder == tmp_path / "runs" / "cpu" / "air" / "seed-4"


def test_a_system_without_its_data_set_is_left_out(tmp_path):
    data = {"fruit": tmp_path}
    plan = make_plan(EXPERIMENTS, ["table4", "air"], "cpu", [0], tmp_path, data)
    assert plan.systems == ["air_per_segment"]


@pytest.mark.parametrize("budget", EXPERIMENTS.budgets)
def test_every_setting_of_every_budget_is_one_of_its_method(budget, tmp_path):
    plan = plan_of(EXPERIMENTS.targets, budget, [0], tmp_path)
    assert plan.systems == list(EXPERIMENTS.systems)


def test_the_parts_of_the_ablation_are_taken_away_at_a_quarter_of_the_length(tmp_path):
    plan = plan_of(["ablation"], "cpu", (0, 1, 2), tmp_path)
    assert len(plan.runs) == 2 * len(EXPERIMENTS.ablations["ablation"].rows)
    whole, *others = (run.config for run in plan.runs if run.config.seed == 0)
    training = load_config("cirs_aligned").training
    steps = training.epochs * training.steps_per_epoch
    assert whole.training.epochs * whole.training.steps_per_epoch == steps / 4
    assert all(config != whole for config in others)


def test_a_setting_of_another_method_is_an_error(tmp_path):
    system = dataclasses.replace(
        EXPERIMENTS.systems["air"], overrides=("wnet.radius=2",)
    )
    experiments = dataclasses.replace(
        EXPERIMENTS, systems={**EXPERIMENTS.systems, "air": system}
    )
    with pytest.raises(ConfigError, match="unknown key 'wnet' of method 'air'"):
        make_plan(experiments, ["table5"], "cpu", [0], tmp_path, {"fruit": tmp_path})


def test_settings_are_the_budgets_then_the_systems_own():
    budget = EXPERIMENTS.budgets["cpu"]
    assert settings_of(EXPERIMENTS, "iic", budget) == (
        "iic.width=8",
        "training.validation_images=500",
        "training.epochs=3",
        "training.steps_per_epoch=150",
    )
    assert settings_of(EXPERIMENTS, "wnet_bsds", budget) == (
        "segmenter.width=8",
        "training.validation_images=500",
        "segments=8",
    )


def test_a_system_comes_after_the_one_it_starts_from(tmp_path):
    plan = plan_of(["shift"], "cpu", (3, 4), tmp_path)
    names = ["cirs_fruit_shift", "cirs_aligned_from_cirs"]
    assert [run.system for run in plan.runs] == names * 2
    for source, run in zip(plan.runs[::2], plan.runs[1::2], strict=True):
        assert run.starts_from == source.folder
        assert source.starts_from is None
        pretraining = run.config.pretraining
        assert pretraining.pseudo_labels == "segmenter"
        seed = f"seed-{run.config.seed}"
        exported = tmp_path / "exported" / "cpu" / "cirs_fruit_shift" / seed
        assert pretraining.segmenter == str(exported)
