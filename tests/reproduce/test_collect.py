"""Results beside those of earlier calls in the same folder."""

import copy
import json
from pathlib import Path

from cirs_tf.reproduce.collect import with_earlier
from cirs_tf.reproduce.experiments_file import load_experiments

EXPERIMENTS = load_experiments()
NEW = {
    "targets": ["words"],
    "budget": "cpu",
    "seeds": [3],
    "systems": {name: {"title": name} for name in EXPERIMENTS.targets["words"].systems},
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
    assert merged["systems"]["cirs"] == {"title": "cirs"}
    assert merged["systems"]["air"] == {"title": "old"}
    assert "gone" not in merged["systems"]
    assert merged["figures"] == {"figure12": {"file": "f.png"}}
    assert merged["proof"] == {"images": 2}


def test_the_same_runs_over_more_seeds_stay(tmp_path):
    path = tmp_path / "results.json"
    new = copy.deepcopy(NEW)
    new["systems"]["cirs"] |= {"config": "cirs", "version": "2", "seeds": [0, 1]}
    for changes, title in (
        ({"seeds": [0, 1, 2]}, "old"),
        ({"seeds": [0, 2, 3]}, "cirs"),
        ({"seeds": [0, 1]}, "cirs"),
        ({"seeds": [0, 1, 2], "version": "1"}, "cirs"),
        ({"seeds": [0, 1, 2], "config": "other"}, "cirs"),
    ):
        old = {"title": "old", "config": "cirs", "version": "2", **changes}
        earlier(path, systems={"cirs": old})
        merged = with_earlier(path, new, EXPERIMENTS)
        assert merged["systems"]["cirs"]["title"] == title


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
