import json

import numpy as np
import pytest

from cirs_tf import baselines
from cirs_tf.data.pipeline import load_split
from cirs_tf.proposals.color_kmeans import kmeans_labels
from cirs_tf.runs import baselines as runs_baselines


def test_kmeans_finds_colors_that_are_far_apart():
    colors = np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    truth = np.random.default_rng(0).integers(0, 3, (4, 6, 7))
    images = colors[truth]
    labels = kmeans_labels(images, images, 3, seed=1)
    names = {
        (label, value) for label, value in zip(labels.flat, truth.flat, strict=True)
    }
    assert len(names) == 3  # one label for each color, and the other way round


def test_the_best_of_many_starts_is_tighter_than_a_single_one():
    images = np.random.default_rng(0).integers(0, 256, (2, 20, 20, 3)).astype(np.uint8)

    def squared_error(starts):
        labels = kmeans_labels(images, images, 4, 0, starts)
        parts = [images[labels == segment] for segment in range(4)]
        return sum(part.var(axis=0).sum() * len(part) for part in parts)

    assert squared_error(30) < 0.99 * squared_error(1)


def test_starts_is_passed_on(fruit, monkeypatch):
    asked = []

    def record(train, images, segments, seed, starts):
        asked.append((seed, starts))
        return np.zeros(images.shape[:3], np.int32)

    monkeypatch.setattr(runs_baselines, "kmeans_labels", record)
    argv = ["--data", str(fruit), "--split", "val", "--seeds", "3,5"]
    assert baselines.main(argv) == 0
    assert baselines.main([*argv, "--n-init", "1"]) == 0
    assert asked == [(3, 4), (5, 4), (3, 1), (5, 1)]


def test_scores_one_segment_by_hand_and_kmeans_above_it(capsys, fruit, tmp_path):
    file = tmp_path / "scores.json"
    argv = ["--data", str(fruit), "--split", "val", "--seeds", "0,1"]
    assert baselines.main([*argv, "--json", str(file)]) == 0
    assert "k-means on RGB, K=4" in capsys.readouterr().out
    found = json.loads(file.read_text())
    masks = load_split(fruit, "val", with_masks=True).masks
    # The background has its share as IoU, the other three classes 0.
    shares = np.bincount(masks.ravel(), minlength=4) / masks.size
    assert found["one segment everywhere"] == [pytest.approx(shares.max() / 4)]
    assert all(0 < miou < 1 for miou in found["k-means on RGB, K=4"])


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--segments", "1"], "--segments: expected 2 to 255, got 1"),
        (["--n-init", "0"], "--n-init: expected at least 1, got 0"),
        (["--starts", "4"], "--starts: is now called --n-init"),
        (
            ["--seeds", "one"],
            "--seeds: expected integers such as 0,1,2 or 0-4, got 'one'",
        ),
        (["--split", "train"], "split 'train' has no masks"),
    ],
)
def test_bad_input_is_one_line(capsys, fruit, argv, message):
    assert baselines.main(["--data", str(fruit), *argv]) == 1
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
