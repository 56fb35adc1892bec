"""Superpixels of an image, what they look like, and the borders between them."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from skimage.color import rgb2lab
from skimage.segmentation import slic

from cirs_tf.hierarchy import NUM_SUPERPIXELS

COMPACTNESS = 12.0
# Pixels of blur, in which the contrast of borders is measured.
_CONTRAST_SCALES = (1.0, 2.0)
# Bins per channel, and the ranges of L*, a* and b* that they divide.
_BINS = 10
_BIN_RANGES = ((0, 100), (-40, 40), (-40, 40))


# An image to maps by name, each with its stride.
FeatureExtractor = Callable[[np.ndarray], Mapping[str, tuple[np.ndarray, int]]]


@dataclasses.dataclass(frozen=True)
class RegionGraph:
    """Superpixels and which of them touch.

    Attributes:
        superpixels: `[height, width]` int32, from 0, each number in use.
        areas: `[superpixels]` int64, pixels.
        appearance: By name, `[superpixels, values]` float32 of about unit range: the
            mean `color` (L*a*b* / 25), its `spread` (standard deviations / 15), the
            `histogram` (roots of the shares of 10 bins a channel), and the mean of each
            feature map.
        pairs: `[pairs, 2]` int32, superpixels that touch, the lower first, sorted.
        lengths: `[pairs]` int64, sides of pixels along their border.
        contrasts: `[pairs]` float64, mean gradient of L*a*b* along it, 0 or more.
    """

    superpixels: np.ndarray
    areas: np.ndarray
    appearance: dict[str, np.ndarray]
    pairs: np.ndarray
    lengths: np.ndarray
    contrasts: np.ndarray


def region_graph(
    image: np.ndarray,
    num_superpixels: int = NUM_SUPERPIXELS,
    compactness: float = COMPACTNESS,
    features: FeatureExtractor | None = None,
) -> RegionGraph:
    """Divide an image into superpixels (SLIC) and describe them.

    Args:
        image: `[height, width, 3]` uint8.
        num_superpixels: About how many; 1 or more. Small images get more, at most one
            per pixel.
        compactness: Of SLIC: how much more even shape counts than color.
        features: Of the image: by name, `[rows, columns, channels]` values and their
            stride in pixels, as `FeatureMaps` of a backbone; None: none.

    Returns:
        Superpixels, their looks and their borders.

    Raises:
        ValueError: The image is none.

    Reference: Achanta et al. 2012, SLIC Superpixels.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"image: expected [height, width, 3] uint8, got {image.dtype} {image.shape}"
        )
    found = slic(image, num_superpixels, compactness, start_label=0)
    numbers, superpixels = np.unique(found, return_inverse=True)
    superpixels = superpixels.reshape(found.shape).astype(np.int32)
    lab = rgb2lab(image).astype(np.float32)
    pairs, lengths, contrasts = _borders(superpixels, _contrast(lab))
    appearance = _appearance(superpixels, lab)
    if features is not None:
        appearance |= _feature_means(superpixels, features(image))
    return RegionGraph(
        superpixels,
        np.bincount(superpixels.ravel(), minlength=len(numbers)),
        appearance,
        pairs,
        lengths,
        contrasts,
    )


