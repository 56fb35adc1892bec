import zipfile

import numpy as np
import pytest
from PIL import Image
from tfrecords import file_contents

from cirs_tf.data.manifest import Manifest
from data_gen.__main__ import main


@pytest.fixture
def source(tmp_path):
    """Return arguments that name ten images, a zip of masks, and three test images.

    One image alone has the highest label, so that parts know fewer.
    """
    for folder, count in (("images", 10), ("tests", 3)):
        for index in range(count):
            path = tmp_path / folder / f"{index}.png"
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (20, 18), (20 * index, 9, 99)).save(path)
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as masks:
        for index in range(10):
            labels = np.full((18, 20), 5 if index == 4 else index % 2, np.uint8)
            with masks.open(f"{index}.png", "w") as file:
                Image.fromarray(labels).save(file, "PNG")
    named = {"images": "images", "masks": "masks.zip", "test-images": "tests"}
    paths = {f"--{option}": str(tmp_path / name) for option, name in named.items()}
    options = "--size 16 --shards 3 --val 0.4 --workers 1 --seed 2"
    return [*sum(paths.items(), ()), *options.split()]


def images(capsys, *arguments):
    status = main(["images", *map(str, arguments)])
    return status, *capsys.readouterr()


@pytest.fixture
def whole(capsys, source, tmp_path):
    out = tmp_path / "whole"
    assert images(capsys, *source, "--out", out)[0] == 0
    assert len(Manifest.read(out).classes) == 6
    return out


def test_the_merged_parts_are_the_set_byte_for_byte(capsys, source, whole, tmp_path):
    out = tmp_path / "set"
    for index in range(4):
        part = ["--shard", index, "--num-shards", 4]
        assert images(capsys, *source, "--out", out, *part)[::2] == (0, "")
    parts = [str(part) for part in tmp_path.glob("set-part-*")]
    assert len(parts) == 4
    assert main(["merge", *parts, "--out", str(out)]) == 0
    assert file_contents(out) == file_contents(whole)


@pytest.mark.filterwarnings("ignore")  # Beam's own
@pytest.mark.parametrize(
    "flags",
    [[], ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]],
    ids=["one worker", "two processes"],
)
def test_beam_writes_the_set_byte_for_byte(
    flags, capsys, source, whole, tmp_path, monkeypatch
):
    pytest.importorskip("apache_beam")
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "beam"
    assert images(capsys, *source, "--out", out.name, "--beam", *flags)[0] == 0
    assert file_contents(out) == file_contents(whole)


def test_an_image_that_cannot_be_read_is_refused(capsys, source, tmp_path):
    (tmp_path / "images" / "7.png").write_text("no image")
    results = [
        images(
            capsys, *source, "--out", tmp_path / "set", "--shard", i, "--num-shards", 2
        )
        for i in range(2)
    ]
    assert sorted(status for status, *_ in results) == [0, 1]
    error = next(error for status, _, error in results if status)
    assert error.startswith(f"error: {tmp_path / 'images' / '7.png'}: ")
    assert "write the set in one call" in error and error.count("\n") == 1
    assert len(list(tmp_path.glob("set-part-*"))) == 1


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (255, "every pixel of the masks is 255, to ignore"),
        (0, "the masks hold no label but 0, and 255 to ignore; expected 1 where"),
    ],
)
def test_masks_that_hold_no_object(label, message, capsys, source, tmp_path):
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as masks:
        for index in range(10):
            with masks.open(f"{index}.png", "w") as file:
                Image.new("L", (20, 18), label).save(file, "PNG")
    part = ["--out", tmp_path / "set", "--shard", 0, "--num-shards", 1]
    assert images(capsys, *source, *part)[0] == 0
    folder = tmp_path / "set-part-00000-of-00001"
    assert main(["merge", str(folder), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith(f"error: {message}")
