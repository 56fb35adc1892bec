import itertools

import numpy as np
import pytest
from scipy.ndimage import find_objects, label
from scipy.stats import chisquare

from data_gen.render import draw_examples
from data_gen.scene import example_rng
from data_gen.scenes.tetrominoes import ORIENTATIONS, Tetrominoes

SAMPLER = Tetrominoes(35)
# Red of one block in the preview of the published set.
BLOCK = [
    [191, 255, 255, 255, 223],
    [127, 159, 159, 159, 191],
    [127, 159, 159, 159, 191],
    [127, 159, 159, 159, 191],
    [127, 63, 63, 63, 127],
]
COLORS = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)]


@pytest.fixture(scope="module")
def drawn():
    return draw_examples(SAMPLER, 0, "val", 0, 600)


def cells(blocks):
    return frozenset(map(tuple, np.argwhere(blocks).tolist()))


def every_tetromino():
    """Return all sets of four connected cells, up to a shift, by trying them all."""
    tetrominoes = set()
    for four in itertools.combinations(itertools.product(range(4), repeat=2), 4):
        grid = np.zeros((4, 4), int)
        grid[tuple(zip(*four, strict=True))] = 1
        if label(grid)[1] == 1:
            (box,) = find_objects(grid)
            tetrominoes.add(cells(grid[box]))
    return tetrominoes


def test_the_classes_are_the_nineteen_tetrominoes():
    ours = [cells(blocks) for blocks in ORIENTATIONS.values()]
    assert len(ours) == 19
    assert set(ours) == every_tetromino()
    assert SAMPLER.classes == ("background", *ORIENTATIONS)


def test_names_say_piece_and_degrees():
    counts = {"I": 2, "O": 1, "S": 2, "Z": 2, "T": 4, "J": 4, "L": 4}
    pieces = [name[0] for name in ORIENTATIONS]
    assert {piece: pieces.count(piece) for piece in pieces} == counts
    for name, blocks in ORIENTATIONS.items():
        degrees = (int(name[1:]) + 90) % (90 * counts[name[0]])
        np.testing.assert_array_equal(
            ORIENTATIONS[f"{name[0]}{degrees}"], np.rot90(blocks, -1)
        )
    np.testing.assert_array_equal(ORIENTATIONS["L0"], [[1, 0], [1, 0], [1, 1]])
    np.testing.assert_array_equal(ORIENTATIONS["S0"], [[0, 1, 1], [1, 1, 0]])


def components(mask):
    """Yield the class and the outline, cut out, of each connected part."""
    for class_label in np.unique(mask[mask > 0]):
        parts, _ = label(mask == class_label)
        for index, box in enumerate(find_objects(parts), 1):
            yield class_label, parts[box] == index, box


def test_every_part_of_a_mask_is_a_piece(drawn):
    outlines = [np.kron(blocks, np.ones((5, 5))) for blocks in ORIENTATIONS.values()]
    joined = 0
    for mask in drawn[1]:
        assert (mask > 0).sum() == 300  # three pieces of 100 pixels: no overlap
        for class_label, part, _ in components(mask):
            if part.sum() > 100:  # two pieces of a class that touch
                joined += 1
                continue
            np.testing.assert_array_equal(part, outlines[class_label - 1])
    assert joined < 30


def test_every_part_has_one_of_six_colors_and_beveled_blocks(drawn):
    colors = set()
    for image, mask in zip(*drawn, strict=True):
        assert not image[mask == 0].any()
        for _, part, box in components(mask):
            if part.sum() > 100:
                continue
            shade = np.zeros(part.shape, int)
            rows, columns = (length // 5 for length in part.shape)
            for row, column in np.ndindex(rows, columns):
                corner = np.s_[5 * row : 5 * row + 5, 5 * column : 5 * column + 5]
                shade[corner] = part[5 * row, 5 * column] * np.array(BLOCK)
            matching = [
                color
                for color in COLORS
                if (image[box][part] == np.multiply.outer(shade, color)[part]).all()
            ]
            assert len(matching) == 1
            colors.update(matching)
    assert colors == set(COLORS)


def test_each_class_and_each_color_is_as_likely():
    pieces = [
        piece
        for index in range(1500)
        for piece in SAMPLER.sample(example_rng(0, "train", index))
    ]
    assert len(pieces) == 4500
    labels = np.bincount([piece.label for piece in pieces])
    assert len(labels) == 20 and labels[0] == 0
    assert chisquare(labels[1:]).pvalue > 1e-3
    names = [piece.color for piece in pieces]
    counts = [names.count(name) for name in sorted(set(names))]
    assert len(counts) == 6 and chisquare(counts).pvalue > 1e-3


def test_pieces_stand_at_any_pixel():
    squares = [
        piece
        for index in range(6000)
        for piece in SAMPLER.sample(example_rng(1, "train", index))
        if SAMPLER.classes[piece.label] == "O0"
    ]
    # Of ten pixels: from the upper left corner to the lower right one.
    positions = zip(*[(square.row, square.column) for square in squares], strict=True)
    for coordinates in positions:
        counts = np.bincount(coordinates)
        assert len(counts) == 26 and counts.min() > 0
        by_remainder = [counts[first:25:5].sum() for first in range(5)]
        assert min(by_remainder) > 0.7 * max(by_remainder)


def test_positions_are_uniform_among_those_without_overlap():
    """Against all positions of three vertical sticks, counted one by one."""
    stick = SAMPLER.classes.index("I0")
    # Sticks are 20 of 35 pixels high: any two share a row, so columns decide.
    expected = np.zeros(31)
    for columns in itertools.product(range(31), repeat=3):
        if all(abs(a - b) >= 5 for a, b in itertools.combinations(columns, 2)):
            expected[columns[0]] += 1

    class Sticks:
        """A generator whose pieces are all vertical sticks."""

        def __init__(self, seed):
            self.rng = np.random.default_rng(seed)

        def integers(self, *arguments, size=None, **named):
            if arguments[:2] == (1, 19):
                return np.full(size, stick)
            return self.rng.integers(*arguments, size=size, **named)

    first = [SAMPLER.sample(Sticks(seed))[0].column for seed in range(3000)]
    counts = np.bincount(first, minlength=31)
    assert chisquare(counts, expected / expected.sum() * 3000).pvalue > 1e-3


def test_other_sizes_have_larger_blocks():
    large, masks = draw_examples(Tetrominoes(70), 0, "val", 0, 20)
    for mask in masks:
        assert (mask > 0).sum() == 3 * 400
        for class_label, part, _ in components(mask):
            if part.sum() == 400:
                blocks = list(ORIENTATIONS.values())[class_label - 1]
                np.testing.assert_array_equal(part, np.kron(blocks, np.ones((10, 10))))
    assert large.max() == 255 and not large[masks == 0].any()
