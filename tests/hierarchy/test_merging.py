"""The queue's order of merging, beside a search over all pairs at every step."""

import numpy as np
import pytest

from cirs_tf.hierarchy.merging import COLOR_WEIGHTS, MergeWeights, merge_regions
from cirs_tf.hierarchy.region_graph import RegionGraph, region_graph

RNG = np.random.default_rng(1)


def brute_force(graph: RegionGraph, weights: MergeWeights) -> tuple[list, list]:
    """Merge by the formula, everything computed anew from the superpixels."""
    looks = np.concatenate(
        [
            weights.color * graph.appearance["color"].astype(float),
            weights.spread * graph.appearance["spread"].astype(float),
            weights.histogram * graph.appearance["histogram"].astype(float),
            weights.features.get("map", 0) * graph.appearance["map"].astype(float),
        ],
        axis=1,
    )
    parts = {number: [number] for number in range(len(graph.areas))}
    merges, levels = [], []
    while len(parts) > 1:
        costs = {}
        for a in parts:
            for b in parts:
                between = [
                    (length, contrast)
                    for (one, other), length, contrast in zip(
                        graph.pairs.tolist(),
                        graph.lengths,
                        graph.contrasts,
                        strict=True,
                    )
                    if (one in parts[a]) != (other in parts[a])
                    and (one in parts[b]) != (other in parts[b])
                ]
                if a < b and between:
                    lengths, contrasts = np.array(between).T
                    areas = [graph.areas[parts[part]].sum() for part in (a, b)]
                    shares = np.array(areas) / graph.areas.sum()
                    means = [
                        np.average(
                            looks[parts[part]], axis=0, weights=graph.areas[parts[part]]
                        )
                        for part in (a, b)
                    ]
                    contrast = np.average(contrasts, weights=lengths)
                    difference = np.sqrt(((means[0] - means[1]) ** 2).sum())
                    size = shares.prod() / shares.sum()
                    costs[a, b] = (
                        weights.scale
                        * (difference + weights.border * contrast / 10)
                        * size ** (weights.size_exponent / 2)
                    )
        (a, b), cost = min(costs.items(), key=lambda item: (item[1], item[0]))
        merges.append((a, b))
        levels.append(max([cost, *levels[-1:]]))
        parts[a] += parts.pop(b)
    return merges, levels


@pytest.mark.parametrize(
    "weights",
    [
        COLOR_WEIGHTS,
        MergeWeights(0.5, 0, 0.2, 2.0, 1.0, 3.0),
        MergeWeights(1, 1, 1, 0, 0, features={"map": 0.3}),
    ],
)
def test_as_by_brute_force(weights):
    image = np.kron(RNG.integers(0, 256, (4, 4, 3)), np.ones((8, 8, 1)))
    image = np.clip(image + RNG.normal(0, 20, image.shape), 0, 255).astype(np.uint8)
    maps = {"map": (RNG.normal(size=(4, 4, 5)), 8), "other": (np.eye(4)[None], 32)}
    graph = region_graph(image, 16, features=lambda image: maps)
    assert len(graph.areas) > 8
    tree = merge_regions(graph, weights)
    merges, levels = brute_force(graph, weights)
    assert tree.merges.tolist() == [list(merge) for merge in merges]
    np.testing.assert_allclose(tree.levels, levels, rtol=1e-9)


def test_likes_merge_first():
    """Three stripes, the left two alike."""
    image = np.zeros((24, 48, 3), np.uint8)
    image[:, :16], image[:, 16:32], image[:, 32:] = 100, 110, 220
    tree = merge_regions(region_graph(image, 18))
    expected = np.repeat([0, 1], [32, 16])
    assert (tree.cut_into(2) == expected).mean() > 0.98


def test_one_superpixel_is_a_tree_without_mergers():
    tree = merge_regions(region_graph(np.zeros((3, 3, 3), np.uint8), 1))
    assert tree.merges.shape == (0, 2)
    assert (tree.cut(1) == 0).all() and (tree.cut_into(5) == 0).all()
    assert (tree.boundary_levels() == 0).all()


def test_no_look_counts_or_one_that_is_not_there():
    graph = region_graph(RNG.integers(0, 256, (20, 30, 3), np.uint8), 9)
    assert merge_regions(graph, MergeWeights(0, 0, 0, 1, 0)).cut_into(1).max() == 0
    weights = MergeWeights(1, 0, 0, 0, 0, features={"b4": 1.0, "b2": 0.0})
    with pytest.raises(ValueError, match="expected feature maps b4, got color, spread"):
        merge_regions(graph, weights)
