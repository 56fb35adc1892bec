"""`advise` on drawn sets, and on real ones where they are."""

import json
import re
import shlex
import zipfile

import numpy as np
import pytest
from PIL import Image
from real_data import real_file

from cirs_tf import advise
from cirs_tf.__main__ import main as cirs_tf
from cirs_tf.advice.image_sample import sample_images
from cirs_tf.models.backbones import weights_file
from data_gen.__main__ import main as data_gen

DRAWN = {
    "fruit": (["fruit"], "cirs_aligned", 4),
    "twotone": (["twotone"], "cirs_aligned", 4),
    "shift": (["fruit", "--background", "shift"], "cirs", None),
    "dsprites": (["dsprites"], "cut_and_paste", 4),
    "tetrominoes": (
        ["tetrominoes", "--size", "35"],
        "cut_and_paste",
        None,
    ),  # 5 kinds of 19
}


def run(*arguments):
    return advise.main([str(argument) for argument in arguments])


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_sets_get_the_method_that_is_best_on_them(name, tmp_path, capsys):
    options, method, segments = DRAWN[name]
    data = tmp_path / name
    sizes = ["--train", "300", "--val", "8", "--test", "8", "--workers", "1"]
    assert data_gen([*options, *sizes, "--out", str(data)]) == 0
    capsys.readouterr()
    file = tmp_path / "found" / "advice.json"
    assert run("--data", data, "--json", file) == 0
    text = capsys.readouterr().out
    found = json.loads(file.read_text())
    assert found["method"] == method
    counts = found["segments"]
    assert segments in (None, counts["chosen"])
    (command,) = found["commands"]
    assert f"type       {command}" in text
    assert shlex.split(command)[:4] == ["python", "-m", "cirs_tf.train", "--model"]
    assert command.endswith(f"--data {data} --set segments={counts['chosen']}")
    assert f"looked at  200 of 300 images of {data}, " in text


REAL = {
    # Which files of which zip, and the method.
    "camvid": ("camvid-trainval.zip", r"images/train/.*jpg", "deep_clustering"),
    "highway": ("highway.zip", r"images/in000[1-3]\d[05]\.jpg", "fixed_camera"),
    "nuclei": ("nuclei.zip", r"images/.*jpg", "threshold"),
    "bsds": ("bsds500-trainval.zip", r".*images/train/.*jpg", "regions"),
}


