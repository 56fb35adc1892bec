"""Segments of a picture computed tile by tile, at its own size."""

from collections.abc import Callable, Iterator

import numpy as np

from cirs_tf.errors import ConfigError

MULTIPLE = 32  # networks halve the resolution at most five times
OVERLAP = 64


def check_tile(tile: int, overlap: int) -> None:
    """Refuse tiles that a network would place on another grid than the whole picture.

    Args:
        tile: Side of a tile in pixels.
        overlap: Pixels around a tile that the network sees besides.

    Raises:
        ConfigError: One is no multiple of 32, or out of range.
    """
    for name, value, least in (("tile", tile, MULTIPLE), ("overlap", overlap, 0)):
        if value < least or value % MULTIPLE:
            raise ConfigError(
                f"{name}: expected a multiple of {MULTIPLE}, at least {least}, got "
                f"{value}"
            )


def segment_tiles(
    image: np.ndarray,
    predict: Callable[[np.ndarray], np.ndarray],
    num_segments: int,
    tile: int,
    overlap: int = OVERLAP,
    probabilities: bool = False,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Segment a picture in square tiles, each with some surroundings.

    Labels are those of the whole picture for networks that see no further around a
    pixel than `overlap`. What depends on the whole image (a threshold of its
    brightness, a normalization over it) is that of each tile.

    Args:
        image: `[height, width, 3]` uint8.
        predict: Maps such an array to `[height, width, K]` float32.
        num_segments: K.
        tile: Side of a tile in pixels, a multiple of 32.
        overlap: Pixels around a tile that the network sees besides, a multiple of 32.
        probabilities: Whether they are returned.

    Returns:
        Labels `[height, width]` uint8, and `[height, width, K]` float32 or None.

    Raises:
        ConfigError: See `check_tile`.
    """
    check_tile(tile, overlap)
    size = image.shape[:2]
    labels = np.empty(size, np.uint8)
    shares = np.empty((*size, num_segments), np.float32) if probabilities else None
    for rows, seen_rows in _spans(size[0], tile, overlap):
        for columns, seen_columns in _spans(size[1], tile, overlap):
            found = predict(image[seen_rows, seen_columns])
            inside = found[_within(rows, seen_rows), _within(columns, seen_columns)]
            labels[rows, columns] = inside.argmax(axis=-1)
            if shares is not None:
                shares[rows, columns] = inside
    return labels, shares


def _spans(side: int, tile: int, overlap: int) -> Iterator[tuple[slice, slice]]:
    """Yield what a tile covers along one axis, and what is seen for it."""
    for start in range(0, side, tile):
        end = min(start + tile, side)
        yield slice(start, end), slice(max(0, start - overlap), end + overlap)


def _within(part: slice, seen: slice) -> slice:
    return slice(part.start - seen.start, part.stop - seen.start)
