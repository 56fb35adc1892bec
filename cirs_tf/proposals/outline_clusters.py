"""Object classes as clusters of outlines that recur from image to image."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.decomposition import PCA

from cirs_tf.proposals.connected_components import ConnectedComponent

_DIRECTIONS, _RINGS, _FREQUENCIES = 32, 8, 9
_REACH = 1.7  # radius of the outermost ring, in radii of a disc of the same area
_PCA_COMPONENTS = 16
_EQUAL = 0.01  # distance of equal outlines, relative to that from the mean outline


class OutlineClasses(NamedTuple):
    """Connected components divided into classes by their outlines.

    Attributes:
        labels: `[components]` class index from 0, or -1: none.
        matching: How outlines were compared. "pose": however turned, mirrored and
            sized; "place": as they lie; "kmeans": no outlines recur, all components
            were divided by k-means.
    """

    labels: np.ndarray
    matching: str


def outline_descriptor(mask: np.ndarray) -> np.ndarray:
    """Describe an outline at any place, turn and size, mirrored or not.

    The mask is sampled along rings around its center of gravity, whose radii are
    proportional to the root of its area; for each ring, the magnitudes of the Fourier
    coefficients over the angle stay the same when it turns.

    Args:
        mask: `[rows, columns]` bool.

    Returns:
        `[72]` float: 8 rings of 9 frequencies each.

    Example:
        >>> bar = np.ones((4, 12), bool)
        >>> bool(np.allclose(outline_descriptor(bar), outline_descriptor(bar.T)))
        True
    """
    rows, columns = np.nonzero(mask)
    radius = np.sqrt(len(rows) / np.pi)
    rings = (np.arange(_RINGS) + 0.5) / _RINGS * _REACH * radius
    angles = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    places = [
        rows.mean() + np.outer(rings, np.sin(angles)),
        columns.mean() + np.outer(rings, np.cos(angles)),
    ]
    smooth = ndimage.gaussian_filter(np.pad(mask.astype(np.float32), 2), 0.5)
    samples = ndimage.map_coordinates(smooth, np.add(places, 2), order=1)
    magnitudes = np.abs(np.fft.rfft(samples, axis=1)[:, :_FREQUENCIES])
    return magnitudes.ravel() / _DIRECTIONS


def classify_outlines(
    components: list[ConnectedComponent], num_classes: int, seed: int
) -> OutlineClasses:
    """Cluster outlines by density; the largest clusters are the classes.

    Outlines are compared at any turn and size, and as they lie; the classes are those
    of the comparison by which the smallest of them is larger. Where neither gives
    enough clusters, k-means is used.

    Args:
        components: The components, from any images.
        num_classes: Number of classes to find.
        seed: Seed of k-means.

    Returns:
        The class of each component.

    Raises:
        ValueError: There are fewer components than classes, or too few different
            outlines.
    """
    if len(components) < num_classes:
        raise ValueError(
            f"{len(components)} connected parts differ from the most frequent color of "
            f"their image, fewer than the {num_classes} objects that are looked for"
        )
    min_size = max(5, len(components) // (20 * num_classes))
    descriptors = np.stack([outline_descriptor(c.mask) for c in components])
    outlines = {"pose": descriptors, "place": _upright_masks(components)}
    best, best_size = None, 0
    for matching, features in outlines.items():
        clusters = _dense_clusters(features, min_size, single=num_classes == 1)
        sizes = np.bincount(clusters + 1)[1:]
        if len(sizes) < num_classes:
            continue
        largest = np.argsort(-sizes, kind="stable")[:num_classes]
        if sizes[largest[-1]] > best_size:
            best_size = sizes[largest[-1]]
            class_of_cluster = np.full(len(sizes) + 1, -1)  # the last stands for -1
            class_of_cluster[largest] = np.arange(num_classes)
            best = OutlineClasses(class_of_cluster[clusters], matching)
    return best or _kmeans_classes(descriptors, num_classes, seed)


def _kmeans_classes(
    descriptors: np.ndarray, num_classes: int, seed: int
) -> OutlineClasses:
    # Of equal outlines there are as many classes as there are different ones.
    num_different = len(np.unique(descriptors.round(3), axis=0))
    if num_different < num_classes:
        raise ValueError(
            f"the {len(descriptors)} parts that differ from the most frequent color of "
            f"their image have {num_different} outlines, fewer than the {num_classes} "
            "objects that are looked for"
        )
    kmeans = KMeans(num_classes, n_init=10, random_state=seed)
    return OutlineClasses(kmeans.fit_predict(descriptors), "kmeans")


def _dense_clusters(features: np.ndarray, min_size: int, single: bool) -> np.ndarray:
    """Return the dense cluster of each row, -1: none.

    Args:
        features: `[components, features]` float.
        min_size: Smallest number of components of a cluster.
        single: Whether all components may be one cluster.
    """
    if len(features) <= min_size:
        return np.full(len(features), -1)
    if not np.ptp(features, axis=0).any():
        return np.zeros(len(features), int)
    num_components = min(_PCA_COMPONENTS, *features.shape)
    reduced = PCA(num_components, random_state=0).fit_transform(features)
    typical_distance = float(np.median(np.linalg.norm(reduced, axis=1)))
    reduced = reduced[_representatives(reduced, _EQUAL * typical_distance)]
    hdbscan = HDBSCAN(
        min_cluster_size=min_size,
        cluster_selection_method="leaf",
        allow_single_cluster=single,
        copy=True,
    )
    return hdbscan.fit_predict(reduced)


def _representatives(points: np.ndarray, radius: float) -> np.ndarray:
    """Return for each point the index of the one that represents it.

    That is the first point within the radius that represents itself. Equal outlines
    differ by rounding, and clusters of them would split by that.

    Args:
        points: `[points, features]` float.
        radius: Distance within which points are equal.
    """
    representatives = np.full(len(points), -1)
    tree = cKDTree(points)
    for index, point in enumerate(points):
        if representatives[index] < 0:
            near = np.array(tree.query_ball_point(point, radius))
            representatives[near[representatives[near] < 0]] = index
    return representatives


def _upright_masks(components: list[ConnectedComponent]) -> np.ndarray:
    """Return `[components, side * side]` masks, upper left corners aligned."""
    side = max(max(component.mask.shape) for component in components)
    masks = np.zeros((len(components), side, side), np.float32)
    for mask, component in zip(masks, components, strict=True):
        rows, columns = component.mask.shape
        mask[:rows, :columns] = component.mask
    return masks.reshape(len(components), -1)