@pytest.mark.realdata
@pytest.mark.parametrize("name", REAL)
def test_photographs_get_the_method_that_is_best_on_them(name, tmp_path, capsys):
    archive, pattern, method = REAL[name]
    folder = tmp_path / "photos"
    folder.mkdir()
    with zipfile.ZipFile(real_file(archive)) as opened:
        names = [one for one in opened.namelist() if re.fullmatch(pattern, one)]
        for number, one in enumerate(names[:: max(1, len(names) // 60)]):
            (folder / f"{number:03}.jpg").write_bytes(opened.read(one))
    assert run("--data", folder, "--images", "60") == 0
    text = capsys.readouterr().out
    assert f"method     {method}: " in text
    lines = text.splitlines()
    typed = lines[[line.startswith("type") for line in lines].index(True) :]
    assert len(typed) == (1 if method == "regions" else 2)
    assert f"images --images {folder} --size " in text or method == "regions"
    if method == "deep_clustering" and weights_file.is_installed():
        assert "--set segments=" in typed[1]


@pytest.fixture
def photos(tmp_path):
    """Return a folder of patches of two sizes, and a file that is no image."""
    folder = tmp_path / "my photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number, size in enumerate([(600, 900), (600, 900), (90, 60)]):
        patches = rng.integers(0, 230, (6, 9, 3), dtype=np.uint8)
        patches = np.asarray(Image.fromarray(patches).resize(size[::-1]))
        noise = rng.integers(0, 25, patches.shape, dtype=np.uint8)
        Image.fromarray(patches + noise).save(folder / f"{number}.png")
    (folder / "broken.jpg").write_bytes(b"no image")
    return folder


def test_a_folder_of_any_images(photos, capsys):
    assert cirs_tf(["advise", "--data", str(photos)]) == 0
    text = capsys.readouterr().out
    assert (
        f"looked at  3 of 4 images of {photos}, 600 x 900 pixels, most of them; 2 sizes"
        in text
    )
    assert "photographs of many kinds" in text
    assert text.rstrip().endswith("cirs-tf regions '" + f"{photos}' --out regions")


def test_bad_input_is_one_line(photos, tmp_path, capsys):
    for arguments, message in {
        (tmp_path / "none",): f"{tmp_path / 'none'}: expected a data set or a folder "
        "of images",
        (tmp_path, "--images", "1"): "--images: expected at least 2, got 1",
        (tmp_path, "--seed", "-1"): "--seed: expected 0 or more, got -1",
    }.items():
        assert run("--data", *arguments) == 1
        assert capsys.readouterr().err == f"error: {message}\n"
    for name in ("0.png", "1.png"):
        (photos / name).unlink()
    assert run("--data", photos) == 1
    expected = f"error: {photos}: 1 of 2 images can be read, expected 2 or more\n"
    assert capsys.readouterr().err == expected


def test_images_in_sub_folders_and_the_command_that_is_printed(photos, capsys):
    deep = photos / "more" / "still"
    deep.mkdir(parents=True)
    for file in photos.glob("*.png"):
        file.rename(deep / file.name)
    # Masks beside photographs, of the same names, are no reason to stop.
    Image.new("RGB", (600, 900)).save(deep / "0.jpg")
    (photos / "broken.jpg").unlink()
    assert run("--data", photos) == 0
    command = shlex.split(capsys.readouterr().out.splitlines()[-1].split("  ")[-1])
    assert command[:3] == ["python", "-m", "cirs_tf.regions"]
    assert "--recursive" in command


@pytest.mark.parametrize(
    ("size", "message"),
    [((1, 1), "at least 8 a side"), ((2, 3000), "at least 8 a side"), ((9, 2000), "")],
)
def test_tiny_images_and_strips(size, message, tmp_path, capsys):
    for number in range(3):
        pixels = np.full((*size, 3), 60 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    status = run("--data", tmp_path)
    printed = capsys.readouterr()
    assert status == (1 if message else 0)
    assert message in printed.err and "Traceback" not in printed.err


@pytest.mark.parametrize(
    ("last_side", "size"),
    [(40, "as it is"), (32, "40 x 40 pixels, as most of them have")],
)
def test_nothing_to_count_is_one_line_and_k_is_left_open(
    last_side, size, tmp_path, capsys
):
    for number, side in enumerate((40, 40, 40, last_side)):
        pixels = np.full((side, side, 3), [10, 60 * number, 200], np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    assert run("--data", tmp_path) == 0
    text = capsys.readouterr().out
    assert f"size       {size}\n" in text
    assert "K          not counted: too little differs from the background" in text
    assert text.rstrip().endswith("--set segments=K")


@pytest.mark.parametrize(
    ("here", "named", "out"),
    [
        (".", "my photos", "data/my photos"),
        (".", "data/photos", "data/photos-set"),
        (".", "data/photos/", "data/photos-set"),
        ("photos", ".", "../photos-set"),
    ],
)
def test_the_import_that_is_printed_runs(
    here, named, out, tmp_path, capsys, monkeypatch
):
    folder = (tmp_path / here / named).resolve()
    folder.mkdir(parents=True)
    for number in range(10):
        pixels = np.full((40, 40, 3), [10, 20 * number, 200], np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    monkeypatch.chdir(tmp_path / here)
    assert run("--data", named) == 0
    line = capsys.readouterr().out.splitlines()[-2]
    words = shlex.split(line[line.index("python") :])
    assert words[:3] == ["python", "-m", "data_gen"]
    assert words[-2:] == ["--out", out]
    assert data_gen([*words[3:], "--workers", "1"]) == 0


def test_regions_that_are_printed_lie_outside(photos, capsys, monkeypatch):
    (photos / "more").mkdir()
    (photos / "0.png").rename(photos / "more" / "0.png")
    monkeypatch.chdir(photos)
    assert run("--data", ".") == 0
    text = capsys.readouterr().out.rstrip()
    assert text.endswith("regions . --recursive --out '../my photos-regions'")


def test_a_sample_is_spread_over_all_and_holds_no_large_image(tmp_path):
    for number in range(10):
        pixels = np.full((700, 1000, 3), 20 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    sample = sample_images(tmp_path, 4)
    assert [int(image[0, 0, 0]) for image in sample.images] == [0, 40, 100, 140]
    assert sample.images.shape == (4, 336, 480, 3) and sample.size == (700, 1000)
    assert {crop.shape for crop in sample.crops} == {(256, 256, 3)}
    assert all(crop.base is None for crop in sample.crops)  # no view of a large one
    assert (sample.total, sample.num_sizes, sample.has_subfolders) == (10, 1, False)
