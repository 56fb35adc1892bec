"""Kinds of moving parts: connected parts of masks, sorted by color and size."""

import numpy as np
from scipy import ndimage
from skimage.color import rgb2lab
from sklearn.cluster import KMeans

_COLOR_UNIT = 20.0  # of L*a*b*: as far apart as a factor of two in side
NUM_FEATURES = 4


def part_features(image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Describe each connected part of a mask by its color and its size.

    Args:
        image: `[height, width, 3]` float in [0, 1].
        mask: `[height, width]` of 0 and 1. Parts are connected by edges or corners.

    Returns:
        `[height, width]` int32: the part of each pixel from 1 on, 0 where there is
        none; `[parts, 4]` float64: mean L*a*b* / 20, and log2 of the root of the area.

    Example:
        >>> image, mask = np.full((4, 6, 3), 0.0), np.zeros((4, 6))
        >>> mask[:2, :2] = mask[:, 4:] = 1
        >>> parts, features = part_features(image, mask)
        >>> print(parts.max(), features[:, 3])
        2 [1.  1.5]
    """
    parts, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        return parts, np.zeros((0, NUM_FEATURES))
    indices = np.arange(1, count + 1)
    lab = rgb2lab(image)
    colors = [ndimage.mean(lab[..., c], parts, indices) for c in range(3)]
    areas = ndimage.sum_labels(mask, parts, indices)
    sizes = np.log2(areas) / 2
    return parts, np.stack([*(np.array(colors) / _COLOR_UNIT), sizes], axis=1)


def kind_centers(features: np.ndarray, kinds: int, seed: int) -> np.ndarray:
    """Cluster parts by k-means; the kinds are in the order of their sizes.

    Args:
        features: `[parts, 4]`, from `part_features`.
        kinds: How many.
        seed: Seed of the first centers.

    Returns:
        `[kinds, 4]` float32.

    Raises:
        ValueError: There are fewer different parts than kinds.
    """
    found = len(np.unique(features, axis=0))
    if found < kinds:
        raise ValueError(
            f"{found} parts move in the frames that were looked at, fewer than the "
            f"{kinds} kinds that are looked for"
        )
    centers = KMeans(kinds, n_init=10, random_state=seed).fit(features).cluster_centers_
    return np.float32(centers[np.argsort(centers[:, -1])])


def kinds_of_parts(
    images: np.ndarray, masks: np.ndarray, centers: np.ndarray
) -> np.ndarray:
    """Label the pixels of each part by the nearest kind.

    Args:
        images: `[images, height, width, 3]` float in [0, 1].
        masks: `[images, height, width]` of 0 and 1.
        centers: `[kinds, 4]`, from `kind_centers`.

    Returns:
        `[images, height, width]` int32: 0 where the mask is, 1 to kinds.
    """
    labels = np.zeros(masks.shape, np.int32)
    for index, (image, mask) in enumerate(zip(images, masks, strict=True)):
        parts, features = part_features(image, mask)
        distances = np.square(features[:, None] - centers).sum(axis=-1)
        nearest = 1 + distances.argmin(axis=1)
        labels[index] = np.concatenate([[0], nearest])[parts]
    return labels
