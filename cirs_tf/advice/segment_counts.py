"""How many kinds of segments recur: of objects, outlines, colors and features."""

import functools

import numpy as np
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors

from cirs_tf.advice.stability import StableCounts, stable_counts
from cirs_tf.layers.center_votes import CenterVotes
from cirs_tf.methods.deep_clustering import DeepClustering
from cirs_tf.methods.registry import load_config
from cirs_tf.proposals.backgrounds import (
    DIFFERS,
    flat_background_colors,
    static_background,
)
from cirs_tf.proposals.color_clusters import assign_objects, color_histogram
from cirs_tf.proposals.connected_components import ConnectedComponent
from cirs_tf.proposals.evenly_spaced import evenly_spaced
from cirs_tf.proposals.feature_clusters import (
    cluster_centers,
    merge_centers,
    principal_components,
)
from cirs_tf.proposals.object_proposals import foreground_components
from cirs_tf.proposals.outline_clusters import outline_descriptor
from cirs_tf.words.color_words import (
    color_bins,
    fit_color_words,
    words_of,
)
from cirs_tf.words.color_words import (
    color_histogram as histogram_of_images,
)
from cirs_tf.words.cooccurrence import count_cooccurrences
from cirs_tf.words.word_vectors import word_vectors

_ROUNDS, _FEW_ROUNDS = 12, 3
_OBJECTS = tuple(range(2, 9))
_OUTLINES = (*range(2, 11), 12, 15, 20)
_NEIGHBORS, _ALIKE = 5, 0.6
_COLORS = tuple(range(2, 10))
_FEATURES = tuple(range(2, 17))
_FEATURE_IMAGES, _FEATURE_PLACES = 60, 60
_FEATURE_CLUSTERINGS, _FEATURE_CLUSTERS = 3, 40


def object_counts(images: np.ndarray, seed: int) -> StableCounts:
    """Count kinds of objects before a static background, by their colors.

    Args:
        images: `[images, height, width, 3]` uint8.
        seed: Seed of halves and clusterings.

    Raises:
        ValueError: Too little differs from the background.
    """
    scaled = np.float32(images) / 255
    background = static_background(scaled, DIFFERS)
    differs = np.square(scaled - background).sum(axis=-1) > DIFFERS
    components = _components(differs)
    histograms = np.array(
        [color_histogram(scaled[c.image][c.box][c.mask]) for c in components]
    )
    areas = np.array([component.area for component in components])

    def cluster(members: np.ndarray, count: int, seed: int) -> np.ndarray:
        own = histograms[members]
        objects = assign_objects(own, areas[members], count, seed)
        kinds = [kind for kind in range(count) if (objects == kind).any()]
        centers = np.stack([own[objects == kind].mean(axis=0) for kind in kinds])
        return _nearest(histograms, centers)

    origins = np.array([component.image for component in components])
    return stable_counts(cluster, origins, _OBJECTS, _ROUNDS, seed)


def outline_counts(images: np.ndarray, seed: int) -> StableCounts:
    """Count kinds of outlines before backgrounds of one flat color each.

    Those of objects that touch are no kinds: only outlines with others like them count.

    Args:
        images: `[images, height, width, 3]` uint8.
        seed: Seed of halves and clusterings.

    Raises:
        ValueError: Too little differs from the backgrounds.
    """
    colors = np.float32(flat_background_colors(images)) / 255
    scaled = np.float32(images) / 255
    differs = np.square(scaled - colors[:, None, None]).sum(axis=-1) > DIFFERS
    components = _components(differs)
    outlines = np.array([outline_descriptor(c.mask) for c in components]).round(3)
    alike = _most_alike(outlines)
    outlines = outlines[alike]

    def cluster(members: np.ndarray, count: int, seed: int) -> np.ndarray:
        own = outlines[members]
        if len(np.unique(own, axis=0)) < count:
            raise ValueError(f"fewer than {count} outlines")
        return KMeans(count, n_init=4, random_state=seed).fit(own).predict(outlines)

    origins = np.array([component.image for component in components])[alike]
    return stable_counts(
        cluster, origins, _OUTLINES, _ROUNDS, seed, finest=True, tolerance=0.005
    )


