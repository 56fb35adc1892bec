from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cirs_tf.data.records import ImageClass
from cirs_tf.errors import DataError, ImageError
from data_gen.importers.image_source import ImageSource
from data_gen.importers.options import Frame, ImageOptions

OUT = Path("out")


@pytest.fixture
def images(tmp_path):
    """Return a folder of twelve PNGs of one gray each, in two classes."""
    for index in range(12):
        path = tmp_path / "images" / ("cat", "dog")[index % 2] / f"{index:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 16), (10 * index,) * 3).save(path)
    return tmp_path / "images"


@pytest.fixture
def masks(tmp_path, images):
    """Return a folder of their masks, whose label is the image's number."""
    for path in images.rglob("*.png"):
        mask = tmp_path / "masks" / path.relative_to(images)
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (20, 16), int(path.stem)).save(mask)
    return tmp_path / "masks"


def open_source(images, masks=None, **changes):
    options = ImageOptions(images, Frame(16, 16), masks=masks, **changes)
    return ImageSource(images, masks, options, OUT)


def refuse(error):
    raise AssertionError(f"left out: {error}")


@pytest.mark.parametrize("workers", [1, 3])
def test_examples_hold_image_mask_and_class(images, masks, workers):
    source = open_source(images, masks)
    assert source.has_masks and source.top_folders == {"cat", "dog"}
    source.image_classes = ("cat", "dog")
    examples = list(source.examples(workers, refuse))
    assert [example.filename for example in examples] == source.names
    for example in examples:
        index = int(example.filename[-6:-4])
        np.testing.assert_array_equal(example.image, np.full((16, 16, 3), 10 * index))
        np.testing.assert_array_equal(example.mask, np.full((16, 16), index))
        name = example.filename[:3]
        assert example.image_class == ImageClass(["cat", "dog"].index(name), name)
    assert source.num_labels == 12


def test_without_masks_and_classes_examples_have_neither(images):
    source = open_source(images)
    for example in source.examples(1, refuse):
        assert (example.mask, example.image_class) == (None, None)
    assert not source.has_masks and source.num_labels == 0


def test_the_seed_and_the_name_alone_decide_the_order(images):
    first, again, other = (open_source(images, seed=seed).names for seed in (0, 0, 1))
    assert first == again != other and sorted(first) == sorted(other)
    removed = first[5]
    (images / removed).unlink()
    assert open_source(images).names == [name for name in first if name != removed]


def test_an_image_in_no_folder_has_no_class(images):
    Image.new("RGB", (16, 16)).save(images / "stray.png")
    assert open_source(images).top_folders is None


def test_images_that_cannot_be_read_are_left_out_or_errors(images):
    (images / "cat" / "04.png").write_bytes(b"no image")
    unreadable = []
    examples = list(open_source(images).examples(2, unreadable.append))
    assert len(examples) == 11
    assert [str(error).split(": ")[0] for error in unreadable] == [
        str(images / "cat" / "04.png")
    ]
    with pytest.raises(ImageError, match="04.png: not an image"):
        list(open_source(images, strict=True).examples(2, unreadable.append))


def test_pixels_to_ignore_are_no_label(images, masks):
    for path in masks.rglob("*.png"):
        Image.new("L", (20, 16), 255).save(path)
    source = open_source(images, masks)
    assert len(list(source.examples(1, refuse))) == 12
    assert source.num_labels == 0


def test_digests_are_of_images_and_of_masks(images, masks):
    calls = []
    digests = open_source(images, masks).digests(2, lambda: calls.append(1))
    assert {name: digest["files"] for name, digest in digests.items()} == {
        "images": 12,
        "masks": 12,
    }
    assert len(calls) == 12
    assert set(open_source(images).digests(1, lambda: None)) == {"images"}


def test_a_missing_mask_is_noticed_before_anything_is_read(images, masks):
    (masks / "cat" / "04.png").unlink()
    with pytest.raises(DataError, match="no mask for cat/04.png"):
        open_source(images, masks)


def test_a_folder_without_images_is_an_error(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match="no images found; expected files ending in"):
        open_source(tmp_path)