def mean_in_regions(regions: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return means over regions.

    Args:
        regions: `[height, width]` integers from 0, each number in use.
        values: `[height, width, channels]`.

    Returns:
        `[regions, channels]` float64.
    """
    flat = regions.ravel()
    sums = [np.bincount(flat, channel.ravel()) for channel in np.moveaxis(values, 2, 0)]
    return np.stack(sums, axis=1) / np.bincount(flat)[:, None]


def mean_of_map(regions: np.ndarray, values: np.ndarray, stride: int) -> np.ndarray:
    """Return means over regions of a map that is enlarged to them (bilinear).

    Args:
        regions: `[height, width]` integers from 0, each number in use.
        values: `[rows, columns, channels]`, value i about pixels around
            (i + 1/2) stride - 1/2.
        stride: In pixels.

    Returns:
        `[regions, channels]` float32.
    """
    rows, columns, channels = values.shape
    low, high = [], []
    for size, count in zip(regions.shape, (rows, columns), strict=True):
        place = np.clip((np.arange(size) + 0.5) / stride - 0.5, 0, count - 1)
        first = np.minimum(place.astype(int), max(count - 2, 0))
        high.append(place - first)
        low.append(first)
    weights, cells = [], []
    for down in (0, 1):
        share = high[0] if down else 1 - high[0]
        row = np.minimum(low[0] + down, rows - 1)
        for right in (0, 1):
            weights.append(np.outer(share, high[1] if right else 1 - high[1]).ravel())
            column = np.minimum(low[1] + right, columns - 1)
            cells.append(np.add.outer(row * columns, column).ravel())
    flat = regions.ravel()
    areas = np.bincount(flat)
    # Of each region, how much each value of the map weighs in it.
    share_of = coo_array(
        (np.concatenate(weights), (np.tile(flat, 4), np.concatenate(cells))),
        shape=(len(areas), rows * columns),
    ).tocsr()
    sums = share_of @ values.reshape(-1, channels).astype(np.float64)
    return (sums / areas[:, None]).astype(np.float32)


def _feature_means(
    superpixels: np.ndarray, maps: Mapping[str, tuple[np.ndarray, int]]
) -> dict[str, np.ndarray]:
    """Return the mean of each map; maps of one size are enlarged together."""
    by_size: dict[tuple, list[str]] = {}
    for name, (values, stride) in maps.items():
        by_size.setdefault((values.shape[:2], stride), []).append(name)
    means = {}
    for (_, stride), names in by_size.items():
        parts = [maps[name][0] for name in names]
        found = mean_of_map(superpixels, np.concatenate(parts, axis=2), stride)
        ends = np.cumsum([part.shape[2] for part in parts])[:-1]
        means |= zip(names, np.split(found, ends, axis=1), strict=True)
    return {name: means[name] for name in maps}


def _appearance(superpixels: np.ndarray, lab: np.ndarray) -> dict[str, np.ndarray]:
    mean = mean_in_regions(superpixels, lab)
    # The difference of two large numbers: in float64.
    square = mean_in_regions(superpixels, lab.astype(np.float64) ** 2)
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    areas = np.bincount(superpixels.ravel())
    histograms = []
    for channel, (low, high) in enumerate(_BIN_RANGES):
        place = (lab[..., channel] - low) / (high - low) * _BINS
        bins = np.clip(place, 0, _BINS - 1).astype(int)
        counts = np.bincount(
            (superpixels * _BINS + bins).ravel(), minlength=_BINS * len(areas)
        )
        histograms.append(np.sqrt(counts.reshape(-1, _BINS) / areas[:, None]))
    parts = {
        "color": mean / 25,
        "spread": spread / 15,
        "histogram": np.concatenate(histograms, axis=1),
    }
    return {name: part.astype(np.float32) for name, part in parts.items()}


def _contrast(lab: np.ndarray) -> np.ndarray:
    """Return `[height, width]`, the length of the gradient, summed over scales."""
    total = np.zeros(lab.shape[:2])
    for scale in _CONTRAST_SCALES:
        squares = np.zeros(lab.shape[:2])
        for channel in np.moveaxis(lab, 2, 0):
            blurred = ndimage.gaussian_filter(channel, scale)
            for axis in (0, 1):
                squares += (ndimage.sobel(blurred, axis) / 8) ** 2
        total += scale * np.sqrt(squares)
    return total


def _borders(
    superpixels: np.ndarray, contrast: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs that touch, the lengths of their borders and the mean contrasts."""
    sides = [
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
        ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
    ]
    pairs, strengths = [], []
    for here, there in sides:
        a, b = superpixels[here], superpixels[there]
        is_border = a != b
        pairs.append(np.sort(np.stack([a[is_border], b[is_border]], axis=1), axis=1))
        strengths.append(np.maximum(contrast[here], contrast[there])[is_border])
    unique, index, lengths = np.unique(
        np.concatenate(pairs), axis=0, return_inverse=True, return_counts=True
    )
    sums = np.bincount(index.ravel(), np.concatenate(strengths), len(unique))
    return unique.reshape(-1, 2), lengths, sums / np.maximum(lengths, 1)
