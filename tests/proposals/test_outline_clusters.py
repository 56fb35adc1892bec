"""Descriptors of turned outlines, and classes of components with known outlines."""

import numpy as np
import pytest

from cirs_tf.proposals.connected_components import ConnectedComponent
from cirs_tf.proposals.outline_clusters import classify_outlines, outline_descriptor

SQUARE, LYING, STANDING = (8, 8), (4, 16), (16, 4)


def rectangles(*sizes):
    return [
        ConnectedComponent(0, slice(0, rows), slice(0, columns), np.ones(size, bool))
        for size in sizes
        for rows, columns in [size]
    ]


def test_an_outline_is_the_same_at_any_turn_and_size():
    rng = np.random.default_rng(0)
    shape = np.zeros((12, 12), bool)
    shape[2:10, 2:5] = shape[7:10, 2:10] = True
    same = [np.rot90(shape), np.rot90(shape, 2), np.kron(shape, np.ones((2, 2), bool))]
    same.append(np.pad(shape, ((0, 9), (4, 0))))
    same.append(shape[:, ::-1])  # mirrored, too
    bar = np.zeros((12, 12), bool)
    bar[1:11, 3:7] = True
    noise = rng.random((12, 12)) < 0.5

    def distance(mask):
        return np.linalg.norm(outline_descriptor(mask) - outline_descriptor(shape))

    farthest = max(map(distance, same))
    assert farthest < distance(bar) / 4
    assert farthest < distance(noise) / 4


def test_a_turned_bar_is_of_the_same_class_if_two_are_enough():
    components = rectangles(*[SQUARE] * 20, *[LYING] * 10, *[STANDING] * 10)
    labels, matching = classify_outlines(components, num_classes=2, seed=0)
    assert matching == "pose"
    assert len(set(labels[:20])) == len(set(labels[20:])) == 1
    assert set(labels) == {0, 1}


def test_turns_are_told_apart_if_there_must_be_three():
    components = rectangles(*[SQUARE] * 20, *[LYING] * 12, *[STANDING] * 11)
    labels, matching = classify_outlines(components, num_classes=3, seed=0)
    assert matching == "place"
    # Class 0 is the largest cluster.
    np.testing.assert_array_equal(labels, np.repeat([0, 1, 2], [20, 12, 11]))


def test_k_means_divides_outlines_that_do_not_recur():
    components = rectangles((3, 3), (3, 4), (3, 14), (4, 14))
    labels, matching = classify_outlines(components, num_classes=2, seed=0)
    assert matching == "kmeans"
    assert labels[0] == labels[1] != labels[2] == labels[3]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([SQUARE], "^1 connected parts .* fewer than the 2"),
        ([SQUARE] * 4, "^the 4 parts .* have 1 outlines, fewer than the 2"),
    ],
)
def test_too_few_outlines_are_one_line(sizes, message):
    with pytest.raises(ValueError, match=message):
        classify_outlines(rectangles(*sizes), num_classes=2, seed=0)
