import numpy as np
import pytest
from PIL import Image

from cirs_tf.errors import DataError
from data_gen.importers.masks import MaskFiles
from data_gen.importers.sources import FileSource

LABELS = np.array([[0, 1, 2], [2, 1, 255]], np.uint8)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cat").mkdir()
    return tmp_path


def save(folder, image):
    image.save(folder / "cat" / "1.png")
    return MaskFiles(FileSource(folder), None)


def test_a_mask_has_the_name_of_its_image_but_png(folder):
    masks = save(folder, Image.fromarray(LABELS))
    assert masks.name_of("cat/1.jpeg") == masks.name_of("cat/1.png") == "cat/1.png"
    with pytest.raises(DataError, match="no mask for dog/1.jpg; expected dog/1.png"):
        masks.name_of("dog/1.jpg")


@pytest.mark.parametrize("indexed", [False, True])
def test_gray_and_indexed_masks_hold_labels(folder, indexed):
    image = Image.fromarray(LABELS)
    if indexed:
        image.putpalette(range(255, -1, -1))
    mask = save(folder, image).read("cat/1.jpg", 2, 3)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, LABELS)


def save_wide(path):
    Image.new("L", (4, 2)).save(path)


def save_color(path):
    Image.new("RGB", (3, 2)).save(path)


def save_text(path):
    path.write_bytes(b"x")


@pytest.mark.parametrize(
    ("save_as", "message"),
    [
        (save_wide, "is 4 wide and 2 high, its image 3 and 2"),
        (save_color, "expected an indexed or gray PNG, got RGB"),
        (save_text, "not a readable mask"),
    ],
)
def test_a_wrong_mask_is_named(folder, save_as, message):
    path = folder / "cat" / "1.png"
    save_as(path)
    with pytest.raises(DataError, match=f"{path}: {message}"):
        MaskFiles(FileSource(folder), None).read("cat/1.jpg", 2, 3)


def test_labels_must_have_a_class_or_be_ignored(folder):
    source = FileSource(save(folder, Image.fromarray(LABELS)).source.path)
    np.testing.assert_array_equal(MaskFiles(source, 3).read("cat/1.png", 2, 3), LABELS)
    with pytest.raises(DataError, match="labels of 0 to 1, or 255 to ignore; got 2"):
        MaskFiles(source, 2).read("cat/1.png", 2, 3)
