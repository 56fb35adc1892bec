"""Whether a MATLAB file is what it promises, before anything is made of it."""

import math
import struct
import zlib
from collections.abc import Iterator

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_MOST_BYTES = 256 << 20  # unpacked
# Classes of arrays, and the kinds of elements that may hold their contents.
_CELL, _STRUCT, _CHAR, _NUMBERS = 1, 2, 4, range(6, 16)
_NUMERIC_KINDS = {1, 2, 3, 4, 5, 6, 7, 9, 12, 13}
_TEXT_KINDS = {1, 2, 3, 4, 16, 17, 18}
_COMPLEX = 0x0800


def check_mat_file(content: bytes) -> None:
    """Check that the arrays of a file, at any depth, are whole and of known kinds.

    SciPy makes room for the cells that a header promises before it reads them (of 528
    damaged bytes, 3 GB in 13 seconds), and an element of an unknown kind, or a missing
    one, ends the process.

    Args:
        content: The bytes of a MATLAB 5 file of cells, structs, numbers and texts.

    Raises:
        ValueError: It is none, or something in it is not what it promises.
        zlib.error: What is packed is damaged.

    Reference: MathWorks, MAT-File Format, chapter "Level 5 MAT-File Format".
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
                _check_matrix(inner_kind, inner, order)
        else:
            _check_matrix(kind, element, order)


def _elements(content: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield the kinds and contents of data elements that follow each other."""
    position = 0
    while position < len(content):
        if position + 8 > len(content):
            raise ValueError("an element is cut off")
        kind, size = struct.unpack_from(f"{order}II", content, position)
        begin = position + 8
        if kind >> 16:  # a small element: kind, size and content in 8 bytes
            kind, size, begin = kind & 0xFFFF, kind >> 16, position + 4
            position = begin + 4
        else:
            position = begin + size + (0 if kind == _COMPRESSED else -size % 8)
        if begin + size > min(position, len(content)):
            raise ValueError("an element is cut off")
        yield kind, content[begin : begin + size]


def _check_matrix(kind: int, element: bytes, order: str) -> None:
    """Check an array: flags, dimensions, name, and what its class asks for."""
    if kind != _MATRIX:
        raise ValueError(f"an element of kind {kind} in place of an array")
    if not element:  # an empty one
        return
    parts = list(_elements(element, order))
    if [part for part, _ in parts[:3]] != [6, 5, 1] or len(parts[0][1]) != 8:
        raise ValueError("an array without flags, dimensions and name")
    (flags, _), dimensions = (
        struct.unpack(
            f"{order}{len(values) // 4}{code}", values[: len(values) // 4 * 4]
        )
        for code, (_, values) in zip("Ii", parts[:2], strict=True)
    )
    contents, cells = parts[3:], math.prod(dimensions)
    if min(dimensions, default=-1) < 0 or cells > max(1, len(element)):
        raise ValueError(f"{cells:,} cells in {len(element):,} bytes")
    array_class = flags & 0xFF
    if array_class in _NUMBERS or array_class == _CHAR:
        kinds = _TEXT_KINDS if array_class == _CHAR else _NUMERIC_KINDS
        count = 2 if flags & _COMPLEX else 1
        if len(contents) != count or any(part not in kinds for part, _ in contents):
            raise ValueError("an array without its numbers or its text")
        return
    if array_class == _STRUCT:
        cells *= _fields(contents[:2], order)
        contents = contents[2:]
    elif array_class != _CELL:
        raise ValueError(f"an array of class {array_class}")
    if len(contents) != cells:
        raise ValueError(f"{len(contents):,} arrays where {cells:,} are promised")
    for part, inner in contents:
        _check_matrix(part, inner, order)


def _fields(parts: list[tuple[int, bytes]], order: str) -> int:
    """Return the number of fields of a struct, from its list of names."""
    if [part for part, _ in parts] != [5, 1] or len(parts[0][1]) != 4:
        raise ValueError("a struct without names of its fields")
    (length,) = struct.unpack(f"{order}i", parts[0][1])
    if length < 1 or len(parts[1][1]) % length:
        raise ValueError("a struct without names of its fields")
    return len(parts[1][1]) // length
