import numpy as np
import pytest
import scipy.io
from PIL import Image
from real_data import real_file
from tfrecords import read_records

from cirs_tf.data.manifest import Manifest
from cirs_tf.data.records import decode_segmentations
from cirs_tf.data.splits import load_split
from data_gen.__main__ import main

WHOLE = (321, 481)


def ramp(height, width):
    """Return an image whose red and green say row and column, halved."""
    rows, columns = np.indices((height, width)) // 2
    return np.stack([rows, columns, 0 * rows], -1).astype(np.uint8)


@pytest.fixture(scope="module")
def bsds(tmp_path_factory):
    """Return a folder laid out like BSDS500; region numbers follow the columns."""
    root = tmp_path_factory.mktemp("bsds") / "BSDS500" / "data"
    for split, name, size, annotators in (
        ("train", "1", WHOLE, 4),
        ("train", "2", WHOLE[::-1], 5),
        ("val", "3", WHOLE[::-1], 6),
    ):
        image = root / "images" / split / f"{name}.jpg"
        truth = root / "groundTruth" / split / f"{name}.mat"
        for path in (image, truth):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(ramp(*size)).save(image, quality=100, subsampling=0)
        cells = np.empty((1, annotators), object)
        for index in range(annotators):
            columns = np.indices(size)[1]
            cells[0, index] = {"Segmentation": (columns + 1 + index).astype(np.uint16)}
        scipy.io.savemat(truth, {"groundTruth": cells})
        # As published: what an algorithm found, under the same names.
        other = root.parent / "ucm2" / split / f"{name}.mat"
        other.parent.mkdir(parents=True, exist_ok=True)
        scipy.io.savemat(other, {"ucm2": np.zeros((3, 3))})
    return root.parent


