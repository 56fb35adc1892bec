"""Data sets of the results: drawn once, or given."""

import pytest

from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import ConfigError
from cirs_tf.reproduce.data_sets import check_given, draw_sets
from cirs_tf.reproduce.experiments_file import load_experiments

EXPERIMENTS = load_experiments()


def test_drawn_sets_have_the_options_of_set_and_budget(tmp_path):
    names = ["fruit_masks", "tetrominoes", "cifar10"]
    folders = draw_sets(EXPERIMENTS, "smoke", names, tmp_path)
    assert folders.keys() == {"fruit_masks", "tetrominoes"}
    assert folders["tetrominoes"] == tmp_path / "data" / "tetrominoes_smoke"
    masks, tetrominoes = (Manifest.read(folder) for folder in folders.values())
    assert masks.split("train").masks and masks.height == 16
    assert not tetrominoes.split("train").masks and tetrominoes.height == 35
    assert tetrominoes.split("train").examples == 48


def test_a_folder_without_a_data_set_is_named(tmp_path):
    expected = "--bsds-whole nowhere: no data set; make it with python -m data_gen bsds"
    with pytest.raises(ConfigError, match=expected):
        check_given(EXPERIMENTS, {"bsds_whole": "nowhere"})


def test_given_folders_are_absolute_and_others_left_out(fruit):
    folders = {"cifar10": str(fruit), "bsds": None}
    assert check_given(EXPERIMENTS, folders) == {"cifar10": fruit.resolve()}
