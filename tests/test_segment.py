import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from cirs_tf import export, segment
from cirs_tf.data.image_files import read_image
from cirs_tf.errors import ImageError
from cirs_tf.postprocessing.dense_crf import dense_crf
from cirs_tf.postprocessing.regions import merge_small_regions
from cirs_tf.serving import segment_files
from cirs_tf.serving.savedmodel import load_savedmodel
from cirs_tf.visualization import palette


@pytest.fixture(scope="module")
def model_dir(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("segment") / "model"
    assert export.main([str(finished), "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, size in (("a.png", (16, 16)), ("b.jpg", (97, 130))):
        pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    (folder / "notes.txt").write_text("not looked at")
    return folder


def opened(path):
    with Image.open(path) as file:
        file.load()
        return file


def read(path):
    return np.asarray(opened(path))


def test_masks_have_the_image_size_and_segment_indices(model_dir, images, tmp_path):
    out = tmp_path / "out"
    assert segment.main([str(model_dir), str(images), "--out", str(out)]) == 0
    names = ["a.png", "a_overlay.png", "b.png", "b_overlay.png"]
    assert sorted(path.name for path in out.iterdir()) == names
    for name, source in (("a.png", "a.png"), ("b.png", "b.jpg")):
        mask = opened(out / name)
        pixels = read(images / source)
        assert mask.mode == "P"
        expected = load_savedmodel(model_dir).predict(pixels)
        np.testing.assert_array_equal(np.asarray(mask), expected)
        colors = np.asarray(mask.convert("RGB"))
        np.testing.assert_array_equal(colors, palette(4)[expected])
        overlay = read(out / name.replace(".", "_overlay."))
        half = (pixels.astype(float) + colors) / 2
        np.testing.assert_allclose(overlay, half, atol=0.5)  # rounded to 8 bits


def test_a_sheet_shows_images_beside_their_overlays(model_dir, images, tmp_path):
    out, sheet = tmp_path / "out", tmp_path / "sheets" / "overview.png"
    argv = [str(model_dir), str(images), "--out", str(out), "--sheet", str(sheet)]
    assert segment.main(argv) == 0
    picture = read(sheet)
    assert picture.shape == (2 * 168, 336, 3)  # two tiles of 160 pixels, margins of 4
    for row, name in enumerate(("a.png", "b.jpg")):
        top = 4 + 168 * row
        for left, file in (
            (4, images / name),
            (168, out / f"{name[0]}_overlay.png"),
        ):
            shown = picture[top : top + 160, left : left + 160]
            expected = ImageOps.pad(opened(file), (160, 160), color="white")
            # Means: it is enlarged before or after it is blended.
            np.testing.assert_allclose(
                shown.mean((0, 1)), np.asarray(expected).mean((0, 1)), atol=1.5
            )
    assert not np.array_equal(picture[4:164, 4:164], picture[4:164, 168:328])


def test_a_sheet_is_not_written_over_images_or_masks(
    model_dir, images, tmp_path, capsys
):
    out = tmp_path / "out"
    before = (images / "a.png").read_bytes()
    (tmp_path / "images.png").mkdir()
    argv = [str(model_dir), str(images), "--out", str(out), "--sheet"]
    for sheet, message in (
        (images / "a.png", "is an image, mask or folder"),
        (out / "b_overlay.png", "is an image, mask or folder"),
        (images / "sheet.png", "lies among the images; choose another"),
        (tmp_path / "images.png", "is an image, mask or folder"),
        (out / "sheet.jpg", "expected a name that ends in .png"),
    ):
        assert segment.main([*argv, str(sheet)]) == 1
        assert capsys.readouterr().err == f"error: --sheet {sheet}: {message}\n"
    assert (images / "a.png").read_bytes() == before
    assert not out.exists()


def test_a_file_that_is_no_image_does_not_stop_the_others(
    capsys, model_dir, images, tmp_path
):
    (images / "aa.png").write_bytes(b"no image at all")
    out = tmp_path / "out"
    assert segment.main([str(model_dir), str(images), "--out", str(out)]) == 1
    captured = capsys.readouterr()
    line = f"error: {images / 'aa.png'}: not an image; expected a readable image file"
    assert captured.err.splitlines()[1:] == [line]  # after what is left out
    assert "2 of 3 images" in captured.out
    assert (out / "b.png").exists()
    assert not (out / "aa.png").exists()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["MODEL", "nowhere.png"], "nowhere.png: no such file or folder"),
        (["nowhere", "IMAGES"], "nowhere: no SavedModel"),
        (["MODEL", "EMPTY"], "no images found"),
    ],
)
def test_bad_input_is_one_line(capsys, model_dir, images, tmp_path, argv, message):
    (tmp_path / "empty").mkdir()
    places = {"MODEL": model_dir, "IMAGES": images, "EMPTY": tmp_path / "empty"}
    argv = [str(places.get(word, word)) for word in argv]
    assert segment.main([*argv, "--out", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error


def test_sub_folders_are_read_if_asked_and_keep_their_names(
    capsys, model_dir, images, tmp_path
):
    (images / "cats" / "tabby").mkdir(parents=True)
    (images / "cats" / "tabby" / "a.jpg").write_bytes((images / "b.jpg").read_bytes())
    (images / ".thumbnails").mkdir()
    (images / ".thumbnails" / "c.png").write_bytes((images / "a.png").read_bytes())
    plain, deep = tmp_path / "plain", tmp_path / "deep"
    argv = [str(model_dir), str(images), "--out"]
    assert segment.main([*argv, str(plain)]) == 0
    assert segment.main([*argv, str(deep), "--recursive"]) == 0
    names = {"a.png", "a_overlay.png", "b.png", "b_overlay.png"}
    assert files_below(plain) == names
    below = {"cats/tabby/a.png", "cats/tabby/a_overlay.png"}
    assert files_below(deep) == names | below
    np.testing.assert_array_equal(read(deep / "cats/tabby/a.png"), read(deep / "b.png"))
    argv[1] = str(images / "cats")
    assert segment.main([*argv, str(plain)]) == 1
    assert "sub-folders are read with --recursive" in capsys.readouterr().err


def files_below(folder):
    paths = folder.rglob("*")
    return {str(path.relative_to(folder)) for path in paths if path.is_file()}


@pytest.mark.parametrize(
    ("out", "more", "message"),
    [
        (".", [], "a.png is one of the images; choose another folder"),
        ("masks", ["--recursive"], "choose a folder outside it"),
    ],
)
def test_images_are_not_written_over_nor_masks_read(
    capsys, model_dir, images, out, more, message
):
    before = (images / "a.png").read_bytes()
    argv = [str(model_dir), str(images), "--out", str(images / out), *more]
    assert segment.main(argv) == 1
    assert message in capsys.readouterr().err
    assert (images / "a.png").read_bytes() == before
    assert files_below(images) == {"a.png", "b.jpg", "notes.txt"}


def test_images_of_one_name_are_all_written(model_dir, images, tmp_path):
    pixels = read(images / "b.jpg")
    for name in ("a.gif", "b_overlay.png"):
        Image.fromarray(pixels[:20, :30]).save(images / name)
    out = tmp_path / "out"
    assert segment.main([str(model_dir), str(images), "--out", str(out)]) == 0
    stems = ("a.gif", "a.png", "b.jpg", "b_overlay.png")
    expected = {f"{stem}{ending}.png" for stem in stems for ending in ("", "_overlay")}
    assert files_below(out) == expected
    assert read(out / "b.jpg.png").shape == (97, 130)
    assert read(out / "b_overlay.png.png").shape == (20, 30)


def test_files_of_a_folder_that_are_left_out_are_named(
    model_dir, images, tmp_path, capsys
):
    argv = [str(model_dir), str(images), "--out", str(tmp_path / "out")]
    assert segment.main(argv) == 0
    line = capsys.readouterr().err.splitlines()[0]
    assert line.startswith(f"left out: {images / 'notes.txt'}; of a folder, files end")
    for number in range(7):
        (images / f"{number}.heic").touch()
    assert segment.main(argv) == 0
    line = capsys.readouterr().err.splitlines()[0]
    assert line.count(".heic") == 5 and "4.heic and 3 more; of a folder" in line


def test_images_are_segmented_at_the_scale_of_training_unless_asked(
    model_dir, images, tmp_path
):
    out = tmp_path / "out"
    argv = [str(model_dir), str(images / "b.jpg"), "--out", str(out)]
    segmenter, pixels = load_savedmodel(model_dir), read(images / "b.jpg")
    scaled = Image.fromarray(pixels).resize((21, 16), Image.Resampling.BICUBIC)
    small = segmenter.predict(np.asarray(scaled), probabilities=True, native=True)[1]
    enlarged = tf.image.resize(small, (97, 130)).numpy()
    assert segment.main(argv) == 0
    found = read(out / "b.png")
    # Pillow rounds twice on its way to 16 x 21 pixels.
    assert np.mean(found == enlarged.argmax(-1)) > 0.98
    assert segment.main([*argv, "--native"]) == 0
    native = read(out / "b.png")
    np.testing.assert_array_equal(native, segmenter.predict(pixels, native=True))
    assert not np.array_equal(native, found)
    assert segment.main([*argv, "--tile", "32", "--overlap", "32"]) == 0
    np.testing.assert_array_equal(read(out / "b.png"), native)


def test_a_tile_of_another_side_is_one_line(model_dir, images, tmp_path, capsys):
    argv = [str(model_dir), str(images), "--out", str(tmp_path / "out")]
    assert segment.main([*argv, "--tile", "100"]) == 1
    error = "error: tile: expected a multiple of 32, at least 32, got 100\n"
    assert capsys.readouterr().err == error
    assert not (tmp_path / "out").exists()


def test_probabilities_are_written_on_request(model_dir, images, tmp_path):
    out = tmp_path / "out"
    argv = [str(model_dir), str(images), "--out", str(out), "--probabilities"]
    assert segment.main(argv) == 0
    with np.load(out / "b_probabilities.npz") as file:
        written = file["probabilities"]
    assert (written.shape, written.dtype) == ((97, 130, 4), np.float16)
    segmenter = load_savedmodel(model_dir)
    _, expected = segmenter.predict(images / "b.jpg", probabilities=True)
    np.testing.assert_allclose(written, expected, atol=5e-4)  # of 11 bits


def test_every_kind_of_image_becomes_8_bit_rgb(tmp_path):
    gray16 = np.array([[0, 257, 65535]], np.uint16)
    Image.fromarray(gray16).save(tmp_path / "gray16.png")
    assert read_image(tmp_path / "gray16.png").tolist() == [
        [[0] * 3, [1] * 3, [255] * 3]
    ]

    rgba = np.array([[[255, 100, 0, 255], [255, 100, 0, 0]]], np.uint8)
    Image.fromarray(rgba).save(tmp_path / "rgba.png")
    assert read_image(tmp_path / "rgba.png").tolist() == [[[255, 100, 0], [0, 0, 0]]]

    Image.new("CMYK", (2, 1), (0, 0, 0, 0)).save(tmp_path / "cmyk.jpg")
    assert read_image(tmp_path / "cmyk.jpg").tolist() == [[[255] * 3] * 2]

    turned = Image.new("RGB", (4, 2))
    exif = turned.getexif()
    exif[0x0112] = 6  # "rotate by 90 degrees to view"
    turned.save(tmp_path / "turned.jpg", exif=exif)
    assert read_image(tmp_path / "turned.jpg").shape == (4, 2, 3)


def test_a_truncated_image_is_named(tmp_path):
    path = tmp_path / "cut.png"
    Image.fromarray(np.zeros((50, 50, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ImageError, match="cut.png"):
        read_image(path)


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_a_summary_has_the_shares_of_every_image(model_dir, images, tmp_path, suffix):
    (images / "c.png").write_bytes(b"no image")
    out, file = tmp_path / "out", tmp_path / "deep" / f"shares{suffix}"
    argv = [str(model_dir), str(images), "--out", str(out), "--summary", str(file)]
    assert segment.main(argv) == 1  # one file is no image
    if suffix == ".json":
        rows = json.loads(file.read_text())
        shares = [row.get("segment_share") for row in rows]
    else:
        with file.open(newline="") as opened:
            rows = list(csv.DictReader(opened))
        shares = [[float(row[f"share_{k}"]) for k in range(4)] for row in rows[:2]]
    assert [Path(row["image"]).name for row in rows] == ["a.png", "b.jpg", "c.png"]
    assert "not an image" in rows[2]["error"]
    assert (int(rows[1]["width"]), int(rows[1]["height"])) == (130, 97)
    for name, share in zip("ab", shares, strict=False):
        mask = read(out / f"{name}.png")
        np.testing.assert_allclose(share, [(mask == k).mean() for k in range(4)])


def test_a_summary_of_another_kind_is_refused(model_dir, images, tmp_path, capsys):
    argv = [str(model_dir), str(images), "--out", str(tmp_path / "out")]
    assert segment.main([*argv, "--summary", "shares.txt"]) == 1
    error = "--summary shares.txt: expected a name that ends in .json or .csv"
    assert capsys.readouterr().err == f"error: {error}\n"


def test_segments_are_postprocessed_as_evaluate_does(model_dir, images, tmp_path):
    out = tmp_path / "out"
    argv = [str(model_dir), str(images), "--out", str(out)]
    assert segment.main([*argv, "--min-region-size", "40"]) == 0
    image = read(images / "b.jpg")
    labels, shares = load_savedmodel(model_dir).predict(image, probabilities=True)
    merged = merge_small_regions(labels, 40)
    assert not np.array_equal(merged, labels)
    np.testing.assert_array_equal(read(out / "b.png"), merged)
    pytest.importorskip("pydensecrf.densecrf", reason="the extra crf")
    assert segment.main([*argv, "--crf"]) == 0
    expected = dense_crf(image, shares).argmax(axis=-1)
    np.testing.assert_array_equal(read(out / "b.png"), expected)


def test_a_crf_that_is_not_installed_is_asked_for_first(
    model_dir, images, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "pydensecrf.densecrf", None)
    out = tmp_path / "out"
    argv = [str(model_dir), str(images), "--out", str(out), "--crf"]
    assert segment.main(argv) == 1
    assert "pip install 'cirs-tf[crf]'" in capsys.readouterr().err
    assert not out.exists()


def test_the_summary_of_what_was_done_is_kept(
    model_dir, images, tmp_path, monkeypatch, capsys
):
    write = segment_files.write_mask

    def disk_full(labels, path):
        if path.name == "b.png":
            raise ImageError(f"{path}: cannot be written: No space left on device")
        write(labels, path)

    monkeypatch.setattr(segment_files, "write_mask", disk_full)
    out, summary, sheet = tmp_path / "out", tmp_path / "s.json", tmp_path / "s.png"
    argv = [str(model_dir), str(images), "--out", str(out), "--summary", str(summary)]
    assert segment.main([*argv, "--sheet", str(sheet)]) == 1
    assert "b.png: cannot be written: No space" in capsys.readouterr().err
    assert [row["image"] for row in json.loads(summary.read_text())] == [
        str(images / "a.png")
    ]
    assert sheet.is_file()
