"""What is read as an image, and what is refused before it costs anything."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image, ImageOps, PngImagePlugin

from cirs_tf.data import image_files
from cirs_tf.data.image_files import FORMATS, SUFFIXES, open_image, read_image
from cirs_tf.errors import ImageError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def reason(path, **options):
    with pytest.raises(ImageError) as caught:
        read_image(path, **options)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and "\n" not in text
    return text.removeprefix(f"{path}: ")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_suffix_has_its_format(suffix, tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / f"a{suffix}")
    read = read_image(tmp_path / f"a{suffix}")
    assert read.shape == PIXELS.shape and read.dtype == np.uint8
    if suffix in (".png", ".bmp", ".tif", ".tiff"):
        np.testing.assert_array_equal(read, PIXELS)


def test_no_other_program_is_started(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(
        EpsImagePlugin, "Ghostscript", lambda *a, **k: started.append(a)
    )
    path = tmp_path / "innocent.png"
    Image.fromarray(PIXELS).save(path, format="EPS")
    assert reason(path) == "not an image; expected a readable image file"
    assert not started and "EPS" not in FORMATS


def png_header(width, height):
    """Return a PNG that says how large it is, and has next to no pixels."""

    def chunk(kind, content):
        code = zlib.crc32(kind + content)
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", code)
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [9_500, 12_000, 40_000])
def test_too_large_a_picture_is_never_decoded(side, tmp_path, monkeypatch):
    def decode(self):
        raise AssertionError("decoded")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load_prepare", decode)
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(side, side))
    # Pillow itself warns from 89 million pixels on and refuses twice that.
    assert reason(path, max_pixels=80_000_000).endswith("at most 80,000,000 in all")


def test_the_limit_is_a_number_of_pixels(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(PIXELS).save(path)
    np.testing.assert_array_equal(read_image(path, max_pixels=48), PIXELS)
    assert reason(path, max_pixels=47) == "8 x 6 pixels; expected at most 47 in all"


@pytest.mark.parametrize("error", [KeyError("x"), MemoryError(), TypeError("bad")])
def test_whatever_a_decoder_raises_is_an_error_of_its_file(error):
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG")
    with pytest.raises(ImageError, match="^a.png: .*expected a readable image file"):
        with open_image(file, "a.png"):
            raise error


def test_a_file_that_is_not_there(tmp_path):
    path = tmp_path / "none.png"
    assert reason(path) == "not found; expected a readable image file"


def test_damaged_files_of_every_format_are_one_line_or_an_image(tmp_path):
    rng = np.random.default_rng(1)
    for kind in FORMATS:
        file = io.BytesIO()
        Image.fromarray(PIXELS).save(file, kind)
        content = np.frombuffer(file.getvalue(), np.uint8)
        for number in range(60):
            damaged = content[: rng.integers(1, len(content) + 1)].copy()
            where = rng.integers(0, len(damaged), 4)
            damaged[where] = rng.integers(0, 256, 4)
            path = tmp_path / f"{number}.png"
            path.write_bytes(damaged.tobytes())
            try:
                assert read_image(path, max_pixels=10_000).ndim == 3
            except ImageError as error:
                assert str(error).startswith(str(path))


def test_floats_are_scaled_and_must_be_in_0_to_1(tmp_path):
    path = tmp_path / "a.tif"
    values = np.array([[0, 0.5, 1], [0.2, 0.25, 0.75]], np.float32)
    Image.fromarray(values).save(path)
    expected = [[0, 128, 255], [51, 64, 191]]  # 127.5, 63.75, 191.25
    np.testing.assert_array_equal(read_image(path)[..., 0], expected)
    Image.fromarray(300 * values).save(path)
    said = "floats from 0 to 300, not in [0, 1]; expected a readable image file"
    assert reason(path) == said


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_that_of_pillow_strip_by_strip(
    orientation, tmp_path, monkeypatch
):
    monkeypatch.setattr(image_files, "_STRIP_PIXELS", 17)  # two rows at a time
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), expected)
