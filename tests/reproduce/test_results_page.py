"""RESULTS.md: the committed one, and what stands in it when."""

import copy
import json
from pathlib import Path

import pytest

from cirs_tf.reproduce.experiments import FIGURES, TABLES
from cirs_tf.reproduce.experiments_file import load_experiments
from cirs_tf.reproduce.results_page import read_template, results_page

DOCS = Path(__file__).parents[2] / "docs"
EXPERIMENTS = load_experiments()


@pytest.fixture(scope="module")
def committed():
    return json.loads((DOCS / "results.json").read_text())


def test_the_committed_page_is_that_of_the_committed_results(committed):
    page = results_page(EXPERIMENTS, committed)
    assert page == (DOCS / "RESULTS.md").read_text()


def test_every_target_has_its_sections_in_the_template():
    sections = read_template()
    for name, target in EXPERIMENTS.targets.items():
        assert (f"table {name}" in sections) == bool(target.table)
        assert (f"figure {name}" in sections) == bool(target.figure)
    targets = EXPERIMENTS.targets.values()
    assert {target.table for target in targets} - {""} == set(TABLES)
    assert {target.figure for target in targets} - {""} == set(FIGURES)


def test_a_page_has_the_targets_that_were_made_and_what_was_left_out(committed):
    results = copy.deepcopy(committed)
    results |= {
        "targets": ["table2", "figure7"],
        "figures": {"figure7": {"file": "f/7.png", "shown": 8, "seed": 3}},
        "left_out": ["table4 needs --cifar10", "bsds needs --bsds"],
    }
    page = results_page(EXPERIMENTS, results)
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings == [
        "## Table 2: CIRS, balanced and imbalanced training",
        "## Figure 7: segments of CIRS, balanced, and with a frozen g",
        "## What was run",
    ]
    assert (
        "\n\n- Left out: table4 needs --cifar10\n- Left out: bsds needs --bsds\n\n"
        in (page)
    )
    assert "The first 8 test images, label-free checkpoint, seed 3. A segment" in page
    assert "](f/7.png)\n" in page


def test_a_distance_from_the_thesis_is_told_once(committed):
    page = results_page(EXPERIMENTS, committed)
    reached = committed["systems"]["cirs_balanced"]["oracle"]["miou_thesis"]["mean"]
    missing = f"by {0.4581 - reached:.3f} after"
    assert page.count(f"CIRS, balanced falls short of the thesis {missing}") == 1
    assert page.count("AIR falls short of the thesis by") == 1
    assert "$" not in page


def test_a_system_above_the_thesis_needs_no_remark(committed):
    results = copy.deepcopy(committed)
    results["targets"] = ["table1"]
    system = results["systems"]["cirs_balanced"]
    system["oracle"]["miou_thesis"]["mean"] = system["thesis"] + 0.25
    page = results_page(EXPERIMENTS, results)
    assert "\nCIRS, balanced is 0.250 above the thesis's figure.\n\n" in page
    assert system["remark"] not in page
