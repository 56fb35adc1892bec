"""Tetrominoes: three pieces per image, without overlap, of six colors, on black.

A new drawing of the set in Multi-Object Datasets (Kabra et al., 2019). A class is a
piece in one of its orientations, whatever its color.
"""

import dataclasses

import numpy as np

PIECES_PER_IMAGE = 3
COLORS = {
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "yellow": (1, 1, 0),
    "magenta": (1, 0, 1),
    "cyan": (0, 1, 1),
}
# Each piece upright; `#` is a block.
_UPRIGHT_PIECES = {
    "I": ("#", "#", "#", "#"),
    "O": ("##", "##"),
    "S": (" ##", "## "),
    "Z": ("## ", " ##"),
    "T": ("###", " # "),
    "J": (" #", " #", "##"),
    "L": ("# ", "# ", "##"),
}
# Brightness across a block, lit from the upper right as in the published preview. The
# middle row and column are stretched.
_BEVEL = np.array([[6, 8, 7], [4, 5, 6], [4, 2, 4]]) / 8
_BLOCKS_PER_SIDE = 7  # of an image


@dataclasses.dataclass(frozen=True)
class Piece:
    """One piece in an image.

    Attributes:
        label: Value in the mask; the outline is `ORIENTATIONS[label - 1]`.
        row: Position of its upper edge, in pixels.
        column: Position of its left edge, in pixels.
        color: A key of `COLORS`.
    """

    label: int
    row: int
    column: int
    color: str


def _orientations() -> dict[str, np.ndarray]:
    """Return the distinct orientations, named by piece and clockwise degrees."""
    orientations = {}
    for piece, lines in _UPRIGHT_PIECES.items():
        blocks = np.array([[cell == "#" for cell in line] for line in lines])
        seen = set()
        for quarter_turns in range(4):
            rotated = np.rot90(blocks, -quarter_turns)
            if (key := (rotated.shape, rotated.tobytes())) not in seen:
                seen.add(key)
                orientations[f"{piece}{90 * quarter_turns}"] = rotated
    return orientations


# 19 outlines, boolean `[rows, columns]` of blocks; label 1 is the first. The published
# page counts 17; DTI-Sprites finds these 19 in the set.
ORIENTATIONS = _orientations()


class Tetrominoes:
    """Three pieces of random orientation, color and position.

    Attributes:
        classes: `background` and the 19 orientations.
    """

    default_size = 35
    size_multiple = _BLOCKS_PER_SIDE
    backgrounds = ()
    accepts_images = False
    default_objects = None

    def __init__(self, size: int):
        """Draw the shading of each orientation.

        Args:
            size: Height and width of the images in pixels, a multiple of 7: images
                are 7 blocks high and wide.
        """
        self.size = size
        block = size // _BLOCKS_PER_SIDE
        rim = max(1, block // 5)
        bevel = _BEVEL.repeat([rim, block - 2 * rim, rim], axis=0)
        bevel = bevel.repeat([rim, block - 2 * rim, rim], axis=1)
        self._shades = [np.kron(blocks, bevel) for blocks in ORIENTATIONS.values()]
        self.classes = ("background", *ORIENTATIONS)

    def sample(self, rng: np.random.Generator) -> tuple[Piece, ...]:
        """Return pieces whose positions are uniform among those without overlap."""
        labels = rng.integers(
            1, len(ORIENTATIONS), size=PIECES_PER_IMAGE, endpoint=True
        ).tolist()
        indices = rng.integers(len(COLORS), size=PIECES_PER_IMAGE)
        colors = [list(COLORS)[index] for index in indices]
        while True:
            pieces = tuple(
                Piece(label, *self._draw_corner(label, rng), color)
                for label, color in zip(labels, colors, strict=True)
            )
            if not self._overlap(pieces):
                return pieces

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return a random image and its mask."""
        return self.render(self.sample(rng))

    def render(self, pieces: tuple[Piece, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Render pieces that do not overlap.

        Returns:
            The image, `[size, size, 3]` uint8, and the mask, `[size, size]` uint8.
        """
        image = np.zeros((self.size, self.size, 3), np.uint8)
        mask = np.zeros((self.size, self.size), np.uint8)
        for piece in pieces:
            shade = self._shades[piece.label - 1]
            area = self._area(piece)
            pixels = shade[..., None] * 255 * np.array(COLORS[piece.color])
            image[area] += pixels.astype(np.uint8)
            mask[area] += np.uint8(piece.label) * (shade > 0)
        return image, mask

    def _draw_corner(self, label: int, rng: np.random.Generator) -> list[int]:
        rows, columns = self._shades[label - 1].shape
        limits = [self.size - rows, self.size - columns]
        return rng.integers(limits, endpoint=True).tolist()

    def _overlap(self, pieces: tuple[Piece, ...]) -> bool:
        counts = np.zeros((self.size, self.size), np.uint8)
        for piece in pieces:
            counts[self._area(piece)] += self._shades[piece.label - 1] > 0
        return counts.max() > 1

    def _area(self, piece: Piece) -> tuple[slice, slice]:
        rows, columns = self._shades[piece.label - 1].shape
        return (
            slice(piece.row, piece.row + rows),
            slice(piece.column, piece.column + columns),
        )
