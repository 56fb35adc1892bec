"""Experiments: what a budget, a target and a group of systems stand for."""

import dataclasses

import pytest

from cirs_tf.reproduce.experiments import (
    Ablation,
    AblationRow,
    BenchmarkMethod,
    BenchmarkSets,
    Budget,
    DataSet,
    Experiments,
    RunLength,
    System,
    Target,
)


@pytest.fixture
def experiments():
    return Experiments(
        data_sets={"fruit": DataSet(), "photos": DataSet(command="make photos")},
        systems={
            "a": System("A", "cirs"),
            "b": System("B", "wnet", "photos"),
            "c": System("C", "air"),
        },
        benchmark_sets=BenchmarkSets({"fruit": 4}, (), {}),
        ablations={
            "third": Ablation(
                "A",
                "cirs",
                "fruit",
                1,
                (),
                {"all": AblationRow("all", system="a"), "less": AblationRow("less")},
            )
        },
        targets={
            "first": Target("segmenters", systems=("c", "a")),
            "second": Target("photographs", systems=("b", "a"), data_sets=("whole",)),
        },
        budgets={},
    )


def test_systems_of_targets_stand_once_in_table_order(experiments):
    assert experiments.systems_of(["first"]) == ["a", "c"]
    assert experiments.systems_of(["second", "first"]) == ["a", "b", "c"]


def test_data_sets_of_a_target_are_those_of_its_systems_and_its_own(experiments):
    assert experiments.data_sets_of("first") == {"fruit"}
    assert experiments.data_sets_of("second") == {"fruit", "photos", "whole"}


def test_a_row_of_an_ablation_is_another_system_or_one_of_its_own(experiments):
    assert experiments.ablation_systems("third") == {"all": "a", "less": "third_less"}


def test_given_data_sets_are_those_with_a_command(experiments):
    assert experiments.given == {"photos": "make photos"}
    assert experiments.is_segmenter("a") and not experiments.is_segmenter("b")


def test_settings_of_a_budget_are_for_all_then_the_method_then_the_length():
    budget = Budget(
        "a test",
        {"all": ("training.batch_size=8",), "wnet": ("wnet.radius=2",)},
        (RunLength(2, ("a",), 5), RunLength(3, "all")),
    )
    assert budget.settings("a", "wnet") == (
        "training.batch_size=8",
        "wnet.radius=2",
        "training.epochs=2",
        "training.steps_per_epoch=5",
        "training.epochs=3",
    )
    assert budget.settings("b", "cirs") == (
        "training.batch_size=8",
        "training.epochs=3",
    )


def test_a_benchmark_system_is_named_after_configuration_and_set():
    method = BenchmarkMethod("CIRS", "thesis/cirs_balanced", not_run=("twotone",))
    assert method.system("dsprites") == "cirs_balanced_dsprites"
    assert method.system("twotone") is None


def test_experiments_cannot_be_changed(experiments):
    with pytest.raises(dataclasses.FrozenInstanceError):
        experiments.systems["a"].seeds = 5
