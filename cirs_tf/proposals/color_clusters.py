"""Objects as clusters of the color histograms of connected components."""

import numpy as np
import scipy.optimize
from sklearn.cluster import HDBSCAN, KMeans

_LEVELS = 4  # per channel
_RADIUS_QUANTILE = 0.95  # of the distances in a dense cluster
_REACH = 1.5  # in radii of its dense cluster, within which a component belongs to it


def color_histogram(pixels: np.ndarray) -> np.ndarray:
    """Describe colors by the square roots of their shares.

    Euclidean distances of square roots are Hellinger distances of the histograms.

    Args:
        pixels: `[pixels, 3]` float in [0, 1].

    Returns:
        `[64]` float64, with 4 levels per channel; its squares sum to 1.

    Example:
        >>> histogram = color_histogram(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
        >>> histogram[:4].round(3)
        array([0.707, 0.   , 0.   , 0.707])
    """
    levels = np.minimum((pixels * _LEVELS).astype(int), _LEVELS - 1)
    bins = levels @ np.array([_LEVELS**2, _LEVELS, 1])
    return np.sqrt(np.bincount(bins, minlength=_LEVELS**3) / len(pixels))


def assign_objects(
    histograms: np.ndarray, areas: np.ndarray, num_objects: int, seed: int
) -> np.ndarray:
    """Tell which components are a single object, and which object.

    Components of like colors are clustered by density. A cluster of components in which
    several objects touch is a mixture of the clusters of these objects: clusters are
    dropped one after the other, always the one without which the others still explain
    all clusters' pixels best, as sums with weights of 0 or more.

    Args:
        histograms: `[components, bins]`, from `color_histogram`.
        areas: `[components]`, in pixels.
        num_objects: Number of objects to find.
        seed: Seed of k-means, which is used where there are too few dense clusters.

    Returns:
        `[components]`: 0 to `num_objects` - 1, or -1 where a component is in none of
        these clusters.
    """
    min_cluster_size = max(5, len(histograms) // (20 * num_objects))
    num_clusters = 0
    if len(histograms) >= min_cluster_size:
        hdbscan = HDBSCAN(
            min_cluster_size=min_cluster_size,
            cluster_selection_method="leaf",
            copy=True,
        )
        labels = hdbscan.fit_predict(histograms)
        num_clusters = labels.max() + 1
    if num_clusters < num_objects:
        kmeans = KMeans(num_objects, n_init=10, random_state=seed)
        return kmeans.fit_predict(histograms)
    shares = np.square(histograms)
    means = np.stack([shares[labels == k].mean(axis=0) for k in range(num_clusters)])
    sizes = np.array([areas[labels == k].sum() for k in range(num_clusters)])
    kept = _drop_mixtures(means, sizes, num_objects)
    return _nearest_cluster(histograms, [labels == cluster for cluster in kept])


def _drop_mixtures(means: np.ndarray, sizes: np.ndarray, num_kept: int) -> list[int]:
    """Return the clusters that are left when mixtures of others are dropped.

    Args:
        means: `[clusters, bins]`, mean shares of colors.
        sizes: `[clusters]`, in pixels.
        num_kept: Number of clusters to keep.
    """
    kept = list(range(len(means)))
    while len(kept) > num_kept:
        candidates = [[k for k in kept if k != dropped] for dropped in kept]
        kept = min(candidates, key=lambda some: _unexplained(means, sizes, some))
    return kept


def _unexplained(means: np.ndarray, sizes: np.ndarray, kept: list[int]) -> float:
    """Return the squared residual of all clusters' means beside sums of those kept."""
    residuals = [scipy.optimize.nnls(means[kept].T, mean)[1] for mean in means]
    return float(sizes @ np.square(residuals))


def _nearest_cluster(
    histograms: np.ndarray, cluster_members: list[np.ndarray]
) -> np.ndarray:
    """Return for each component its cluster's index, -1 where it is far from all.

    A dense cluster may be the core of its object's components: what lies around it
    belongs to it.

    Args:
        histograms: `[components, bins]`.
        cluster_members: For each cluster `[components]` bool.
    """
    centers = [histograms[members].mean(axis=0) for members in cluster_members]
    distances = np.stack(
        [np.linalg.norm(histograms - center, axis=1) for center in centers], axis=1
    )
    radii = [
        np.quantile(distances[members, index], _RADIUS_QUANTILE)
        for index, members in enumerate(cluster_members)
    ]
    nearest = distances.argmin(axis=1)
    is_near = distances.min(axis=1) <= _REACH * np.array(radii)[nearest]
    return np.where(is_near, nearest, -1)