def color_counts(images: np.ndarray, seed: int) -> StableCounts:
    """Count kinds of colors by what they appear beside, as `cirs` sees them.

    Args:
        images: `[images, height, width, 3]` uint8.
        seed: Seed of halves and clusterings.

    Raises:
        ValueError: There are too few colors.
    """
    options = load_config("cirs").words
    every = max(1, max(images.shape[1:3]) // 64)
    images = images[:, ::every, ::every]
    sample = color_bins(images[:, ::3, ::3])
    origins = np.repeat(np.arange(len(images)), sample[0].size)

    @functools.lru_cache(maxsize=2)
    def counted(chosen: tuple[int, ...], seed: int):
        own = images[list(chosen)]
        words = fit_color_words(histogram_of_images([own]), options.count, seed)
        found = words_of(own, words.table)
        counts = count_cooccurrences([found], len(words.colors), options.radius)
        sizes = np.bincount(found.ravel(), minlength=len(words.colors))
        return words.table.ravel(), counts, np.sqrt(sizes)

    def cluster(members: np.ndarray, count: int, seed: int) -> np.ndarray:
        table, counts, weights = counted(tuple(np.unique(origins[members])), seed)
        vectors = word_vectors(counts, count - 1)
        vectors -= vectors.mean(axis=0)
        kmeans = KMeans(count, n_init=10, random_state=seed)
        kinds = kmeans.fit_predict(vectors, sample_weight=weights)
        return kinds[table[sample.ravel()]]

    return stable_counts(cluster, origins, _COLORS, _FEW_ROUNDS, seed)


def feature_counts(images: np.ndarray, seed: int) -> StableCounts:
    """Count classes of photographs, by the features of `deep_clustering`.

    Args:
        images: `[images, height, width, 3]` uint8.
        seed: Seed of halves and clusterings.

    Raises:
        ConfigError: The extra `pretrained` is not installed.
        ValueError: There are too few images.
    """
    method = DeepClustering(load_config("deep_clustering"), *images.shape[1:3])
    chosen = evenly_spaced(len(images), _FEATURE_IMAGES)
    sampled = method.sample_places(images, chosen, _FEATURE_PLACES)
    projected = []
    for features in sampled.values():
        projection = principal_components(features, method.options.components)
        projected.append(features @ projection.matrix + projection.offset)
    vectors = np.concatenate(projected, axis=1)
    origins = np.repeat(np.arange(len(chosen)), len(vectors) // len(chosen))

    @functools.lru_cache(maxsize=2)
    def centers_of(chosen: tuple[int, ...], seed: int) -> np.ndarray:
        own = vectors[np.isin(origins, chosen)]
        return cluster_centers(own, _FEATURE_CLUSTERINGS, _FEATURE_CLUSTERS, seed)

    def cluster(members: np.ndarray, count: int, seed: int) -> np.ndarray:
        centers = centers_of(tuple(np.unique(origins[members])), seed)
        votes = CenterVotes(_FEATURE_CLUSTERINGS, _FEATURE_CLUSTERS, count)
        votes.build((None, None, None, vectors.shape[1]))
        votes.assign(centers, merge_centers(centers, count))
        return votes(vectors[None, None]).numpy()[0, 0].argmax(axis=-1)

    return stable_counts(
        cluster, origins, _FEATURES, _FEW_ROUNDS, seed, finest=True, tolerance=0.1
    )


def _components(differs: np.ndarray) -> list[ConnectedComponent]:
    """Return the parts of masks; raise a ValueError where there are too few."""
    components = foreground_components(differs)
    if len(components) < 2:
        raise ValueError("too little differs from the background to count kinds")
    return components


def _most_alike(vectors: np.ndarray) -> np.ndarray:
    """Return `[vectors]` bool: the share that has its fifth neighbor nearest."""
    neighbors = NearestNeighbors(n_neighbors=min(_NEIGHBORS + 1, len(vectors)))
    distances = neighbors.fit(vectors).kneighbors(vectors)[0][:, -1]
    return distances <= np.quantile(distances, _ALIKE)


def _nearest(vectors: np.ndarray, centers: np.ndarray) -> np.ndarray:
    distances = np.square(vectors[:, None] - centers).sum(axis=-1)
    return distances.argmin(axis=1)
