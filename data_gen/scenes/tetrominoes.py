"""Tetrominoes: three pieces on black that do not overlap, of six colors.

The set of the field (Multi-Object Datasets, Kabra et al., 2019), drawn afresh. A class
is a piece in one of its orientations, whatever its color.
"""

import dataclasses

import numpy as np

PIECES = 3
COLORS = {
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "yellow": (1, 1, 0),
    "magenta": (1, 0, 1),
    "cyan": (0, 1, 1),
}
# The pieces as their letters stand; what is no blank is a block.
_UPRIGHT = {
    "I": ("#", "#", "#", "#"),
    "O": ("##", "##"),
    "S": (" ##", "## "),
    "Z": ("## ", " ##"),
    "T": ("###", " # "),
    "J": (" #", " #", "##"),
    "L": ("# ", "# ", "##"),
}
# How bright a block is, of 8: lit from above right, as in the preview of the set. The
# middle row and column repeat.
_BEVEL = np.array([[6, 8, 7], [4, 5, 6], [4, 2, 4]]) / 8
_BLOCKS = 7  # that a picture is high and wide


@dataclasses.dataclass(frozen=True)
class Piece:
    """One piece in a picture.

    Attributes:
        label: Value in the mask; the outline is `ORIENTATIONS[label - 1]`.
        row: Of its upper edge, in pixels.
        column: Of its left edge, in pixels.
        color: A key of `COLORS`.
    """

    label: int
    row: int
    column: int
    color: str


def _orientations() -> dict[str, np.ndarray]:
    """Return each different turn of each piece, by piece and degrees clockwise."""
    found = {}
    for piece, lines in _UPRIGHT.items():
        blocks = np.array([[cell == "#" for cell in line] for line in lines])
        seen = set()
        for turns in range(4):
            turned = np.rot90(blocks, -turns)
            if (key := (turned.shape, turned.tobytes())) not in seen:
                seen.add(key)
                found[f"{piece}{90 * turns}"] = turned
    return found


# 19 outlines, boolean `[rows, columns]` of blocks; label 1 is the first. The set's own
# page counts 17; DTI-Sprites finds these 19 in it.
ORIENTATIONS = _orientations()


class Tetrominoes:
    """Three pieces, each of any orientation and color, at any pixels.

    Attributes:
        classes: Background and 19 orientations.
    """

    default_size = 35
    size_step = _BLOCKS
    backgrounds = ()
    takes_images = False
    default_objects = None

    def __init__(self, size: int):
        """Draw the blocks of each orientation.

        Args:
            size: Height and width of the pictures in pixels, a multiple of 7; a block
                is a seventh.
        """
        self.size = size
        block = size // _BLOCKS
        rim = max(1, block // 5)
        bevel = _BEVEL.repeat([rim, block - 2 * rim, rim], axis=0)
        bevel = bevel.repeat([rim, block - 2 * rim, rim], axis=1)
        self._shades = [np.kron(one, bevel) for one in ORIENTATIONS.values()]
        self.classes = ("background", *ORIENTATIONS)

    def sample(self, rng: np.random.Generator) -> tuple[Piece, ...]:
        """Return pieces at places that are uniform among those without overlap."""
        labels = rng.integers(1, len(ORIENTATIONS), size=PIECES, endpoint=True).tolist()
        names = [list(COLORS)[one] for one in rng.integers(len(COLORS), size=PIECES)]
        while True:
            pieces = tuple(
                Piece(label, *self._corner(label, rng), name)
                for label, name in zip(labels, names, strict=True)
            )
            if self._apart(pieces):
                return pieces

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return one picture and its mask."""
        return self.render(self.sample(rng))

    def render(self, pieces: tuple[Piece, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return the picture, `[size, size, 3]` uint8, and mask, `[size, size]` uint8.

        Args:
            pieces: They do not overlap.
        """
        picture = np.zeros((self.size, self.size, 3), np.uint8)
        mask = np.zeros((self.size, self.size), np.uint8)
        for piece in pieces:
            shade = self._shades[piece.label - 1]
            inside = self._inside(piece)
            drawn = shade[..., None] * 255 * np.array(COLORS[piece.color])
            picture[inside] += drawn.astype(np.uint8)
            mask[inside] += np.uint8(piece.label) * (shade > 0)
        return picture, mask

    def _corner(self, label: int, rng: np.random.Generator) -> list[int]:
        rows, columns = self._shades[label - 1].shape
        most = [self.size - rows, self.size - columns]
        return rng.integers(most, endpoint=True).tolist()

    def _apart(self, pieces: tuple[Piece, ...]) -> bool:
        held = np.zeros((self.size, self.size), np.uint8)
        for piece in pieces:
            held[self._inside(piece)] += self._shades[piece.label - 1] > 0
        return held.max() == 1

    def _inside(self, piece: Piece) -> tuple[slice, slice]:
        rows, columns = self._shades[piece.label - 1].shape
        return (
            slice(piece.row, piece.row + rows),
            slice(piece.column, piece.column + columns),
        )
