"""Merges the superpixels of an image, the most alike first, into a tree of regions."""

import dataclasses
import heapq

import numpy as np

from cirs_tf.hierarchy.region_graph import RegionGraph
from cirs_tf.hierarchy.region_tree import RegionTree


@dataclasses.dataclass(frozen=True)
class MergeWeights:
    """What two regions' difference is made of.

    Attributes:
        color: Weight of the mean color.
        spread: Weight of the colors' standard deviations.
        histogram: Weight of the histogram of colors.
        border: Weight of the contrast along the border.
        size_exponent: How much sooner small regions merge; 0: not at all; 1: as in
            Ward's clustering.
        scale: By which all costs are multiplied.
        features: Weight of each feature map, by name; others weigh nothing.
    """

    color: float
    spread: float
    histogram: float
    border: float
    size_exponent: float
    scale: float = 1.0
    features: dict[str, float] = dataclasses.field(default_factory=dict)

    def weight_of(self, appearance: str) -> float:
        """Return the weight of a part of the looks of a `RegionGraph`."""
        if appearance in ("color", "spread", "histogram"):
            return getattr(self, appearance)
        return self.features.get(appearance, 0.0)


# Found by `benchmarks/regions_bsds500.py search` on training images of BSDS500, with
# the scale: at level 1 regions cover people's drawings of these images best.
COLOR_WEIGHTS = MergeWeights(
    color=0.244, spread=0.366, histogram=0.494, border=0.417, size_exponent=0.296,
    scale=1.53,
)  # fmt: skip
BACKBONE_WEIGHTS = MergeWeights(
    color=0.3, spread=0.423, histogram=0.655, border=0.476, size_exponent=0.431,
    scale=1.12, features={"b2": 0.01, "b4": 0.0294, "b7": 0.0295, "b10": 0.01},
)  # fmt: skip


def merge_regions(
    graph: RegionGraph, weights: MergeWeights = COLOR_WEIGHTS
) -> RegionTree:
    """Merge the two regions of least cost until one is left.

        cost(a, b) = scale (|v_a - v_b| + border contrast_ab / 10)
                     (n_a n_b / (n_a + n_b))^(size_exponent / 2)

    over regions that touch, with weighted looks v (a merged region has the mean over
    its pixels), the mean contrast along the border and areas n as shares of the image.
    Of equal costs, the lower numbers come first. A merger that costs less than one
    before it is given that one's level, so that levels never fall.

    Args:
        graph: Superpixels, their looks and their borders.
        weights: What counts how much.

    Returns:
        The tree.

    Raises:
        ValueError: A feature map has a weight, but the graph has no such map.
    """
    missing = [
        name
        for name, weight in weights.features.items()
        if weight and name not in graph.appearance
    ]
    if missing:
        raise ValueError(
            f"weights: expected feature maps {', '.join(missing)}, got "
            f"{', '.join(graph.appearance)}"
        )
    return _Merging(graph, weights).run(graph.superpixels)


class _Merging:
    """The state of merging; a merged region keeps the lower number of its two parts."""

    def __init__(self, graph: RegionGraph, weights: MergeWeights):
        self._weights = weights
        parts = {name: weights.weight_of(name) for name in graph.appearance}
        weighted = [
            weight * graph.appearance[name].astype(np.float64)
            for name, weight in parts.items()
            if weight
        ]
        nothing = np.zeros((len(graph.areas), 0))
        self._looks = np.concatenate([nothing, *weighted], axis=1)
        self._shares = graph.areas / graph.areas.sum()
        # Of each region, by neighbor: length of the border, sum of contrasts along it.
        self._borders = [{} for _ in graph.areas]
        sums = graph.contrasts * graph.lengths
        columns = (graph.pairs.tolist(), graph.lengths.tolist(), sums.tolist())
        for (a, b), length, contrast in zip(*columns, strict=True):
            self._borders[a][b] = self._borders[b][a] = (length, contrast)
        # How often each region was merged; -1: it is part of another.
        self._versions = [0] * len(self._shares)

    def run(self, superpixels: np.ndarray) -> RegionTree:
        """Merge everything."""
        queue = []
        for region in range(len(self._shares)):
            above = [other for other in self._borders[region] if other > region]
            queue += self._entries(region, above)
        heapq.heapify(queue)
        merges, levels, level = [], [], 0.0
        while queue:
            cost, a, b, version_a, version_b = heapq.heappop(queue)
            if (self._versions[a], self._versions[b]) != (version_a, version_b):
                continue  # one of the two has changed since
            level = max(level, cost)
            merges.append((a, b))
            levels.append(level)
            self._absorb(a, b)
            for entry in self._entries(a, list(self._borders[a])):
                heapq.heappush(queue, entry)
        return RegionTree(
            superpixels,
            np.array(merges, np.int32).reshape(-1, 2),
            np.array(levels, np.float64),
        )

    def _entries(self, region: int, others: list[int]) -> list[tuple]:
        """Return entries of the queue for a region with each of its neighbors."""
        if not others:
            return []
        weights, borders = self._weights, self._borders[region]
        lengths, contrasts = np.array([borders[other] for other in others]).T
        difference = np.linalg.norm(self._looks[others] - self._looks[region], axis=1)
        mine, theirs = self._shares[region], self._shares[others]
        size = (mine * theirs / (mine + theirs)) ** (weights.size_exponent / 2)
        costs = (difference + weights.border * contrasts / lengths / 10) * size
        versions = self._versions
        return [
            (
                cost,
                min(region, other),
                max(region, other),
                versions[min(region, other)],
                versions[max(region, other)],
            )
            for cost, other in zip(
                (weights.scale * costs).tolist(), others, strict=True
            )
        ]

    def _absorb(self, a: int, b: int) -> None:
        """Make b a part of a."""
        share = self._shares[a] + self._shares[b]
        parts = self._shares[a] * self._looks[a] + self._shares[b] * self._looks[b]
        self._looks[a], self._shares[a] = parts / share, share
        self._versions[a] += 1
        self._versions[b] = -1
        mine, theirs = self._borders[a], self._borders[b]
        del mine[b], theirs[a]
        for other, (length, contrast) in theirs.items():
            known = mine.get(other, (0, 0.0))
            joined = (known[0] + length, known[1] + contrast)
            mine[other] = self._borders[other][a] = joined
            del self._borders[other][b]
        self._borders[b] = {}
