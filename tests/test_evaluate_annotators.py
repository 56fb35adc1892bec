"""What `evaluate` prints and writes where several annotators drew each image."""

import json

import numpy as np
import pytest
import tensorflow as tf
from annotated_halves import (
    ANNOTATIONS,
    BITS,
    BLOB_LOST,
    HALF_SPLIT,
    LABELS,
    SPLIT_PAIRS,
)

from cirs_tf import evaluate
from cirs_tf.data.manifest import Manifest, Split, describe_file
from cirs_tf.data.records import encode_example, shard_name
from cirs_tf.runs import evaluation


class KnownLabels:
    """Stands in for the predictor, whose labels no hand can calculate."""

    def __init__(self, segmenter, batch_size):
        pass

    def __call__(self, images):
        return LABELS

    def probabilities(self, images):
        return np.eye(4, dtype=np.float32)[LABELS]


@pytest.fixture
def annotated(tmp_path, monkeypatch):
    """Return the folder of a set whose images are labeled as in `annotated_halves`."""
    monkeypatch.setattr(evaluation, "Predictor", KnownLabels)
    folder = tmp_path / "set"
    folder.mkdir()
    path = folder / shard_name("val", 0, 1)
    image = np.zeros((8, 8, 3), np.uint8)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for number, drawn in enumerate(ANNOTATIONS):
            maps = [one.astype(np.uint16) for one in drawn]
            writer.write(encode_example(image, f"{number}.png", segmentations=maps))
    files = (describe_file(path, len(ANNOTATIONS)),)
    splits = {"val": Split(files, masks=False, segmentations=True)}
    Manifest("set", 8, 8, (), {}, splits).write(folder)
    return folder


def evaluated(finished, annotated, *flags) -> dict:
    file = annotated / "scores.json"
    command = [str(finished), "--data", str(annotated), "--split", "val"]
    assert evaluate.main([*command, "--json", str(file), *flags]) == 0
    return json.loads(file.read_text())


def test_numbers_by_hand(finished, annotated):
    found = evaluated(finished, annotated)["annotators"]
    assert found.keys() == {"segments", "regions", "ods", "ois", "ods_min_region_size"}
    assert found["regions"] == pytest.approx(
        {
            "covering": (5 * HALF_SPLIT + 2) / 7,
            "probabilistic_rand": 1 - SPLIT_PAIRS / 3,
            "variation_of_information": BITS / 3,
            "images": 3,
        }
    )
    assert found["ods"] == pytest.approx(
        {**found["regions"], "covering": (5 + 2 * BLOB_LOST) / 7}
    )
    assert found["ois"] == pytest.approx(
        {
            "covering": 1,
            "probabilistic_rand": 1,
            "variation_of_information": 0,
            "images": 3,
        }
    )
    assert found["ods_min_region_size"] == {
        "covering": 4,
        "probabilistic_rand": 0,
        "variation_of_information": 0,
    }


def test_columns_and_how_the_sizes_were_chosen(finished, annotated, capsys):
    evaluated(finished, annotated)
    lines = capsys.readouterr().out.splitlines()
    (top,) = [index for index, line in enumerate(lines) if "ODS      OIS" in line]
    assert lines[top].split() == ["segments", "regions", "ODS", "OIS"]
    for offset, (*values, meaning) in enumerate(
        (
            ((5 * HALF_SPLIT + 2) / 7, (5 + 2 * BLOB_LOST) / 7, 1, "1 is best"),
            (1 - SPLIT_PAIRS / 3, 1 - SPLIT_PAIRS / 3, 1, "1 is best"),
            (BITS / 3, BITS / 3, 0, "bits, 0 is best"),
        ),
        start=1,
    ):
        shown = "".join(f"{value:9.3f}" for value in values)
        assert lines[top + offset].endswith(f"{shown}   {meaning}")
    rest = "\n".join(lines[top:])
    assert "the size that scores best by these\nannotations" in rest
    sizes = "4 for covering, 0 for Rand, 0 for variation"
    assert f"ODS sizes in pixels (0: none merged): {sizes}" in rest


def test_scales_begin_with_the_postprocessed_labels(finished, annotated):
    """The blob is gone before; no size brings it back."""
    found = evaluated(finished, annotated, "--min-region-size", "4")["annotators"]
    for name in ("segments", "regions", "ods", "ois"):
        assert found[name]["covering"] == pytest.approx((5 + 2 * BLOB_LOST) / 7)
        assert found[name]["variation_of_information"] == pytest.approx(2 * BITS / 3)
    assert set(found["ods_min_region_size"].values()) == {0}
