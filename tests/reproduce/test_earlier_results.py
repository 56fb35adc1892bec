"""Results beside those of earlier calls in the same folder."""

import copy
import json
from pathlib import Path

import pytest

from cirs_tf.reproduce.earlier_results import with_earlier
from cirs_tf.reproduce.experiments_file import load_experiments

EXPERIMENTS = load_experiments()
NEW = {
    "targets": ["words"],
    "budget": "cpu",
    "seeds": [3],
    "systems": {
        name: {"title": name, "version": "2"}
        for name in EXPERIMENTS.targets["words"].systems
    },
    "figures": {},
    "left_out": [],
}


def earlier(path: Path, **changes) -> dict:
    results = copy.deepcopy(NEW) | {
        "targets": ["table5", "figure12"],
        "seeds": [0, 1],
        "systems": {
            **{name: {"title": "old"} for name in ("air", "air_per_segment", "cirs")},
            "gone": {},
        },
        "figures": {"figure12": {"file": "f.png"}},
        "proof": {"images": 2},
        **changes,
    }
    path.write_text(json.dumps(results))
    return results


def test_without_earlier_ones_results_stay(tmp_path):
    assert with_earlier(tmp_path / "results.json", NEW, EXPERIMENTS) is NEW


def test_other_targets_stay_and_newer_systems_win(tmp_path):
    path = tmp_path / "results.json"
    earlier(path)
    merged = with_earlier(path, NEW, EXPERIMENTS)
    assert set(merged["targets"]) == {"table5", "figure12", "words"}
    order = list(EXPERIMENTS.targets)
    assert merged["targets"] == sorted(merged["targets"], key=order.index)
    assert merged["seeds"] == [0, 1, 3]
    assert merged["systems"]["cirs"] == {"title": "cirs", "version": "2"}
    assert merged["systems"]["air"] == {"title": "old"}
    assert "gone" not in merged["systems"]
    assert merged["figures"] == {"figure12": {"file": "f.png"}}
    assert merged["proof"] == {"images": 2}


def facts(title: str, seeds: dict[int, float], **changes) -> dict:
    values = list(seeds.values())
    return {
        "title": title,
        "config": "cirs",
        "settings": ["segments=4"],
        "version": "2",
        "seeds": list(seeds),
        "oracle": {"miou": {"mean": sum(values) / len(values), "values": values}},
        **changes,
    }


def test_the_same_runs_of_other_seeds_are_joined(tmp_path):
    path = tmp_path / "results.json"
    earlier(path, systems={"cirs": facts("old", {0: 0.5, 1: 0.75, 3: 0.875})})
    new = copy.deepcopy(NEW)
    new["systems"]["cirs"] = facts("new", {4: 1.0, 1: 0.25, 2: 0.0})
    joined = with_earlier(path, new, EXPERIMENTS)["systems"]["cirs"]
    assert joined["seeds"] == [0, 1, 2, 3, 4]
    miou = joined["oracle"]["miou"]
    assert miou["values"] == [0.5, 0.25, 0.0, 0.875, 1.0]  # the newer one of seed 1
    assert (miou["mean"], miou["min"], miou["max"]) == (2.625 / 5, 0.0, 1.0)
    assert (joined["title"], joined["settings"]) == ("new", ["segments=4"])


@pytest.mark.parametrize(
    "change", [{"version": "1"}, {"config": "other"}, {"settings": ["segments=3"]}]
)
def test_other_runs_are_not_joined(change, tmp_path):
    path = tmp_path / "results.json"
    earlier(path, systems={"cirs": facts("old", {0: 0.5, 1: 0.75}, **change)})
    new = copy.deepcopy(NEW)
    new["systems"]["cirs"] = facts("new", {2: 1.0})
    merged = with_earlier(path, new, EXPERIMENTS)
    assert merged["systems"]["cirs"] == new["systems"]["cirs"]


def test_a_target_that_has_got_another_row_since_is_dropped(tmp_path):
    path = tmp_path / "results.json"
    earlier(path, targets=["table4", "table5", "plus"])
    merged = with_earlier(path, NEW, EXPERIMENTS)
    # Table 4 shows no segmenters, whose scores are kept elsewhere.
    assert merged["targets"] == ["table4", "table5", "words"]


def test_another_budget_begins_anew(tmp_path):
    path = tmp_path / "results.json"
    earlier(path, budget="smoke")
    assert with_earlier(path, NEW, EXPERIMENTS) is NEW
