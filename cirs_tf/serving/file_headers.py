"""Size, orientation and transparency of PNG and JPEG files, read in TensorFlow.

For use in graphs, where no Python runs. Bytes after the end of a file are read as 0;
nothing raises.
"""

from typing import NamedTuple

import tensorflow as tf

# Segments, chunks and bytes between them that are looked at, so that no file takes
# longer than about a second. Photographs have some ten, PNGs one for 8 to 64 kB each.
_MOST_PARTS = 5_000


class Header(NamedTuple):
    """What a file says before its pixels; scalar tensors.

    Attributes:
        height: In pixels, before the orientation is applied; int64.
        width: Likewise.
        orientation: EXIF's, int64 in [1, 8]; 1: as it is.
        has_alpha: Whether a PNG has transparent pixels, perhaps; bool.
        is_gray16: Whether a PNG has 16-bit gray pixels without alpha; bool.
    """

    height: tf.Tensor
    width: tf.Tensor
    orientation: tf.Tensor
    has_alpha: tf.Tensor
    is_gray16: tf.Tensor


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def jpeg_header(file: tf.Tensor) -> Header:
    """Read the markers of a JPEG file up to its pixels.

    Args:
        file: `[]` string.
    """
    height, width = tf.constant(0, tf.int64), tf.constant(0, tf.int64)
    orientation = tf.constant(0, tf.int64)
    position, marker = tf.constant(2, tf.int64), tf.constant(0, tf.int64)
    length = tf.cast(tf.strings.length(file), tf.int64)
    parts = tf.constant(0)
    while marker != 0xDA and position < length and parts < _MOST_PARTS:  # DA: a scan
        parts += 1
        first = _number(file, position, 1)
        marker = _number(file, position + 1, 1)
        if first != 0xFF or marker == 0xFF or marker == 0:
            position += 1  # junk, or a fill byte
            marker = tf.constant(0, tf.int64)
        elif marker == 0x01 or (marker >= 0xD0 and marker <= 0xD9):
            position += 2  # a marker without a segment
        else:
            size = _number(file, position + 2, 2)
            # C0 to CF are frames, but for tables (C4, CC) and an extension (C8).
            is_frame = marker >= 0xC0 and marker <= 0xCF
            if is_frame and marker != 0xC4 and marker != 0xC8 and marker != 0xCC:
                height = _number(file, position + 5, 2)
                width = _number(file, position + 7, 2)
            if marker == 0xE1 and orientation == 0:
                segment = _cut(file, position + 4, size - 2)
                if _cut(segment, 0, 6) == b"Exif\0\0":
                    exif = _cut(segment, 6, size - 8)
                    orientation = _exif_orientation(exif)
            position += 2 + size
    no = tf.constant(False)
    return Header(height, width, tf.maximum(orientation, 1), no, no)


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def png_header(file: tf.Tensor) -> Header:
    """Read the chunks of a PNG file.

    Args:
        file: `[]` string.
    """
    depth, color = _number(file, 24, 1), _number(file, 25, 1)
    has_alpha = color >= 4  # 4: gray and alpha; 6: color and alpha
    orientation = tf.constant(1, tf.int64)
    position, kind = tf.constant(8, tf.int64), tf.constant(b"")
    length = tf.cast(tf.strings.length(file), tf.int64)
    parts = tf.constant(0)
    while kind != b"IEND" and position + 8 <= length and parts < _MOST_PARTS:
        parts += 1
        size = _number(file, position, 4)
        kind = _cut(file, position + 4, 4)
        if kind == b"tRNS":
            has_alpha = tf.constant(True)
        if kind == b"eXIf":
            exif = _cut(file, position + 8, size)
            orientation = _exif_orientation(exif)
        position += 12 + size
    is_gray16 = tf.logical_and(depth == 16, color == 0)
    return Header(
        _number(file, 20, 4), _number(file, 16, 4), orientation, has_alpha, is_gray16
    )


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def other_header(file: tf.Tensor) -> Header:
    """Read the size of a GIF or BMP file.

    Args:
        file: `[]` string.
    """
    if _cut(file, 0, 1) == b"G":
        width, height = _number(file, 6, 2, "little"), _number(file, 8, 2, "little")
    else:
        width, height = _number(file, 18, 4, "little"), _number(file, 22, 4, "little")
        if height >= 2**31:  # negative: rows from the top
            height = 2**32 - height
    no = tf.constant(False)
    return Header(height, width, tf.constant(1, tf.int64), no, no)


def bmp_bits(file: tf.Tensor) -> tf.Tensor:
    """Return the bits per pixel of a BMP file.

    Args:
        file: `[]` string.
    """
    return _number(file, 28, 2, "little")


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def _exif_orientation(exif: tf.Tensor) -> tf.Tensor:
    """Return the orientation of EXIF data, 1 where they have none or are damaged."""
    is_big = _cut(exif, 0, 2) == b"MM"
    length = tf.cast(tf.strings.length(exif), tf.int64)

    def number(position: tf.Tensor, count: int) -> tf.Tensor:
        big, little = (_number(exif, position, count, end) for end in ("big", "little"))
        return tf.where(is_big, big, little)

    directory = number(tf.constant(4, tf.int64), 4)
    orientation = tf.constant(1, tf.int64)
    entries = tf.minimum(number(directory, 2), length // 12)
    for entry in tf.range(tf.minimum(entries, 200)):
        at = directory + 2 + 12 * entry
        if number(at, 2) == 0x0112:
            is_long = number(at + 2, 2) == 4
            orientation = tf.where(is_long, number(at + 8, 4), number(at + 8, 2))
    if orientation < 1 or orientation > 8:
        orientation = tf.constant(1, tf.int64)
    return orientation


def _cut(file: tf.Tensor, position: tf.Tensor | int, count: tf.Tensor | int):
    """Return up to `count` bytes from a position on."""
    length = tf.cast(tf.strings.length(file), tf.int64)
    start = tf.clip_by_value(tf.cast(position, tf.int64), 0, length)
    return tf.strings.substr(file, start, tf.maximum(tf.cast(count, tf.int64), 0))


def _number(
    file: tf.Tensor, position: tf.Tensor | int, count: int, order: str = "big"
) -> tf.Tensor:
    """Return the unsigned number in `count` bytes as int64."""
    found = tf.io.decode_raw(_cut(file, position, count), tf.uint8)
    found = tf.pad(tf.cast(found, tf.int64), [[0, count - tf.size(found)]])
    powers = [256**power for power in range(count)]
    if order == "big":
        powers.reverse()
    return tf.reduce_sum(tf.ensure_shape(found, [count]) * powers)
