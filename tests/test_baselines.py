import json
import shutil

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab
from sklearn.cluster import KMeans

from cirs_tf import baselines
from cirs_tf.data.image_split import LoadedSplit
from cirs_tf.data.splits import load_split, open_split
from cirs_tf.proposals.color_kmeans import ColorKMeans
from cirs_tf.runs import baselines as runs_baselines
from data_gen.__main__ import main as data_gen


def test_kmeans_finds_colors_that_are_far_apart():
    colors = np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    truth = np.random.default_rng(0).integers(0, 3, (4, 6, 7))
    images = colors[truth]
    labels = ColorKMeans(3, seed=1).fit(images).predict(images)
    names = {
        (label, value) for label, value in zip(labels.flat, truth.flat, strict=True)
    }
    assert len(names) == 3  # one label for each color, and the other way round


def test_the_best_of_many_starts_is_tighter_than_a_single_one():
    images = np.random.default_rng(0).integers(0, 256, (2, 20, 20, 3)).astype(np.uint8)

    def squared_error(starts):
        labels = ColorKMeans(4, 0, starts).fit(images).predict(images)
        parts = [images[labels == segment] for segment in range(4)]
        return sum(part.var(axis=0).sum() * len(part) for part in parts)

    assert squared_error(30) < 0.99 * squared_error(1)


def test_starts_is_passed_on(fruit, monkeypatch):
    asked = []

    def record(segments, seed, starts, space):
        if space == "rgb":
            asked.append((seed, starts))
        return ColorKMeans(segments, seed, starts, space)

    monkeypatch.setattr(runs_baselines, "ColorKMeans", record)
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
        (
            ["--seeds", "4294967296"],
            "--seeds: expected 0 to 4294967295, got 4294",
        ),
    ],
)
def test_bad_input_is_one_line(capsys, fruit, argv, message):
    assert baselines.main(["--data", str(fruit), *argv]) == 1
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error


def test_a_set_without_masks_is_told(capsys, fruit, tmp_path):
    shutil.copytree(fruit, tmp_path / "set")
    file = tmp_path / "set" / "manifest.json"
    content = json.loads(file.read_text())
    for split in content["splits"].values():
        split["masks"] = False
    file.write_text(json.dumps(content | {"classes": []}))
    assert baselines.main(["--data", str(file.parent)]) == 1
    error = f"error: {file.parent}: has no masks; baselines are scored by them\n"
    assert capsys.readouterr().err == error


def test_clusters_in_lab_are_the_tightest_there():
    colors = np.array([[200, 160, 120], [60, 90, 0], [0, 0, 60]], np.uint8)
    truth = np.repeat([0, 1, 2], 12).reshape(1, 6, 6)
    images = colors[truth]
    lab = ColorKMeans(2, seed=0, space="lab").fit(images).predict(images)
    assert [len(np.unique(lab[truth == value])) for value in range(3)] == [1, 1, 1]
    converted = rgb2lab(images[0]).reshape(-1, 3)
    inside = sum(
        ((converted[part] - converted[part].mean(axis=0)) ** 2).sum()
        for part in (lab.ravel() == 0, lab.ravel() == 1)
    )
    for pair in ((0, 1), (0, 2), (1, 2)):
        part = np.isin(truth.ravel(), pair)
        spread = ((converted[part] - converted[part].mean(axis=0)) ** 2).sum()
        assert inside <= spread + 1e-3


def test_centers_are_those_of_all_pixels_at_once_in_memory_and_in_records(fruit):
    streamed = open_split(fruit, "train", with_masks=False, cache="records").images
    loaded = load_split(fruit, "train", with_masks=False).images
    # As one would, were there no memory to save: the pixels drawn from one long array.
    pixels = loaded.reshape(-1, 3)
    numbers = np.random.default_rng(5).choice(
        len(pixels), min(50_000, len(pixels)), replace=False
    )
    expected = KMeans(4, n_init=2, random_state=5).fit(
        pixels[numbers].astype("float32")
    )
    truth = expected.predict(pixels[:4096].astype(np.float32))
    for images in (streamed, loaded):
        found = ColorKMeans(4, seed=5, n_init=2).fit(images)
        labels = found.predict(loaded).ravel()[:4096]
        np.testing.assert_array_equal(labels, truth)


def test_an_unknown_space_is_refused():
    with pytest.raises(ValueError, match="space: expected rgb or lab, got 'hsv'"):
        ColorKMeans(1, seed=0, space="hsv")


def test_thresholds_are_scored_where_there_are_two_segments(tmp_path, capsys):
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for index in range(20):
        mask = np.zeros((32, 32), np.uint8)
        row, column = rng.integers(4, 18, 2)
        mask[row : row + 9, column : column + 9] = 1
        image = np.where(mask[..., None], 160, 30) + rng.integers(0, 20, (32, 32, 3))
        Image.fromarray(np.uint8(image)).save(tmp_path / "images" / f"{index:02}.png")
        Image.fromarray(mask).save(tmp_path / "masks" / f"{index:02}.png")
    argv = ["images", "--images", tmp_path / "images", "--masks", tmp_path / "masks"]
    argv += ["--size", "32", "--out", tmp_path / "set", "--test", "0.3"]
    assert data_gen(list(map(str, argv))) == 0
    file = tmp_path / "scores.json"
    flags = ["--data", str(tmp_path / "set"), "--seeds", "0", "--json", str(file)]
    assert baselines.main(flags) == 0
    assert "Otsu's threshold" in capsys.readouterr().out
    found = json.loads(file.read_text())
    assert found["Otsu's threshold"][0] > 0.9
    assert found["Otsu, background subtracted"][0] > 0.8
    assert baselines.main([*flags, "--segments", "3"]) == 0
    assert "Otsu's threshold" not in json.loads(file.read_text())


def test_a_background_that_rises_is_subtracted_by_the_second_threshold():
    rows, columns = np.mgrid[:48, :48]
    mask = (rows - 14) ** 2 + (columns - 15) ** 2 < 50
    mask |= (rows - 32) ** 2 + (columns - 30) ** 2 < 70
    light = np.where(mask, 60, 20) + np.linspace(0, 140, 48)[None]
    image = np.repeat(np.uint8(light)[..., None], 3, axis=-1)
    # More images than are divided at once.
    split = LoadedSplit(
        np.repeat(image[None], 20, axis=0),
        np.repeat(mask[None].astype(np.uint8), 20, axis=0),
        (),
    )
    plain, subtracted = (
        runs_baselines.threshold_scores(split, 2, threshold).miou
        for threshold in runs_baselines.THRESHOLDS.values()
    )
    assert subtracted > plain + 0.1
