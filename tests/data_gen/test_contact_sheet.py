import numpy as np
import pytest
from PIL import Image
from tfrecords import decode_png, features, read_records

from cirs_tf.data.manifest import Manifest
from cirs_tf.data.records import IMAGE, MASK, ImageClass
from data_gen.contact_sheet import class_colors, draw_contact_sheet
from data_gen.draw_dataset import draw
from data_gen.options import SceneOptions
from data_gen.write_records import Example, SplitWriter


def find(sheet, image):
    """Return the top left corners at which a sheet shows an image, pixel for pixel."""
    height, width = image.shape[:2]
    rows, columns = np.nonzero(
        (sheet[: 1 - height, : 1 - width] == image[0, 0]).all(-1)
    )
    return [
        (top, left)
        for top, left in zip(rows.tolist(), columns.tolist(), strict=True)
        if np.array_equal(sheet[top : top + height, left : left + width], image)
    ]


def test_the_sheet_shows_images_and_masks(small_set):
    sheet = np.asarray(Image.open(small_set / "contact_sheet.png"))
    for index in (0, 31):
        image = decode_png(features(read_records(small_set, "train")[index])[IMAGE])
        assert len(find(sheet, image.repeat(2, 0).repeat(2, 1))) == 1
    # 32 training images, then rows of 8 validation images, each above its mask.
    record = features(read_records(small_set, "val")[9])
    image, mask = decode_png(record[IMAGE]), class_colors(4)[decode_png(record[MASK])]
    ((top, left),) = find(sheet, image.repeat(2, 0).repeat(2, 1))
    ((below, column),) = find(sheet, mask.repeat(2, 0).repeat(2, 1))
    assert (below, column) == (top + 128 + 6, left)


@pytest.mark.parametrize("scene", ["tetrominoes", "dsprites"])
def test_the_legend_tells_all_classes_apart(scene, tmp_path):
    manifest = draw(SceneOptions(scene, train=20, val=16, test=0), tmp_path).manifest
    colors = class_colors(len(manifest.classes))
    assert len(np.unique(colors, axis=0)) == len(manifest.classes)
    # Below the images, each class has its square in the legend.
    sheet = np.asarray(Image.open(tmp_path / "contact_sheet.png"))
    legend = sheet[-90:].reshape(-1, 3)
    for color in colors:
        assert (legend == color).all(-1).sum() >= 15**2


def manifest_of(splits, size, classes=(), image_classes=()):
    return Manifest("mine", size, size, classes, {}, splits, image_classes)


def test_segmentations_are_shown_coarse_and_fine_in_mean_colors(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    coarse = np.zeros((16, 16), np.uint16)
    coarse[8:] = 1
    fine = np.arange(16)[:, None].repeat(16, 1).astype(np.uint16)
    middle = fine // 4
    example = Example(image, "a", segmentations=[middle, fine, coarse])
    writer = SplitWriter(tmp_path, tmp_path, 1)
    split = writer.write("val", iter([example]), 1, segmentations=True)
    sheet = np.asarray(draw_contact_sheet(tmp_path, manifest_of({"val": split}, 16)))
    corners = []
    for regions in (coarse, fine):
        means = image.copy()
        for number in np.unique(regions):
            means[regions == number] = np.rint(image[regions == number].mean(0))
        ((top, left),) = find(sheet, means.repeat(8, 0).repeat(8, 1))
        corners.append((top, left))
    ((top, left),) = find(sheet, image.repeat(8, 0).repeat(8, 1))
    assert corners == [(top + 134, left), (top + 268, left)]


def test_large_images_are_shrunk(tmp_path):
    image = np.zeros((512, 512, 3), np.uint8)
    image[:, 256:] = 200
    writer = SplitWriter(tmp_path, tmp_path, 1)
    split = writer.write("train", iter([Example(image, "a")]), 1)
    sheet = np.asarray(draw_contact_sheet(tmp_path, manifest_of({"train": split}, 512)))
    assert find(sheet, image[::2, ::2])


def test_the_class_of_an_image_stands_below_it(tmp_path):
    def sheet_of(name):
        example = Example(
            np.zeros((16, 16, 3), np.uint8), "a", image_class=ImageClass(0, name)
        )
        writer = SplitWriter(tmp_path, tmp_path, 1)
        split = writer.write("train", iter([example]), 1)
        manifest = manifest_of({"train": split}, 16, image_classes=(name,))
        return np.asarray(draw_contact_sheet(tmp_path, manifest))

    first, second = sheet_of("cat"), sheet_of("dog")
    rows = np.flatnonzero((first != second).any((1, 2)))
    ((top, _),) = find(first, np.zeros((128, 128, 3), np.uint8))
    assert top + 128 < rows.min() and rows.max() < top + 128 + 26
