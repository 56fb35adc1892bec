"""Files decoded in graphs, held to Pillow."""

import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from cirs_tf.data.image_files import decode_image
from cirs_tf.serving.file_decoding import decode_file

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (37, 53, 3), dtype=np.uint8)
RGB = Image.fromarray(NOISE)
RGBA = Image.fromarray(RNG.integers(0, 256, (37, 53, 4), dtype=np.uint8))
GRAY16 = Image.fromarray(RNG.integers(0, 65_536, (37, 53)).astype(np.uint16))
DAMAGED = "damaged; expected a readable image file"
UNKNOWN = "not an image; expected a PNG, JPEG, GIF or 24-bit BMP file"


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def oriented(kind, orientation, endian="<", comment=b""):
    exif = Image.Exif()
    exif.endian = endian
    exif[0x010E] = "a description before it"
    exif[0x0112] = orientation
    options = {"comment": comment} if comment else {}
    return encoded(RGB, kind, exif=exif, **options)


def top_down(bmp):
    """Return a BMP whose rows begin at the top, which its negative height says."""
    width, height = struct.unpack("<2i", bmp[18:26])
    row = (3 * width + 3) // 4 * 4
    rows = [bmp[54 + row * i : 54 + row * (i + 1)] for i in reversed(range(height))]
    return bmp[:22] + struct.pack("<i", -height) + bmp[26:54] + b"".join(rows)


FILES = {
    "PNG": encoded(RGB, "PNG"),
    "gray PNG": encoded(RGB.convert("L"), "PNG"),
    "1-bit PNG": encoded(RGB.convert("1"), "PNG"),
    "16-bit gray PNG": encoded(GRAY16, "PNG"),
    "palette PNG": encoded(RGB.convert("P"), "PNG"),
    "transparent PNG": encoded(RGBA, "PNG"),
    "transparent gray PNG": encoded(RGBA.convert("LA"), "PNG"),
    "transparent color": encoded(RGB.convert("P"), "PNG", transparency=3),
    "transparent colors": encoded(
        RGB.convert("P"), "PNG", transparency=bytes(range(256))
    ),
    "transparent gray level": encoded(RGB.convert("L"), "PNG", transparency=100),
    "JPEG": encoded(RGB, "JPEG"),
    "JPEG, 4:4:4": encoded(RGB, "JPEG", subsampling=0),
    "JPEG, 4:2:2": encoded(RGB, "JPEG", subsampling=1),
    "progressive JPEG": encoded(RGB, "JPEG", progressive=True),
    "gray JPEG": encoded(RGB.convert("L"), "JPEG"),
    "CMYK JPEG": encoded(RGB.convert("CMYK"), "JPEG"),
    "GIF": encoded(RGB, "GIF"),
    "transparent GIF": encoded(RGB.convert("P"), "GIF", transparency=3),
    "BMP": encoded(RGB, "BMP"),
    "BMP, rows from the top": top_down(encoded(RGB, "BMP")),
    "comment first": oriented("JPEG", 6, comment=b"\xff\xe1 is no marker here"),
    **{
        f"{kind}, orientation {orientation} {endian}": oriented(
            kind, orientation, endian
        )
        for kind in ("JPEG", "PNG")
        for endian in "<>"
        for orientation in range(10)  # 0 and 9 are none
    },
}


def decoded(content, max_pixels=10_000):
    image, error = decode_file(tf.constant(content), max_pixels)
    return image.numpy(), error.numpy().decode()


@pytest.mark.parametrize("name", FILES)
def test_pixels_are_those_of_pillow(name):
    image, error = decoded(FILES[name])
    expected = decode_image(io.BytesIO(FILES[name]), name)
    assert error == ""
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", UNKNOWN),
        (b"no image", UNKNOWN),
        (encoded(RGB, "WEBP"), UNKNOWN),
        (encoded(RGB.convert("P"), "BMP"), UNKNOWN),
        (FILES["PNG"][:20], DAMAGED),
        (FILES["PNG"][:2000], DAMAGED),
        (FILES["PNG"][:900] + b"other data" + FILES["PNG"][910:], DAMAGED),
        (FILES["JPEG"][:2], DAMAGED),
        (FILES["JPEG"][:1000], DAMAGED),
        (FILES["GIF"][:100], DAMAGED),
        (FILES["BMP"][:100], DAMAGED),
    ],
)
def test_what_cannot_be_decoded_is_one_line(content, message):
    image, error = decoded(content)
    assert error == message
    assert image.shape == (0, 0, 3)


@pytest.mark.parametrize("name", ["PNG", "JPEG", "GIF", "BMP"])
def test_larger_files_are_refused_by_their_header(name):
    limit = 37 * 53
    assert decoded(FILES[name], limit)[1] == ""
    # Of what follows the header nothing is there to decode.
    cut = FILES[name][: 700 if name == "JPEG" else 40]
    _, error = decoded(cut, limit - 1)
    assert error == "53 x 37 pixels; expected at most 1960 in all"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_damaged_orientation_leaves_the_image_as_it_is(kind):
    content = bytearray(oriented(kind, 6))
    at = content.index(b"II*\0")
    content[at + 4 : at + 8] = b"\xff\xff\xff\x7f"  # where the directory would be
    if kind == "PNG":  # whose chunk has a checksum
        import struct
        import zlib

        size = struct.unpack(">I", content[at - 8 : at - 4])[0]
        code = zlib.crc32(content[at - 4 : at + size])
        content[at + size : at + size + 4] = struct.pack(">I", code)
    image, error = decoded(bytes(content))
    assert (error, image.shape) == ("", NOISE.shape)


@pytest.mark.parametrize("marker", [b"\xff\x01", b"\xff\xd0", b"\xff\xff", b"\0\0"])
def test_no_marker_hides_the_size_of_a_jpeg(marker):
    pixels = np.zeros((37, 53, 3), np.uint8)
    file = encoded(Image.fromarray(pixels), "JPEG")
    image, error = decoded(file[:2] + marker + file[2:], 100)
    assert error == "53 x 37 pixels; expected at most 100 in all"
    assert image.size == 0


def test_a_jpeg_whose_size_is_not_found_is_never_decoded():
    file = encoded(Image.fromarray(np.zeros((37, 53, 3), np.uint8)), "JPEG")
    for junk in (b"\0" * 20_000, b"\xff\xd0" * 6_000):
        image, error = decoded(file[:2] + junk + file[2:], 100)
        assert "damaged" in error and image.size == 0
