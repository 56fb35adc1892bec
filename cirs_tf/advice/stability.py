"""How many segments are found again in other images of the same set."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from sklearn.metrics import adjusted_rand_score

# From some images, told by `[items]` bool which items are theirs, a count and a seed to
# `[items]` labels of all items.
Clustering = Callable[[np.ndarray, int, int], np.ndarray]

TOLERANCE = 0.02


@dataclasses.dataclass(frozen=True)
class StableCounts:
    """Stability by number of clusters.

    Attributes:
        stabilities: Number of clusters to agreement of halves: 1 is best, 0 is chance.
        finest: Whether the largest of the numbers that are as stable as the best one
            is chosen, or a middle one.
        tolerance: A stability within this much of the best is as good.
    """

    stabilities: Mapping[int, float]
    finest: bool = False
    tolerance: float = TOLERANCE

    @property
    def best(self) -> float:
        """The highest stability."""
        return max(self.stabilities.values())

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers that are as stable as the best one."""
        least = self.best - self.tolerance
        return tuple(k for k, value in self.stabilities.items() if value >= least)

    @property
    def chosen(self) -> int:
        """The largest of these; or the middle one of those that follow each other.

        Of the first ones that do; of two middle ones the lower.
        """
        if self.finest:
            return self.counts[-1]
        tried = list(self.stabilities)
        start = tried.index(self.counts[0])
        run = []
        for count in tried[start:]:
            if count not in self.counts:
                break
            run.append(count)
        return run[(len(run) - 1) // 2]


def stable_counts(
    cluster: Clustering,
    images: np.ndarray,
    counts: Sequence[int],
    rounds: int,
    seed: int,
    finest: bool = False,
    tolerance: float = TOLERANCE,
) -> StableCounts:
    """Cluster one half of the images and the other, and compare what they say of all.

    Args:
        cluster: Finds clusters in a half and labels all items by them.
        images: `[items]`, the image that an item is of.
        counts: Numbers of clusters to try.
        rounds: How many times images are divided in halves, at random.
        seed: Seed of the halves; the clusterings of both have other ones.
        finest: As of `StableCounts`.
        tolerance: As of `StableCounts`.

    Returns:
        The mean adjusted Rand index over rounds. Counts for which a half has too few
        items are left out.

    Raises:
        ValueError: There are none that it has enough for.

    Reference: Lange et al. 2004, Stability-Based Validation of Clustering Solutions.

    Example:
        >>> values = np.array([0.0, 0.1, 5.0, 5.1])
        >>> def halves(members, count, seed):
        ...     return (values > values[members].mean()).astype(int) % count
        >>> stable_counts(halves, np.array([0, 1, 0, 1]), [2], 1, 0).stabilities
        {2: 1.0}
    """
    rng = np.random.default_rng(seed)
    names = np.unique(images)
    found: dict[int, list[float]] = {}
    for number in range(rounds):
        half = np.isin(images, rng.permutation(names)[: len(names) // 2])
        for count in counts:
            try:
                labels = [
                    cluster(members, count, seed + 2 * number + which)
                    for which, members in enumerate((half, ~half))
                ]
            except ValueError:
                continue
            found.setdefault(count, []).append(adjusted_rand_score(*labels))
    whole = {k: values for k, values in found.items() if len(values) == rounds}
    if not whole:
        raise ValueError(f"too few parts in half of {len(names)} images")
    stabilities = {k: float(np.mean(values)) for k, values in whole.items()}
    return StableCounts(stabilities, finest, tolerance)
