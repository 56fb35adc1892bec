"""Targets: their order, and the data sets that they need."""

import pytest

from cirs_tf.errors import ConfigError
from cirs_tf.reproduce.experiments_file import load_experiments
from cirs_tf.reproduce.targets import data_flag, ordered_targets, possible_targets

EXPERIMENTS = load_experiments()


def test_targets_come_in_the_order_of_the_results():
    assert ordered_targets(EXPERIMENTS, ["table5", "proof", "table5"]) == [
        "proof",
        "table5",
    ]
    assert ordered_targets(EXPERIMENTS, ["figure4", "all"]) == [*EXPERIMENTS.targets]


def test_an_unknown_target_is_named():
    with pytest.raises(ConfigError, match="^table9: unknown; expected proof, table1, "):
        ordered_targets(EXPERIMENTS, ["table1", "table9"])


def test_targets_without_their_data_sets_are_left_out():
    targets = ["table4", "table5", "bsds"]
    possible, lines = possible_targets(EXPERIMENTS, targets, ["bsds"])
    assert possible == ["table5"]
    assert lines == [
        "table4 needs --cifar10, made with python -m data_gen cifar10 --out DIR",
        "bsds needs --bsds-whole, made with python -m data_gen bsds ZIP_OR_DIR "
        "--whole --out DIR",
    ]
    given = ["bsds", "cifar10", "bsds_whole"]
    assert possible_targets(EXPERIMENTS, targets, given) == (targets, [])


def test_a_flag_has_no_underscore():
    assert data_flag("bsds_whole") == "--bsds-whole"
