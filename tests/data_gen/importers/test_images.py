import io
import json
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image
from tfrecords import features, file_contents, read_records

from cirs_tf.data.manifest import Manifest
from cirs_tf.data.splits import load_split
from data_gen.__main__ import main

SIZE = 16


@pytest.fixture
def images(tmp_path):
    """Return a folder of 20 PNGs of one gray each, ten in each of two classes."""
    folder = tmp_path / "images"
    for index in range(20):
        path = folder / ("cat", "dog")[index % 2] / f"{index:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (24, 20), (10 * index,) * 3).save(path)
    return folder


@pytest.fixture
def masks(tmp_path, images):
    """Return their masks: 0 above, 2 below, one pixel to ignore."""
    folder = tmp_path / "masks"
    for path in images.rglob("*.png"):
        labels = np.zeros((20, 24), np.uint8)
        labels[10:] = 2
        labels[0, 12] = 255
        image = Image.fromarray(labels)
        if path.stem < "10":  # indexed, the others gray
            image.putpalette(range(256))
        target = folder / path.relative_to(images)
        target.parent.mkdir(parents=True, exist_ok=True)
        image.save(target)
    return folder


def run(capsys, out, *arguments):
    common = ["images", "--out", out, "--size", SIZE, "--workers", 1]
    status = main([str(argument) for argument in (*common, *arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def fails(capsys, tmp_path, *arguments):
    out = tmp_path / "out"
    status, printed, error = run(capsys, out, *arguments)
    assert (status, printed) == (1, "")
    assert error.startswith("error: ") and error.count("\n") == 1
    assert not out.exists()
    return error


def names_by_split(folder):
    splits = Manifest.read(folder).splits
    return {name: load_split(folder, name, False).filenames for name in splits}


def test_every_image_is_in_one_split_with_its_pixels_and_class(
    capsys, tmp_path, images
):
    out = tmp_path / "out"
    status, printed, error = run(capsys, out, "--images", images, "--val", 0.2)
    assert (status, error) == (0, "")
    assert printed.startswith(f"wrote 14 train, 4 val, 2 test images to {out}: ")
    manifest = Manifest.read(out)
    assert manifest.classes == ()
    assert manifest.image_classes == ("cat", "dog")
    assert not any(split.masks for split in manifest.splits.values())
    names = [name for split in names_by_split(out).values() for name in split]
    expected = [path.relative_to(images).as_posix() for path in images.rglob("*.png")]
    assert sorted(names) == sorted(expected)
    for split in manifest.splits:
        loaded = load_split(out, split, with_masks=False)
        records = map(features, read_records(out, split))
        for pixels, record in zip(loaded.images, records, strict=True):
            name = record["image/filename"]
            index = int(name[-6:-4])
            assert (pixels == 10 * index).all()
            assert record["image/class/label"] == index % 2
            assert record["image/class/text"] == name[:3]


def test_only_other_files_or_options_are_another_set(capsys, tmp_path, images):
    out = tmp_path / "out"
    arguments = ["--images", images]
    assert run(capsys, out, *arguments)[0] == 0
    status, printed, _ = run(capsys, out, *arguments)
    assert status == 0 and "already holds this data set" in printed
    # Where the folder lies does not matter, what it holds does.
    moved = images.rename(tmp_path / "moved")
    assert "already holds" in run(capsys, out, "--images", moved)[1]
    status, _, error = run(capsys, out, "--images", moved, "--seed", 1)
    assert status == 1 and "seed is 0, asked for 1" in error
    Image.new("RGB", (24, 20), "red").save(moved / "cat" / "00.png")
    status, _, error = run(capsys, out, "--images", moved)
    assert status == 1 and "holds another data set (images is" in error
    assert run(capsys, out, "--images", moved, "--overwrite")[0] == 0


def test_bytes_depend_on_the_files_alone(capsys, tmp_path, images):
    archive = tmp_path / "images.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in images.rglob("*.png"):
            file.write(path, f"photos/2020/{path.relative_to(images)}")
        file.writestr("__MACOSX/photos/._00.png", b"no image")
    sources = {"folder": (images, 1), "zip": (archive, 3)}
    for name, (source, workers) in sources.items():
        arguments = ("--images", source, "--workers", workers)
        assert run(capsys, tmp_path / name, *arguments)[0] == 0
    assert file_contents(tmp_path / "folder") == file_contents(tmp_path / "zip")


def test_the_seed_decides_the_split_of_an_image(capsys, tmp_path, images):
    splits = []
    for seed in (0, 1):
        out = tmp_path / str(seed)
        assert run(capsys, out, "--images", images, "--seed", seed)[0] == 0
        splits.append(names_by_split(out))
    assert splits[0] != splits[1]


def test_masks_follow_their_images(capsys, tmp_path, images, masks):
    out = tmp_path / "out"
    assert run(capsys, out, "--images", images, "--masks", masks)[0] == 0
    manifest = Manifest.read(out)
    assert manifest.classes == ("class 0", "class 1", "class 2")
    masks_by_split = {name: split.masks for name, split in manifest.splits.items()}
    assert masks_by_split == {"train": False, "val": True, "test": True}
    for mask in load_split(out, "val", with_masks=True).masks:
        assert (mask[SIZE // 2 :] == 2).all()
        assert set(np.unique(mask[: SIZE // 2])) <= {0, 255}
    again = tmp_path / "again"
    arguments = ["--with-train-masks", "--classes", "sky,tree,sea"]
    run(capsys, again, "--images", images, "--masks", masks, *arguments)
    assert Manifest.read(again).split("train").masks
    assert Manifest.read(again).classes == ("sky", "tree", "sea")


def test_pixels_around_a_fitted_image_are_ignored(capsys, tmp_path, images, masks):
    out = tmp_path / "out"
    run(capsys, out, "--images", images, "--masks", masks, "--fit", "--size", "32x24")
    loaded = load_split(out, "val", with_masks=True)
    # 20 x 24 fits 32 x 24 with six rows above and below, unchanged.
    assert loaded.images.shape[1:] == (32, 24, 3)
    expected = np.full((32, 24), 255)
    expected[6:26] = 0
    expected[16:26] = 2
    expected[6, 12] = 255
    for image, mask in zip(loaded.images, loaded.masks, strict=True):
        np.testing.assert_array_equal(mask, expected)
        assert (image == image[0, 0]).all()


def test_an_explicit_test_set_takes_nothing_from_the_images(capsys, tmp_path, images):
    other = tmp_path / "other" / "bird" / "1.jpg"
    other.parent.mkdir(parents=True)
    Image.new("L", (9, 30), 200).save(other)
    out = tmp_path / "out"
    arguments = ["--images", images, "--test-images", tmp_path / "other"]
    assert run(capsys, out, *arguments)[0] == 0
    counts = {split: len(names) for split, names in names_by_split(out).items()}
    assert counts == {"train": 18, "val": 2, "test": 1}
    assert Manifest.read(out).image_classes == ("bird", "cat", "dog")


def test_every_kind_of_file_is_read_upright(capsys, tmp_path):
    folder = tmp_path / "kinds"
    folder.mkdir()
    Image.fromarray(np.full((8, 8), 51 * 257, np.uint16)).save(folder / "gray16.png")
    Image.new("RGBA", (8, 8), (51, 51, 51, 255)).save(folder / "rgba.png")
    Image.new("CMYK", (8, 8), (0, 0, 0, 204)).save(folder / "cmyk.JPEG")
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90 degrees
    left = Image.new("L", (32, 16), 51)
    left.paste(204, (0, 0, 16, 16))
    left.save(folder / "rotated.jpg", exif=exif)
    out = tmp_path / "out"
    arguments = ["--images", folder, "--val", 0, "--test", 0, "--fit"]
    assert run(capsys, out, *arguments)[0] == 0
    assert Manifest.read(out).image_classes == ()
    loaded = load_split(out, "train", False)
    images = dict(zip(loaded.filenames, loaded.images, strict=True))
    rotated = images.pop("rotated.jpg").astype(int)
    assert abs(rotated[:6] - 204).max() <= 3 and abs(rotated[-6:] - 51).max() <= 3
    assert len(images) == 3
    for pixels in images.values():
        assert abs(pixels.astype(int) - 51).max() <= 1  # JPEG rounds


def test_broken_files_are_listed_and_left_out(capsys, tmp_path, images):
    for index in range(18):
        path = images / ("cat", "dog")[index % 2] / f"{index:02d}.png"
        path.write_bytes(path.read_bytes()[:40] if index % 3 else b"no image")
    (images / "cat" / "notes.txt").write_text("not an image, not looked at")
    error = fails(capsys, tmp_path, "--images", images, "--strict")
    assert "expected a readable image file" in error
    out = tmp_path / "out"
    arguments = ["--images", images, "--val", 0.05, "--test", 0]
    status, printed, error = run(capsys, out, *arguments)
    assert status == 0
    assert "wrote 1 train, 1 val images" in printed
    assert "skipped 18 that cannot be read" in printed
    lines = error.splitlines()
    assert len(lines) == 18 and all(line.startswith("skipped: ") for line in lines)
    assert "cat/00.png: not an image" in error
    manifest = Manifest.read(out)
    shards = sorted(path.name for path in out.glob("*.tfrecord"))
    assert shards == ["train-00000-of-00001.tfrecord", "val-00000-of-00001.tfrecord"]
    assert [shard.file for shard in manifest.split("train").shards] == shards[:1]


def test_only_broken_files_are_an_error(capsys, tmp_path, images):
    for path in images.rglob("*.png"):
        path.write_bytes(b"")
    out = tmp_path / "out"
    status, _, error = run(capsys, out, "--images", images)
    last = error.splitlines()[-1]
    assert status == 1 and "error: " in last and "none is left for split" in last
    assert not out.exists()


@pytest.mark.parametrize("classes", [(), ("--classes", "ground,cell")])
def test_masks_of_0_and_255_are_no_background_and_objects(
    classes, capsys, tmp_path, images, masks
):
    for path in masks.rglob("*.png"):
        labels = np.asarray(Image.open(path))
        Image.fromarray(np.where(labels == 2, 255, 0).astype(np.uint8)).save(path)
    out = tmp_path / "set"
    whole = tmp_path / "whole"  # the labels of the other images are no excuse
    shutil.copytree(masks, whole)
    for path in whole.rglob("*.png"):
        Image.fromarray(np.ones_like(np.asarray(Image.open(path)))).save(path)
    arguments = ["--images", images, "--masks", whole, *classes]
    arguments += ["--test-images", images, "--test-masks", masks]
    status, _, error = run(capsys, out, *arguments)
    assert status == 1 and not out.exists()
    assert error == (
        f"error: {masks}: hold no label but 0, and 255 to ignore; expected 1 where "
        "objects are\n"
    )


def test_a_wrong_mask_is_named(capsys, tmp_path, images, masks):
    arguments = ["--images", images, "--masks", masks]
    error = fails(capsys, tmp_path, *arguments, "--classes", "a,b")
    assert "expected labels of 0 to 1, or 255 to ignore; got 2" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "nowhere"], "nowhere: not found; expected a folder or a .zip"),
        (["--images", __file__], "expected a folder or a .zip, but"),
        (["--size", "64by64"], "size: expected PIXELS or HEIGHTxWIDTH"),
        (["--size", "8"], "size: expected at least 16"),
        (["--val", "1"], "val: expected a fraction from 0 to below 1"),
        (["--val", "nan"], "val: expected a fraction"),
        (["--val", "0.5", "--test", "0.5"], "less than 1 together"),
        (["--classes", "a,b"], "classes: expected masks too"),
        (["--with-train-masks"], "with_train_masks: expected masks too"),
        (["--test-masks", "."], "test_masks: expected test_images too"),
        (["--test-images", ".", "--test", "0.1"], "test: expected no fraction"),
        (["--seed", "-1"], "seed: expected an integer >= 0"),
        (["--workers", "0"], "workers: expected an integer >= 1"),
    ],
)
def test_bad_input_is_one_line(capsys, tmp_path, images, arguments, message):
    assert message in fails(capsys, tmp_path, "--images", images, *arguments)


def test_a_folder_without_images_or_with_too_few(capsys, tmp_path):
    folder = tmp_path / "few"
    folder.mkdir()
    assert "no images found" in fails(capsys, tmp_path, "--images", folder)
    Image.new("RGB", (20, 20)).save(folder / "a.png")
    error = fails(capsys, tmp_path, "--images", folder)
    assert "1 image cannot be split into train, val, test" in error


def test_the_set_is_not_written_into_its_source(capsys, images):
    status, _, error = run(capsys, images / "out", "--images", images)
    assert status == 1 and "choose a folder outside it" in error
    assert not (images / "out").exists()


def test_tfds_reads_image_classes(capsys, tmp_path, images):
    import tensorflow_datasets as tfds

    out = tmp_path / "out"
    run(capsys, out, "--images", images)
    builder = tfds.builder_from_directory(out)
    examples = tfds.as_numpy(builder.as_dataset(split="train"))
    classes = {(e["image/class/label"], e["image/class/text"]) for e in examples}
    assert classes == {(0, b"cat"), (1, b"dog")}
    info = json.loads((out / "dataset_info.json").read_text())
    assert info["description"] == "Pictures."


def test_a_damaged_member_of_a_zip_is_left_out(capsys, tmp_path, images):
    archive = tmp_path / "images.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for index, path in enumerate(sorted(images.rglob("*.png"))):
            file.write(path, f"{index}.png")
    content = bytearray(archive.read_bytes())
    content[content.index(b"IDAT") + 6] ^= 1  # now its checksum is wrong
    archive.write_bytes(bytes(content))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as file:
        assert file.testzip() == "0.png"
    out = tmp_path / "out"
    status, printed, error = run(capsys, out, "--images", archive)
    assert status == 0 and "skipped 1 " in printed and "0.png: cannot be read" in error


def test_images_of_several_sizes_are_said_once(capsys, tmp_path, images):
    _, printed, _ = run(capsys, tmp_path / "one", "--images", images)
    assert "note:" not in printed
    Image.new("RGB", (90, 60)).save(images / "cat" / "large.png")
    arguments = (tmp_path / "two", "--images", images)
    _, printed, _ = run(capsys, *arguments)
    note, written = printed.splitlines()
    assert note.startswith(
        "note: the images have 2 sizes, 20 x 24 to 60 x 90 pixels; places in them do"
    )
    assert written.startswith("wrote ")
    _, printed, _ = run(capsys, *arguments)  # nothing is written again
    assert "note:" not in printed
