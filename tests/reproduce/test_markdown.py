"""Cells and tables in Markdown."""

from cirs_tf.reproduce.markdown import cell, table
from cirs_tf.reproduce.scores import seed_statistics


def test_a_cell_of_one_seed_has_no_range():
    assert cell(seed_statistics([0.25])) == "0.250"
    assert cell(seed_statistics([0.75, 0.25])) == "0.500 (0.250 to 0.750)"


def test_a_bar_in_a_cell_does_not_end_it():
    assert table(["", "b"], [["`1|2`", "c"]]) == (
        "|  | b |\n| --- | --- |\n| `1\\|2` | c |\n"
    )
