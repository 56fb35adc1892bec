"""Images found among files and folders; masks and overlays written whole or not."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cirs_tf.errors import ConfigError, DataError, ImageError
from cirs_tf.serving.image_files import (
    OverlaySheet,
    check_apart,
    find_images,
    left_out,
    write_mask,
    write_overlay,
)
from cirs_tf.visualization import palette

LABELS = np.array([[0, 1, 2], [3, 255, 0]], np.uint8)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for name in (
        "a.png",
        "b.JPG",
        "notes.txt",
        "cats/a.jpg",
        ".hidden/c.png",
        ".d.png",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_images_of_a_folder_without_hidden_ones(photos):
    expected = {Path("a"): photos / "a.png", Path("b"): photos / "b.JPG"}
    assert find_images([photos]) == expected
    below = {Path("cats/a"): photos / "cats" / "a.jpg"}
    assert find_images([photos], recursive=True) == expected | below


def test_files_are_taken_whatever_they_are_called(photos):
    expected = {Path("notes"): photos / "notes.txt"}
    assert find_images([str(photos / "notes.txt")]) == expected


def test_the_same_file_twice_is_one_image(photos):
    assert find_images([photos / "a.png", photos / "a.png"]) == {
        Path("a"): photos / "a.png"
    }


def test_images_of_one_name_keep_what_tells_them_apart(photos):
    found = find_images([photos, photos / "cats"])
    assert found == {
        Path("a.png"): photos / "a.png",
        Path("b"): photos / "b.JPG",
        Path("a.jpg"): photos / "cats" / "a.jpg",
    }


def test_what_is_no_image_is_listed_but_what_is_hidden(photos):
    assert left_out([photos, photos / "a.png"], False) == [photos / "notes.txt"]
    (photos / "cats" / "b.heic").touch()
    deep = [photos / "cats" / "b.heic", photos / "notes.txt"]
    assert left_out([photos], True) == deep


@pytest.mark.parametrize(
    ("recursive", "message"),
    [
        (False, r"no images found; .*sub-folders are read with --recursive$"),
        (True, r"no images found; expected files ending in [^;]*$"),
    ],
)
def test_a_folder_without_images_is_refused(tmp_path, recursive, message):
    with pytest.raises(DataError, match=message):
        find_images([tmp_path], recursive)


def test_a_source_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such file or folder"):
        find_images([tmp_path / "nowhere"])


@pytest.mark.parametrize("recursive", [False, True])
def test_a_folder_that_cannot_be_read_is_named(photos, monkeypatch, recursive):
    scandir = os.scandir

    def guarded(path):
        if Path(path).name == "cats" or not recursive:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    folder = photos / "cats" if recursive else photos
    with pytest.raises(DataError, match=f"^{folder}: cannot be read: Permission den"):
        find_images([photos], recursive)


def test_masks_are_not_written_beside_images_given_one_by_one(tmp_path):
    """A user's own a.png would be replaced by the mask of a.jpg."""
    image = tmp_path / "a.jpg"
    found = {Path("a"): image}
    with pytest.raises(ConfigError, match="is where the images are"):
        check_apart(tmp_path, [image], found, False, [".png"])
    check_apart(tmp_path / "out", [image], found, False, [".png"])


def test_pixel_values_of_a_mask_are_its_segments(tmp_path):
    write_mask(LABELS, tmp_path / "mask.png")
    with Image.open(tmp_path / "mask.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), LABELS)
        colors = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(colors, palette(256)[LABELS])


def test_an_overlay_is_the_mean_of_image_and_colors(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (2, 3, 3), np.uint8)
    write_overlay(image, LABELS, tmp_path / "overlay.png")
    with Image.open(tmp_path / "overlay.png") as file:
        pixels = np.asarray(file)
    expected = (image.astype(float) + palette(256)[LABELS]) / 2
    np.testing.assert_allclose(pixels, expected, atol=0.5)  # rounded to 8 bits


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "mask.png"
    write_mask(LABELS, path)
    before = path.read_bytes()

    def save(self, file, format):
        Path(file).write_bytes(b"half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", save)
    with pytest.raises(ImageError, match=r"mask.png: cannot be written: No space left"):
        write_mask(LABELS.T.copy(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_sheet_shows_no_more_than_it_is_told(tmp_path):
    sheet = OverlaySheet(2)
    for gray in (40, 90, 200):
        sheet.add(np.full((10, 10, 3), gray, np.uint8), np.zeros((10, 10), np.uint8))
    sheet.write(tmp_path / "sheet.png")
    picture = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert picture.shape == (336, 336, 3)
    assert [int(picture[84, 84, 0]), int(picture[252, 84, 0])] == [40, 90]
