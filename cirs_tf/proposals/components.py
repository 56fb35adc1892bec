"""Objects as connected parts that differ from the static background."""

import dataclasses

import numpy as np
import scipy.optimize
from scipy import ndimage
from sklearn.cluster import HDBSCAN, KMeans

from cirs_tf.proposals.alpha_matting import covered_by

_BINS = 4  # a channel, of the color histograms
_UNSURE = 255
_IMAGES = 200  # from which the background is taken
_CANDIDATES = 50


@dataclasses.dataclass(frozen=True)
class Component:
    """A connected part of an image that differs from the background.

    Attributes:
        image: Which image.
        rows: Where it lies.
        columns: Where it lies.
        mask: Its pixels in that rectangle, bool.
        edge: Pixels around them that are mostly background, bool.
        histogram: `[_BINS ** 3]`, square roots of the shares of its colors.
        whole: Whether it touches no border of the image.
    """

    image: int
    rows: slice
    columns: slice
    mask: np.ndarray
    histogram: np.ndarray
    whole: bool
    edge: np.ndarray

    @property
    def area(self) -> int:
        """Pixels."""
        return int(self.mask.sum())


@dataclasses.dataclass(frozen=True)
class Exemplar:
    """One object, cut out.

    Attributes:
        colors: `[canvas, canvas, 3]` float in [0, 1], centered on the object.
        support: `[canvas, canvas]` bool, its pixels.
    """

    colors: np.ndarray
    support: np.ndarray


@dataclasses.dataclass(frozen=True)
class Proposals:
    """What the images suggest before anything is learned.

    Attributes:
        background: `[height, width, 3]` float in [0, 1].
        exemplars: One for each of the K - 1 objects.
        labels: `[images, height, width]` uint8: 0 background, k the k-th object, 255
            unsure.
        used: How many components carry each object's label.
    """

    background: np.ndarray
    exemplars: list[Exemplar]
    labels: np.ndarray
    used: tuple[int, ...]


def propose(
    images: np.ndarray, objects: int, canvas: int, difference: float, seed: int
) -> Proposals:
    """Find the background, what differs from it, and which of that is alike.

    The background is the most frequent color at each pixel. Connected parts that
    differ from it are described by their colors, wherever they are and however they
    are turned, and clustered (`single_objects`). The exemplar of a cluster is one of
    the members nearest to its middle, the largest that the border does not cut.

    Args:
        images: `[images, height, width, 3]` uint8, unlabeled.
        objects: K - 1.
        canvas: Height and width of an exemplar in pixels.
        difference: Least squared distance in color, each channel in [0, 1], of a
            pixel that differs.
        seed: Of k-means, which stands in where there are too few dense clusters.

    Raises:
        ValueError: Fewer parts than objects differ from the background, or they are of
            fewer kinds.
    """
    scaled = images.astype(np.float32) / 255
    background = static_background(scaled[:_IMAGES], difference)
    distance = np.square(scaled - background).sum(axis=-1)
    found = components(scaled, distance > difference)
    if len(found) < objects:
        raise ValueError(
            f"{len(found)} connected parts differ from the background, fewer than the "
            f"{objects} objects that are looked for"
        )
    histograms = np.stack([one.histogram for one in found])
    areas = np.array([one.area for one in found])
    cluster = single_objects(histograms, areas, objects, seed)
    kinds = len(set(cluster) - {-1})
    if kinds < objects:
        raise ValueError(
            f"the parts that differ from the background are of {kinds} kinds by their "
            f"colors, fewer than the {objects} objects that are looked for"
        )
    # Half-way colors around the parts belong to neither side for sure.
    labels = np.where(distance > difference / 4, _UNSURE, 0).astype(np.uint8)
    exemplars = []
    for number in range(objects):
        members = [one for one, of in zip(found, cluster, strict=True) if of == number]
        members = [_solid(one, scaled[one.image], background) for one in members]
        for one in members:
            area = labels[one.image, one.rows, one.columns]
            area[one.mask] = number + 1
            area[one.edge] = 0
        exemplars.append(_exemplar(scaled, members, canvas))
    used = tuple(int((cluster == number).sum()) for number in range(objects))
    return Proposals(background, exemplars, labels, used)


def static_background(images: np.ndarray, difference: float) -> np.ndarray:
    """Return the most frequent color at each pixel.

    A median would mix channels where objects cover a pixel in half of the images.

    Args:
        images: `[images, height, width, 3]` float in [0, 1].
        difference: Squared distance up to which colors count as the same.

    Returns:
        `[height, width, 3]` float: at each pixel, the mean of the largest group of
        colors around one of the first images' colors.
    """
    best = np.zeros(images.shape[1:3], np.int64)
    background = np.zeros(images.shape[1:], np.float32)
    for candidate in images[:_CANDIDATES]:
        near = np.square(images - candidate).sum(axis=-1) < difference  # (N, H, W)
        count = near.sum(axis=0)
        mean = np.einsum("nhw,nhwc->hwc", near, images) / count[..., None]
        better = count > best
        background[better] = mean[better]
        best = np.maximum(best, count)
    return background


