"""Scores by class, and what the table makes of them."""

import types

import numpy as np
import pytest
from markdown_rows import rows_of
from otsu_reference import otsu_labels

from cirs_tf.data.image_split import LoadedSplit
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
    scores = class_scores(plan, target)
    rows = scores["rows"]
    expected = scores_on(fruit, [0, 1])
    assert rows["k-means on RGB"]["miou"] == expected["kmeans"]["miou"]
    single = rows["one segment everywhere"]
    assert single["miou"]["mean"] == expected["single_segment"]["miou"]
    # One of the classes is matched: its IoU is the share of right pixels.
    accuracy = single["pixel_accuracy"]["mean"]
    assert accuracy == pytest.approx(4 * single["miou"]["mean"])
    values = class_values(scores)
    assert values["images"] == "16"
    titles = [row[0] for row in rows_of(values["table"])]
    assert titles == ["one segment everywhere", "k-means on RGB", "votes", "twins"]
    assert rows_of(values["table"])[2:] == [
        ["votes", "0.500 (0.250 to 0.750)", "0.600 (0.350 to 0.850)"],
        ["twins", "0.500", "0.600"],
    ]


def otsu_row(title, image, mask, **options):
    """Return title, mIoU, pixel accuracy and F of class 1, which is the brighter."""
    found, true = otsu_labels(image[None], **options)[0] == 1, mask == 1
    both = [
        (found & true).sum() / (found | true).sum(),
        (~found & ~true).sum() / (~found | ~true).sum(),
    ]
    f = 2 * (found & true).sum() / (found.sum() + true.sum())
    return [title, *(f"{x:.3f}" for x in (np.mean(both), (found == true).mean(), f))]


def test_of_two_classes_there_are_thresholds_and_the_f_of_the_second(monkeypatch):
    image = np.zeros((2, 16, 16, 3), np.uint8)
    masks = np.zeros((2, 16, 16), np.uint8)
    image[:] = np.linspace(0, 40, 16)[:, None]  # uneven light
    image[:, 4:9, 5:11], masks[:, 4:9, 5:11] = 200, 1
    split = LoadedSplit(image, masks, ("a", "b"))
    monkeypatch.setattr(module, "open_splits", lambda *_: (split, split))
    manifest = types.SimpleNamespace(classes=("background", "nucleus"))
    monkeypatch.setattr(module.Manifest, "read", lambda _: manifest)
    kept = {"miou": 0.5, "pixel_accuracy": 0.9, "per_class_iou": [0.9, 0.25]}
    none = {**kept, "per_class_iou": [0.9, None]}
    monkeypatch.setattr(
        module, "evaluate_once", lambda run: types.SimpleNamespace(scores=run)
    )
    plan = types.SimpleNamespace(
        data={"nuclei": "folder"},
        seeds=(0,),
        experiments=types.SimpleNamespace(systems={"deep": System("votes", "a")}),
        runs_of=lambda name: [kept, none],
    )
    scores = class_scores(plan, Target("classes", "", ("deep",), ("nuclei",)))
    otsu_rows = [
        otsu_row("Otsu's threshold", image[0], masks[0]),
        otsu_row("Otsu, background subtracted", image[0], masks[0], background=0.1),
    ]
    assert otsu_rows[0][1:] != otsu_rows[1][1:]
    same_half, same_nine = "0.500 (0.500 to 0.500)", "0.900 (0.900 to 0.900)"
    assert rows_of(class_values(scores)["table"]) == [
        ["one segment everywhere", "0.441", "0.883", "0.000"],
        ["k-means on RGB", "1.000", "1.000", "1.000"],
        *otsu_rows,
        ["votes", same_half, same_nine, "0.200 (0.000 to 0.400)"],
    ]
    assert "F of nucleus" in class_values(scores)["table"]
