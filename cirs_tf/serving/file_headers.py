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


@tf.function(autograph=False, input_signature=[tf.TensorSpec([], tf.string)])
def jpeg_header(file: tf.Tensor) -> Header:
    """Read the markers of a JPEG file up to its pixels.

    Args:
        file: `[]` string.
    """
    length = tf.cast(tf.strings.length(file), tf.int64)
    zero = tf.constant(0, tf.int64)

    def goes_on(parts, position, marker, *_):
        return (marker != 0xDA) & (position < length) & (parts < _MOST_PARTS)  # a scan

    def next_part(parts, position, marker, height, width, orientation):
        first = _number(file, position, 1)
        marker = _number(file, position + 1, 1)
        size = _number(file, position + 2, 2)
        is_junk = (first != 0xFF) | (marker == 0xFF) | (marker == 0)  # or a fill byte
        # Markers without a segment.
        is_bare = (marker == 0x01) | ((marker >= 0xD0) & (marker <= 0xD9))
        has_segment = ~(is_junk | is_bare)
        # C0 to CF are frames, but for tables (C4, CC) and an extension (C8).
        is_frame = has_segment & (marker >= 0xC0) & (marker <= 0xCF)
        is_frame &= (marker != 0xC4) & (marker != 0xC8) & (marker != 0xCC)
        height = tf.where(is_frame, _number(file, position + 5, 2), height)
        width = tf.where(is_frame, _number(file, position + 7, 2), width)
        start = _cut(file, position + 4, tf.minimum(size - 2, 6))
        is_exif = has_segment & (marker == 0xE1) & (start == b"Exif\0\0")
        orientation = tf.cond(
            is_exif & (orientation == 0),
            lambda: _exif_orientation(_cut(file, position + 10, size - 8)),
            lambda: orientation,
        )
        step = tf.where(is_bare, zero + 2, 2 + size)
        position += tf.where(is_junk, zero + 1, step)
        return (
            parts + 1,
            position,
            tf.where(is_junk, zero, marker),
            height,
            width,
            (orientation),
        )

    _, _, _, height, width, orientation = tf.while_loop(
        goes_on, next_part, (0, zero + 2, zero, zero, zero, zero)
    )
    no = tf.constant(False)
    return Header(height, width, tf.maximum(orientation, 1), no, no)


@tf.function(autograph=False, input_signature=[tf.TensorSpec([], tf.string)])
def png_header(file: tf.Tensor) -> Header:
    """Read the chunks of a PNG file.

    Args:
        file: `[]` string.
    """
    depth, color = _number(file, 24, 1), _number(file, 25, 1)
    length = tf.cast(tf.strings.length(file), tf.int64)

    def goes_on(parts, position, kind, *_):
        is_inside = (position + 8 <= length) & (parts < _MOST_PARTS)
        return is_inside & (kind != b"IEND")

    def next_part(parts, position, kind, has_alpha, orientation):
        size = _number(file, position, 4)
        kind = _cut(file, position + 4, 4)
        orientation = tf.cond(
            kind == b"eXIf",
            lambda: _exif_orientation(_cut(file, position + 8, size)),
            lambda: orientation,
        )
        has_alpha |= kind == b"tRNS"
        return parts + 1, position + 12 + size, kind, has_alpha, orientation

    one = tf.constant(1, tf.int64)
    start = (0, 8 * one, tf.constant(b""), color >= 4, one)  # 4 gray, 6 RGB with alpha
    *_, has_alpha, orientation = tf.while_loop(goes_on, next_part, start)
    is_gray16 = tf.logical_and(depth == 16, color == 0)
    return Header(
        _number(file, 20, 4), _number(file, 16, 4), orientation, has_alpha, is_gray16
    )


@tf.function(autograph=False, input_signature=[tf.TensorSpec([], tf.string)])
def other_header(file: tf.Tensor) -> Header:
    """Read the size of a GIF or BMP file.

    Args:
        file: `[]` string.
    """
    is_gif = _cut(file, 0, 1) == b"G"
    width, height = (
        tf.where(
            is_gif,
            _number(file, in_gif, 2, "little"),
            _number(file, in_bmp, 4, "little"),
        )
        for in_gif, in_bmp in ((6, 18), (8, 22))
    )
    # Of a BMP, negative: rows from the top.
    height = tf.where(height >= 2**31, 2**32 - height, height)
    no = tf.constant(False)
    return Header(height, width, tf.constant(1, tf.int64), no, no)


def bmp_bits(file: tf.Tensor) -> tf.Tensor:
    """Return the bits per pixel of a BMP file.

    Args:
        file: `[]` string.
    """
    return _number(file, 28, 2, "little")


@tf.function(autograph=False, input_signature=[tf.TensorSpec([], tf.string)])
def _exif_orientation(exif: tf.Tensor) -> tf.Tensor:
    """Return the orientation of EXIF data, 1 where they have none or are damaged."""
    is_big = _cut(exif, 0, 2) == b"MM"
    length = tf.cast(tf.strings.length(exif), tf.int64)

    def number(position: tf.Tensor, count: int) -> tf.Tensor:
        big, little = (_number(exif, position, count, end) for end in ("big", "little"))
        return tf.where(is_big, big, little)

    directory = number(tf.constant(4, tf.int64), 4)
    entries = tf.minimum(tf.minimum(number(directory, 2), length // 12), 200)

    def next_entry(entry, orientation):
        at = directory + 2 + 12 * entry
        is_long = number(at + 2, 2) == 4
        value = tf.where(is_long, number(at + 8, 4), number(at + 8, 2))
        is_ours = number(at, 2) == 0x0112
        return entry + 1, tf.where(is_ours, value, orientation)

    zero = tf.constant(0, tf.int64)
    _, orientation = tf.while_loop(
        lambda entry, _: entry < entries, next_entry, (zero, zero)
    )
    is_known = (orientation >= 1) & (orientation <= 8)
    return tf.where(is_known, orientation, tf.ones_like(orientation))


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