def run(capsys, out, source, *arguments):
    status = main(["bsds", str(source), "--out", str(out), *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def segmentations(folder, split):
    manifest = Manifest.read(folder)
    return [
        decode_segmentations(record, manifest.height, manifest.width).numpy()
        for record in read_records(folder, split)
    ]


def test_whole_images_lie_with_their_segmentations(capsys, tmp_path, bsds):
    status, printed, error = run(capsys, tmp_path, bsds, "--whole")
    assert (status, error) == (0, "") and "2 train, 1 val images" in printed
    manifest = Manifest.read(tmp_path)
    assert (manifest.height, manifest.width) == WHOLE
    assert manifest.classes == ()
    assert not manifest.split("val").masks and manifest.split("val").segmentations
    assert not manifest.split("train").segmentations
    assert [len(maps) for maps in segmentations(tmp_path, "train")] == [0, 0]
    loaded = load_split(tmp_path, "val", with_masks=False)
    assert loaded.filenames == ("val/3.jpg",)
    (maps,) = segmentations(tmp_path, "val")
    assert maps.dtype == np.uint16 and len(maps) == 6
    # Rotated counterclockwise: the last column is the first row now.
    columns = np.arange(321)[::-1, None].repeat(481, 1)
    for index, regions in enumerate(maps):
        np.testing.assert_array_equal(regions, columns + 1 + index)
    green = loaded.images[0, ..., 1].astype(int)
    assert abs(green - columns // 2).max() <= 3  # JPEG


def test_patches_are_cut_alike_from_image_and_segmentations(capsys, tmp_path, bsds):
    arguments = ["--patch", 32, "--patches-per-image", 7, "--with-train-masks"]
    status, printed, _ = run(capsys, tmp_path, bsds, *arguments)
    assert status == 0 and "wrote 14 train, 5 val patches" in printed
    loaded = load_split(tmp_path, "train", with_masks=False)
    assert loaded.images.shape == (14, 32, 32, 3)
    # A patch of each image before the second of any.
    assert loaded.filenames[:3] == ("train/1-000", "train/2-000", "train/1-001")
    written = segmentations(tmp_path, "train")
    assert [len(maps) for maps in written[:4]] == [4, 5, 4, 5]
    for image, maps in zip(loaded.images, written, strict=True):
        columns = maps[0].astype(int) - 1
        assert (np.diff(columns, axis=1) == 1).all()
        assert abs(image[..., 1] - columns // 2.0).max() <= 3  # JPEG
    corners = {int(maps[0, 0, 0]) for maps in written}
    assert len(corners) > 7


def test_another_seed_cuts_elsewhere(capsys, tmp_path, bsds):
    small = ["--patch", 16, "--patches-per-image", 2]
    assert run(capsys, tmp_path / "a", bsds, *small)[0] == 0
    before = load_split(tmp_path / "a", "train", False).images
    assert "already holds" in run(capsys, tmp_path / "a", bsds, *small)[1]
    status, _, error = run(capsys, tmp_path / "a", bsds, *small, "--seed", 1)
    assert status == 1 and "seed is 0, asked for 1" in error
    assert run(capsys, tmp_path / "b", bsds, *small, "--seed", 1)[0] == 0
    after = load_split(tmp_path / "b", "train", False).images
    assert not (before == after).all()


def test_tfds_reads_several_segmentations(capsys, tmp_path, bsds):
    import tensorflow_datasets as tfds

    run(capsys, tmp_path, bsds, "--patch", 16, "--val-patches-per-image", 1)
    builder = tfds.builder_from_directory(tmp_path)
    (example,) = tfds.as_numpy(builder.as_dataset(split="val"))
    maps = example["image/segmentation/annotator/encoded"]
    (expected,) = segmentations(tmp_path, "val")
    assert maps.dtype == np.uint16
    np.testing.assert_array_equal(maps[..., 0], expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--patch", "8"], "patch: expected an integer >= 16"),
        (["--patch", "322"], "patch: expected at most 321"),
        (["--patches-per-image", "0"], "train_patches: expected an integer >= 1"),
    ],
)
def test_options_out_of_range(capsys, tmp_path, bsds, arguments, message):
    out = tmp_path / "out"
    status, _, error = run(capsys, out, bsds, *arguments)
    assert status == 1 and message in error and error.count("\n") == 1
    assert not out.exists()


def test_what_is_not_bsds_is_named(capsys, tmp_path):
    source, out = tmp_path / "source", tmp_path / "out"

    def error():
        status, _, error = run(capsys, out, source)
        assert status == 1 and error.count("\n") == 1 and not out.exists()
        return error

    assert f"{source}: not found" in error()
    image = source / "images" / "train" / "7.jpg"
    image.parent.mkdir(parents=True)
    assert "no images/train/*.jpg" in error()
    Image.fromarray(ramp(*WHOLE)).save(image)
    assert "no groundTruth/train/7.mat for images/train/7.jpg" in error()
    truth = source / "groundTruth" / "val" / "7.mat"
    truth.parent.mkdir(parents=True)
    truth.write_bytes(b"nothing")
    truth.parent.rename(source / "groundTruth" / "train")
    (source / "images" / "val").mkdir()
    Image.new("RGB", (100, 100)).save(image)
    assert f"{image}: expected 321 x 481 pixels, got 100 x 100" in error()
    Image.fromarray(ramp(*WHOLE)).save(source / "images" / "val" / "8.jpg")
    Image.fromarray(ramp(*WHOLE)).save(image)
    truth = source / "groundTruth" / "val" / "8.mat"
    truth.parent.mkdir()
    truth.write_bytes(b"nothing")
    assert f"{truth}: not a ground truth of BSDS500" in error()


@pytest.mark.realdata
def test_the_real_bsds500(capsys, tmp_path):
    out = tmp_path / "whole"
    assert run(capsys, out, real_file("bsds500-trainval.zip"), "--whole")[0] == 0
    manifest = Manifest.read(out)
    counts = {name: split.examples for name, split in manifest.splits.items()}
    assert counts == {"train": 200, "val": 100}
    written = segmentations(out, "val")
    assert {len(maps) for maps in written} <= set(range(4, 10))
    for maps in written:
        assert maps.shape[1:] == WHOLE and maps.min() >= 1
