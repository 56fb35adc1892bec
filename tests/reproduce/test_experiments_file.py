"""The file of experiments: what it holds, and what an error in it says."""

import copy

import pytest
import yaml

from cirs_tf.errors import ConfigError
from cirs_tf.methods.registry import load_config
from cirs_tf.reproduce.experiments import EXPERIMENTS_FILE
from cirs_tf.reproduce.experiments_file import load_experiments

EXPERIMENTS = load_experiments()


def test_every_method_meets_every_benchmark_set_but_three():
    systems = EXPERIMENTS.systems
    pairs = {
        (systems[name].config, systems[name].data)
        for name in EXPERIMENTS.targets["harder"].systems
    }
    sets = EXPERIMENTS.benchmark_sets
    everything = {(m.config, data) for m in sets.methods for data in sets.segments}
    assert everything - pairs == {
        ("cirs_aligned", "tetrominoes"),
        ("cut_and_paste", "twotone"),
        ("cut_and_paste", "fruit_shift"),
    }
    assert pairs <= everything


def test_a_benchmark_system_has_the_segments_of_its_set():
    systems, sets = EXPERIMENTS.systems, EXPERIMENTS.benchmark_sets
    for name in EXPERIMENTS.targets["harder"].systems:
        config = load_config(systems[name].config, systems[name].overrides)
        assert config.segments == sets.segments[systems[name].data]
    assert systems["cirs_aligned_twotone"].seeds == 5  # the one of its own table


@pytest.mark.parametrize(
    ("target", "whole"),
    [
        ("ablation", "ablation_whole"),
        ("ablation_cirs", "cirs"),
        ("ablation_cirs_twotone", "cirs_twotone"),
    ],
)
def test_a_row_of_an_ablation_is_the_first_but_for_its_settings(target, whole):
    names = EXPERIMENTS.targets[target].systems
    first, *others = (EXPERIMENTS.systems[name] for name in names)
    assert names[0] == whole
    rows = list(EXPERIMENTS.ablations[target].rows.values())[1:]
    for system, row in zip(others, rows, strict=True):
        assert system.overrides == (*first.overrides, *row.overrides)
        assert row.overrides
        assert (system.config, system.data) == (first.config, first.data)


WRONG = {
    "systems.air.titel": ("AIR", "systems.air: unknown 'titel'; did you mean 'title'?"),
    "system": ({}, "top level: unknown 'system'; did you mean 'systems'?"),
    "systems.air.seeds": ("3", "systems.air.seeds: expected int, got '3'"),
    "systems.air.thesis": (True, "systems.air.thesis: expected float or NoneType, got"),
    "systems.air": ("air", "systems.air: expected dict, got 'air'"),
    "systems.cirs_plus.starts_from": (
        "cirs_twotone",
        "systems.cirs_plus.starts_from: expected a system of the same data set",
    ),
    "systems.cirs_learned.starts_from": (
        "cirs_plus",
        "systems.cirs_learned.starts_from: expected a system of the same data set",
    ),
    "systems.cirs_balanced.starts_from": (
        "cirs_plus_from_cirs",
        "systems.cirs_balanced.starts_from: expected a system of the same data set",
    ),
    "systems.iic.starts_from": ("circs", "systems.iic.starts_from: unknown 'circs'"),
    "systems.air.overrides": ("a=1", "systems.air.overrides: expected list, got 'a=1'"),
    "systems.air.config": ("airs", "systems.air: config 'airs': no such name"),
    "systems.air.data": ("fruits", "systems.air.data: unknown 'fruits'; did you mean"),
    "targets.table5.systems": (["airs"], "targets.table5.systems: unknown 'airs'; did"),
    "targets.table5.table": ("segment", "targets.table5.table: unknown 'segment'; did"),
    "targets.table5.figure": ("tree", "targets.table5.figure: unknown 'tree'; there"),
    "targets.table5.data_sets": (["bsd"], "targets.table5.data_sets: unknown 'bsd'; "),
    "budgets.cpu.overrides.all": (
        ["a", 1],
        "budgets.cpu.overrides.all.1: expected str",
    ),
    "budgets.cpu.overrides.cirs2": ([], "budgets.cpu.overrides: unknown 'cirs2'; did"),
    "budgets.cpu.lengths": (
        [{"epochs": 1, "systems": ["airs"]}],
        "budgets.cpu.lengths: unknown 'airs'; did you mean 'air'?",
    ),
    "benchmark_sets.methods": (
        [{"title": "AIR", "config": "air", "not_run": ["fruit"]}],
        "benchmark_sets: AIR: unknown 'fruit'; did you mean 'fruit_shift'?",
    ),
}


@pytest.mark.parametrize("key", WRONG)
def test_an_error_is_one_line_that_names_the_place(key, tmp_path):
    value, expected = WRONG[key]
    document = copy.deepcopy(yaml.safe_load(EXPERIMENTS_FILE.read_text()))
    *parents, last = key.split(".")
    place = document
    for parent in parents:
        place = place[parent]
    place[last] = value
    file = tmp_path / "experiments.yaml"
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(ConfigError) as error:
        load_experiments(file)
    assert str(error.value).startswith(f"{file}: {expected}")


def test_a_missing_key_is_named(tmp_path):
    document = yaml.safe_load(EXPERIMENTS_FILE.read_text())
    del document["systems"]["air"]["title"]
    file = tmp_path / "experiments.yaml"
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(ConfigError, match=r"systems\.air\.title: missing"):
        load_experiments(file)
