"""K groups of feature vectors, by merging the centers of several finer clusterings."""

from typing import NamedTuple

import numpy as np
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA


class Projection(NamedTuple):
    """A linear map to principal components.

    Attributes:
        matrix: `[features, components]` float32.
        offset: `[components]` float32; components are `features @ matrix + offset`.
    """

    matrix: np.ndarray
    offset: np.ndarray


def principal_components(features: np.ndarray, components: int) -> Projection:
    """Return the projection to the largest components, scaled to a total variance of 1.

    Components keep their variances, so that of several layers none counts more than
    another.

    Args:
        features: `[vectors, features]` float.
        components: How many are kept, at most the number of features.

    Raises:
        ValueError: There are fewer vectors than components, or all are the same.
    """
    components = min(components, features.shape[1])
    if len(features) < components:
        raise ValueError(f"expected at least {components} vectors, got {len(features)}")
    features = np.asarray(features, np.float64)
    total = np.var(features, axis=0, ddof=1).sum()
    if not total > 0:
        raise ValueError("all feature vectors are the same")
    pca = PCA(components, svd_solver="covariance_eigh").fit(features)
    matrix = pca.components_.T / np.sqrt(total)
    offset = -pca.mean_ @ matrix
    return Projection(matrix.astype(np.float32), offset.astype(np.float32))


class Clusterings(NamedTuple):
    """Several clusterings, and the groups that their centers form.

    Attributes:
        centers: `[clusterings, clusters, features]` float32.
        group_of: `[clusterings, clusters]` int32 in [0, groups).
    """

    centers: np.ndarray
    group_of: np.ndarray


def merged_clusterings(
    vectors: np.ndarray,
    clusterings: int,
    clusters: int,
    groups: int,
    seed: int,
    sample: int = 12_000,
) -> Clusterings:
    """Cluster vectors finely several times, then merge all centers to a few groups.

    Centers are merged by average linkage of the cosine distances between them, counted
    from their common mean.

    Args:
        vectors: `[vectors, features]` float.
        clusterings: How often k-means is run.
        clusters: Centers of each run.
        groups: Groups of centers.
        seed: Seed of the samples and of the first centers.
        sample: Vectors that a run is fitted to, drawn without replacement.

    Raises:
        ValueError: There are fewer different vectors than clusters, or fewer centers
            than groups.
    """
    centers = cluster_centers(vectors, clusterings, clusters, seed, sample)
    return Clusterings(centers, merge_centers(centers, groups))


def cluster_centers(
    vectors: np.ndarray,
    clusterings: int,
    clusters: int,
    seed: int,
    sample: int = 12_000,
) -> np.ndarray:
    """Return the centers of several clusterings, before they are merged.

    Args:
        vectors: `[vectors, features]` float.
        clusterings: How often k-means is run.
        clusters: Centers of each run.
        seed: Seed of the samples and of the first centers.
        sample: Vectors that a run is fitted to, drawn without replacement.

    Returns:
        `[clusterings, clusters, features]` float32.

    Raises:
        ValueError: There are fewer different vectors than clusters.
    """
    rng = np.random.default_rng(seed)
    centers = []
    for _ in range(clusterings):
        chosen = rng.choice(len(vectors), min(sample, len(vectors)), replace=False)
        if len(np.unique(vectors[chosen], axis=0)) < clusters:
            raise ValueError(
                f"expected at least {clusters} different feature vectors, got fewer"
            )
        kmeans = KMeans(
            clusters, n_init=1, max_iter=30, random_state=int(rng.integers(2**31))
        )
        centers.append(kmeans.fit(vectors[chosen]).cluster_centers_)
    return np.stack(centers).astype(np.float32)


def merge_centers(centers: np.ndarray, groups: int) -> np.ndarray:
    """Merge centers to a few groups.

    Args:
        centers: `[clusterings, clusters, features]` float.
        groups: How many.

    Returns:
        `[clusterings, clusters]` int32 in [0, groups).

    Raises:
        ValueError: There are fewer centers than groups.
    """
    every = centers.reshape(-1, centers.shape[-1])
    if len(every) < groups:
        raise ValueError(
            f"expected at least as many centers as groups ({groups}), got {len(every)}"
        )
    merging = AgglomerativeClustering(groups, metric="cosine", linkage="average")
    group_of = merging.fit_predict(every - every.mean(axis=0))
    return group_of.reshape(centers.shape[:2]).astype(np.int32)
