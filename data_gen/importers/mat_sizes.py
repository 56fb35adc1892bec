"""Whether a MATLAB file can hold what it promises, before anything is made of it."""

import math
import struct
import zlib

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_MOST_BYTES = 256 << 20  # unpacked


def check_mat_sizes(content: bytes) -> None:
    """Check that no array of a file has more elements than the file has bytes.

    SciPy makes room for the cells that a header promises before it reads them: of 528
    damaged bytes, 3 GB in 13 seconds.

    Args:
        content: The bytes of a MATLAB 5 file.

    Raises:
        ValueError: It is none, or an array in it is too large.
        zlib.error: What is packed is damaged.

    Reference: MATLAB, MAT-File Format, "Level 5 MAT-File Format".
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[126:_HEADER])
    if order is None:
        raise ValueError("not a MATLAB 5 file")
    for kind, element in _elements(content[_HEADER:], order):
        if kind == _COMPRESSED:
            unpacker = zlib.decompressobj()
            unpacked = unpacker.decompress(element, _MOST_BYTES)
            if unpacker.unconsumed_tail:
                raise ValueError(f"more than {_MOST_BYTES >> 20} MB in it")
            for inner_kind, inner in _elements(unpacked, order):
                _check(inner_kind, inner, len(unpacked), order)
        else:
            _check(kind, element, len(content), order)


def _elements(content: bytes, order: str):
    """Yield the kinds and contents of data elements that follow each other."""
    position = 0
    while position + 8 <= len(content):
        kind, size = struct.unpack_from(f"{order}II", content, position)
        begin = position + 8
        if kind >> 16:  # a small element: kind, size and content in 8 bytes
            kind, size, begin = kind & 0xFFFF, kind >> 16, position + 4
            following = position + 8
        else:
            padding = 0 if kind == _COMPRESSED else -size % 8
            following = begin + size + padding
        yield kind, content[begin : begin + size]
        position = following


def _check(kind: int, element: bytes, limit: int, order: str) -> None:
    """Check a matrix, and the matrices in it; other elements have no dimensions."""
    if kind != _MATRIX:
        return
    for number, (inner_kind, inner) in enumerate(_elements(element, order)):
        if number == 1:
            whole = inner[: len(inner) // 4 * 4]
            dimensions = struct.unpack(f"{order}{len(whole) // 4}i", whole)
            if math.prod(dimensions) > limit:
                raise ValueError(f"{math.prod(dimensions):,} cells in {limit:,} bytes")
        _check(inner_kind, inner, limit, order)
