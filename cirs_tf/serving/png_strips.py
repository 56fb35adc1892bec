"""A PNG written some rows at a time, so that the picture is never held as a whole."""

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

_UP = 2  # the filter: each row is stored as its difference to the row above


def write_png_strips(
    path: str | Path, height: int, width: int, strips: Iterable[np.ndarray]
) -> None:
    """Write an RGB picture, compressed for speed.

    Args:
        path: The file to write.
        height: Of the picture in pixels.
        width: Of the picture in pixels.
        strips: `[rows, width, 3]` uint8 each, from the top, `height` rows in all.

    Raises:
        OSError: It cannot be written.

    Reference: PNG specification, third edition, 5.3 (chunks), 9 (filters).
    """
    compressor = zlib.compressobj(level=1)
    above = np.zeros((1, 3 * width), np.uint8)
    with Path(path).open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        file.write(_chunk(b"IHDR", header))
        for strip in strips:
            rows = strip.reshape(len(strip), -1)
            filtered = np.empty((len(rows), 1 + 3 * width), np.uint8)
            filtered[:, 0] = _UP
            filtered[:, 1:] = rows - np.concatenate([above, rows[:-1]])  # modulo 256
            above = rows[-1:].copy()
            file.write(_chunk(b"IDAT", compressor.compress(filtered)))
        file.write(_chunk(b"IDAT", compressor.flush()))
        file.write(_chunk(b"IEND", b""))


def _chunk(kind: bytes, content: bytes) -> bytes:
    code = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + code