def components(images: np.ndarray, differs: np.ndarray) -> list[Component]:
    """Return the connected parts of each image, specks left out.

    Args:
        images: `[images, height, width, 3]` float in [0, 1].
        differs: `[images, height, width]` bool.
    """
    found = []
    least = differs.shape[1] * differs.shape[2] // 400
    for number, (image, mask) in enumerate(zip(images, differs, strict=True)):
        # 2x2: lines of one pixel go, corners stay.
        parts, _ = ndimage.label(ndimage.binary_opening(mask, np.ones((2, 2))))
        for index, (rows, columns) in enumerate(ndimage.find_objects(parts), start=1):
            part = parts[rows, columns] == index
            if part.sum() < least:
                continue
            whole = rows.start > 0 and columns.start > 0
            whole &= rows.stop < mask.shape[0] and columns.stop < mask.shape[1]
            histogram = _histogram(image[rows, columns][part])
            edge = np.zeros_like(part)
            found.append(Component(number, rows, columns, part, histogram, whole, edge))
    return found


def _histogram(pixels: np.ndarray) -> np.ndarray:
    levels = np.minimum((pixels * _BINS).astype(int), _BINS - 1)
    places = levels @ np.array([_BINS**2, _BINS, 1])
    return np.sqrt(np.bincount(places, minlength=_BINS**3) / len(pixels))


def single_objects(
    histograms: np.ndarray, areas: np.ndarray, count: int, seed: int
) -> np.ndarray:
    """Tell which parts are one object, and which object.

    Parts of like colors are clustered by density. A cluster of parts in which several
    objects touch is a mixture of the clusters of these objects: clusters are dropped
    one after the other, always the one without which the others still explain all
    clusters' pixels best, as sums with weights of 0 or more.

    Args:
        histograms: `[parts, bins]`, square roots of shares.
        areas: `[parts]`, in pixels.
        count: Number of objects.
        seed: Of k-means, which stands in where there are too few dense clusters.

    Returns:
        `[parts]`: 0 to `count` - 1, or -1 where a part is in none of these clusters.
    """
    least = max(5, len(histograms) // (20 * count))
    cluster = HDBSCAN(
        min_cluster_size=least, cluster_selection_method="leaf", copy=True
    ).fit_predict(histograms)
    if cluster.max() + 1 < count:
        return KMeans(count, n_init=10, random_state=seed).fit_predict(histograms)
    shares = np.square(histograms)
    numbers = range(cluster.max() + 1)
    means = np.stack([shares[cluster == number].mean(axis=0) for number in numbers])
    sizes = np.array([areas[cluster == number].sum() for number in numbers])
    kept = list(numbers)
    while len(kept) > count:
        left = [[one for one in kept if one != out] for out in kept]
        kept = min(left, key=lambda some: _unexplained(means, sizes, some))
    # A dense cluster may be the core of its object's parts: its surroundings belong.
    middles = [histograms[cluster == one].mean(axis=0) for one in kept]
    distances = np.stack(
        [np.linalg.norm(histograms - middle, axis=1) for middle in middles], axis=1
    )
    radii = [
        np.quantile(distances[cluster == one, place], 0.95)
        for place, one in enumerate(kept)
    ]
    nearest = distances.argmin(axis=1)
    inside = distances.min(axis=1) <= 1.5 * np.array(radii)[nearest]
    return np.where(inside, nearest, -1)


def _unexplained(means: np.ndarray, sizes: np.ndarray, kept: list[int]) -> float:
    """Return what is left of all clusters' means beside sums of those kept."""
    left = [scipy.optimize.nnls(means[kept].T, mean)[1] for mean in means]
    return float(sizes @ np.square(left))


def _solid(one: Component, image: np.ndarray, background: np.ndarray) -> Component:
    """Move pixels of the rim that the object covers by less than a half to the edge."""
    inside = ndimage.binary_erosion(one.mask)
    if not inside.any():
        return one
    area = one.rows, one.columns
    _, moved, length = covered_by(image[area], background[area], inside)
    edge = one.mask & ~inside & (moved < 0.5 * length)
    return dataclasses.replace(one, mask=one.mask & ~edge, edge=edge)


def _exemplar(images: np.ndarray, members: list[Component], canvas: int) -> Exemplar:
    whole = [one for one in members if one.whole] or members
    middle = np.median([one.histogram for one in whole], axis=0)
    distances = [np.square(one.histogram - middle).sum() for one in whole]
    # Of the most typical ones the largest: it is the least hidden.
    typical = np.argsort(distances, kind="stable")[: max(1, len(whole) // 4)]
    best = max((whole[index] for index in typical), key=lambda one: one.area)
    rows, columns = np.nonzero(best.mask)
    top = best.rows.start + round(rows.mean()) - canvas // 2
    left = best.columns.start + round(columns.mean()) - canvas // 2
    mask = np.zeros(images.shape[1:3], bool)
    mask[best.rows, best.columns] = best.mask
    pad = ((canvas, canvas), (canvas, canvas))
    area = np.s_[top + canvas : top + 2 * canvas, left + canvas : left + 2 * canvas]
    colors = np.pad(images[best.image], (*pad, (0, 0)), mode="edge")[area]
    return Exemplar(colors, np.pad(mask, pad)[area])
