"""Scores by class, and what the table makes of them."""

import types

import pytest
from markdown_rows import rows_of

from cirs_tf.reproduce import class_scores as module
from cirs_tf.reproduce.baseline_scores import scores_on
from cirs_tf.reproduce.class_scores import class_scores
from cirs_tf.reproduce.experiments import System, Target
from cirs_tf.reproduce.tables import class_values


def test_colors_alone_come_first_then_each_system_over_its_seeds(fruit, monkeypatch):
    runs = {"deep": [0.25, 0.75], "iic": [0.5]}
    plan = types.SimpleNamespace(
        data={"camvid": fruit},
        seeds=(0, 1),
        experiments=types.SimpleNamespace(
            systems={"deep": System("votes", "a"), "iic": System("twins", "b")}
        ),
        runs_of=runs.get,
    )

    def evaluated(miou):
        scores = {"miou": miou, "pixel_accuracy": miou + 0.1, "ari": 0.0}
        return types.SimpleNamespace(scores=scores)

    monkeypatch.setattr(module, "evaluate_once", evaluated)
    target = Target("classes", "", ("deep", "iic"), ("camvid",))
    results = {"classes": class_scores(plan, target)}
    rows = results["classes"]["rows"]
    expected = scores_on(fruit, [0, 1])
    assert rows["k-means on RGB"]["miou"] == expected["kmeans"]["miou"]
    single = rows["one segment everywhere"]
    assert single["miou"]["mean"] == expected["single_segment"]["miou"]
    # One of the classes is matched: its IoU is the share of right pixels.
    accuracy = single["pixel_accuracy"]["mean"]
    assert accuracy == pytest.approx(4 * single["miou"]["mean"])
    values = class_values(results)
    assert values["images"] == "16"
    titles = [row[0] for row in rows_of(values["table"])]
    assert titles == ["one segment everywhere", "k-means on RGB", "votes", "twins"]
    assert rows_of(values["table"])[2:] == [
        ["votes", "0.500 (0.250 to 0.750)", "0.600 (0.350 to 0.850)"],
        ["twins", "0.500", "0.600"],
    ]
