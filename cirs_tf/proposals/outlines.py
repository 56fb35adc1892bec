"""Objects as outlines that recur from image to image, whatever their colors."""

import dataclasses

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.decomposition import PCA

from cirs_tf.proposals.alpha_matting import covered_by

_LEVELS = 16  # a channel, when the most frequent color is looked for
_DIRECTIONS, _RINGS, _FREQUENCIES = 32, 8, 9
_REACH = 1.7  # of the rings, in radii of a disc of the same area
_COMPONENTS = 16  # of outlines, that are compared
_SAME = 0.01  # distance of equal outlines, beside that from the mean outline
_VISIBLE = 3 * (2 / 255) ** 2  # squared distance: two levels in each channel
_MANY_COLORS = 0.8  # quantile of the spread of colors from which a part is left out


@dataclasses.dataclass(frozen=True)
class CutOuts:
    """Parts of images by kind, ready to be pasted.

    Attributes:
        patches: `[K - 1, members, canvas, canvas, 4]` uint8: RGB, and which share of
            the pixel is covered (255: all of it); the part lies in the middle.
        middles: `[K - 1, 2, 2]` float32: least and greatest row and column, in pixels,
            of the middles of each kind's parts.
        backgrounds: `[images, 3]` uint8: the color behind the parts of each image.
        parts_per_image: Mean number of parts an image, by area.
        matched: `pose`: kinds are the same however turned, mirrored and sized; `place`:
            they are not; `kmeans`: no outlines recur, all parts were divided.
        kind_sizes: How many parts are of each kind.
    """

    patches: np.ndarray
    middles: np.ndarray
    backgrounds: np.ndarray
    parts_per_image: float
    matched: str
    kind_sizes: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class _Part:
    image: int
    rows: slice
    columns: slice
    mask: np.ndarray


def cut_outs(
    images: np.ndarray,
    objects: int,
    canvas: int,
    members: int,
    difference: float,
    seed: int,
) -> CutOuts:
    """Find the outlines that recur most, and parts of each of these kinds.

    Parts are what is connected and differs from the most frequent color of its image.
    An object that touches no other one is a part whose outline recurs; several that
    touch make an outline of their own. Outlines are clustered by density, compared at
    any turn and size, and as they lie; the K - 1 largest clusters are the kinds, of
    that comparison by which the least of them is larger. Where neither gives K - 1,
    k-means stands in.

    Args:
        images: `[images, height, width, 3]` uint8, unlabeled.
        objects: K - 1.
        canvas: Height and width of a patch in pixels.
        members: Patches of each kind.
        difference: Four times the least squared distance in color, each channel in
            [0, 1], of a pixel that differs.
        seed: Of the choice of members, and of k-means.

    Raises:
        ValueError: There are fewer parts than objects, or all are of fewer kinds.
    """
    scaled = images.astype(np.float32) / 255
    backgrounds = flat_backgrounds(images)
    behind = backgrounds.astype(np.float32)[:, None, None] / 255
    distance = np.square(scaled - behind).sum(axis=-1)
    differs = distance > difference / 4
    soft = _soft_borders(differs, distance)
    parts = _parts(differs, canvas)
    cluster, matched = _kinds(parts, objects, seed)
    rng = np.random.default_rng(seed)
    patches, middles = [], []
    for number in range(objects):
        kind = [one for one, of in zip(parts, cluster, strict=True) if of == number]
        spread = np.array([_color_spread(scaled[one.image], one) for one in kind])
        plain = np.flatnonzero(spread <= np.quantile(spread, _MANY_COLORS))
        chosen = rng.choice(plain, members, replace=len(plain) < members)
        patches.append(
            [
                _patch(scaled[one.image], one, behind[one.image], soft, canvas)
                for one in (kind[index] for index in chosen)
            ]
        )
        places = np.array([_middle(one) for one in kind])
        middles.append([places.min(axis=0), places.max(axis=0)])
    areas = np.array([one.mask.sum() for one in parts])
    parts_per_image = differs.sum() / areas[cluster >= 0].mean() / len(images)
    return CutOuts(
        np.rint(255 * np.array(patches)).astype(np.uint8),
        np.array(middles, np.float32),
        backgrounds,
        float(parts_per_image),
        matched,
        tuple(int((cluster == number).sum()) for number in range(objects)),
    )


def flat_backgrounds(images: np.ndarray) -> np.ndarray:
    """Return the most frequent color of each image, `[images, 3]` uint8.

    Args:
        images: `[images, height, width, 3]` uint8.
    """
    found = np.empty((len(images), 3), np.uint8)
    step = 256 // _LEVELS
    for color, image in zip(found, images, strict=True):
        pixels = image.reshape(-1, 3)
        bins = (pixels // step).astype(int) @ np.array([_LEVELS**2, _LEVELS, 1])
        color[:] = np.median(pixels[bins == np.bincount(bins).argmax()], axis=0)
    return found


def turned_outline(mask: np.ndarray) -> np.ndarray:
    """Describe an outline at any place, turn and size, or mirrored.

    The mask is read along rings around its center of gravity, whose radii go with the
    root of its area; of each ring, the magnitudes of the Fourier coefficients over
    the angle stay the same when it turns.

    Args:
        mask: `[rows, columns]` bool.

    Returns:
        `[_RINGS * _FREQUENCIES]` float.
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
    read = ndimage.map_coordinates(smooth, np.add(places, 2), order=1)
    return np.abs(np.fft.rfft(read, axis=1)[:, :_FREQUENCIES]).ravel() / _DIRECTIONS


def _parts(differs: np.ndarray, canvas: int) -> list[_Part]:
    """Return connected parts that are no specks and fit a canvas with their rims."""
    found = []
    least = max(2, differs.shape[1] * differs.shape[2] // 400)
    for number, mask in enumerate(differs):
        labels, _ = ndimage.label(mask)
        for index, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
            part = labels[rows, columns] == index
            if part.sum() >= least and max(part.shape) <= canvas - 2:
                found.append(_Part(number, rows, columns, part))
    return found


def _kinds(parts: list[_Part], objects: int, seed: int) -> tuple[np.ndarray, str]:
    """Return each part's kind, -1: none, and how outlines were compared."""
    if len(parts) < objects:
        raise ValueError(
            f"{len(parts)} connected parts differ from the most frequent color of "
            f"their image, fewer than the {objects} objects that are looked for"
        )
    least = max(5, len(parts) // (20 * objects))
    turned = np.stack([turned_outline(one.mask) for one in parts])
    found = []
    for matched in ("pose", "place"):
        outlines = turned if matched == "pose" else _upright(parts)
        cluster = _dense(outlines, least, single=objects == 1)
        sizes = np.bincount(cluster + 1)[1:]
        if len(sizes) >= objects:
            largest = np.argsort(-sizes, kind="stable")[:objects]
            names = np.full(len(sizes) + 1, -1)
            names[largest] = np.arange(objects)
            found.append((sizes[largest[-1]], names[cluster], matched))
    if found:
        return max(found, key=lambda one: one[0])[1:]
    # Of equal outlines there are as many kinds as there are different ones.
    different = len(np.unique(turned.round(3), axis=0))
    if different < objects:
        raise ValueError(
            f"the {len(parts)} parts that differ from the most frequent color of "
            f"their image have {different} outlines, fewer than the {objects} objects "
            "that are looked for"
        )
    kmeans = KMeans(objects, n_init=10, random_state=seed)
    return kmeans.fit_predict(turned), "kmeans"


def _dense(described: np.ndarray, least: int, single: bool) -> np.ndarray:
    """Return the dense cluster of each row, -1: none."""
    if len(described) <= least:
        return np.full(len(described), -1)
    if not np.ptp(described, axis=0).any():
        return np.zeros(len(described), int)
    components = min(_COMPONENTS, *described.shape)
    reduced = PCA(components, random_state=0).fit_transform(described)
    typical = float(np.median(np.linalg.norm(reduced, axis=1)))
    reduced = reduced[_first_alike(reduced, _SAME * typical)]
    hdbscan = HDBSCAN(
        min_cluster_size=least,
        cluster_selection_method="leaf",
        allow_single_cluster=single,
        copy=True,
    )
    return hdbscan.fit_predict(reduced)


def _first_alike(points: np.ndarray, radius: float) -> np.ndarray:
    """Return for each point the first one within a radius that stands for itself.

    Equal outlines differ by rounding, and clusters of them would split by that.
    """
    stands = np.full(len(points), -1)
    tree = cKDTree(points)
    for index, point in enumerate(points):
        if stands[index] < 0:
            near = np.array(tree.query_ball_point(point, radius))
            stands[near[stands[near] < 0]] = index
    return stands


def _upright(parts: list[_Part]) -> np.ndarray:
    """Return masks from their upper left corners."""
    side = max(max(one.mask.shape) for one in parts)
    found = np.zeros((len(parts), side, side), np.float32)
    for place, one in zip(found, parts, strict=True):
        place[: one.mask.shape[0], : one.mask.shape[1]] = one.mask
    return found.reshape(len(parts), -1)


def _soft_borders(differs: np.ndarray, distance: np.ndarray) -> bool:
    """Tell whether pixels next to the parts show a little of them: anti-aliasing."""
    grown = ndimage.binary_dilation(differs, np.ones((1, 3, 3)))
    around = distance[grown & ~differs]
    return np.count_nonzero(around > _VISIBLE) > 0.01 * len(around)


def _color_spread(image: np.ndarray, part: _Part) -> float:
    """Return the variance of a part's colors, by their mean brightness squared."""
    inside = ndimage.binary_erosion(part.mask)
    pixels = image[part.rows, part.columns][inside if inside.any() else part.mask]
    brightness = np.square(pixels.mean(axis=0)).sum()
    return float(pixels.var(axis=0).sum() / max(brightness, 1e-6))


def _middle(part: _Part) -> tuple[int, int]:
    return (
        (part.rows.start + part.rows.stop) // 2,
        (part.columns.start + part.columns.stop) // 2,
    )


def _patch(
    image: np.ndarray, part: _Part, behind: np.ndarray, soft: bool, canvas: int
) -> np.ndarray:
    """Cut out a part, `[canvas, canvas, 4]` float in [0, 1]: RGB, share covered."""
    mask = np.zeros(image.shape[:2], bool)
    mask[part.rows, part.columns] = part.mask
    inside = ndimage.binary_erosion(mask)
    if soft and inside.any():
        colors, moved, length = covered_by(image, behind, inside)
        share = np.clip(moved / np.maximum(length, 1e-6), 0, 1)
        covered = share * ndimage.binary_dilation(mask)
        covered[inside] = 1
    else:
        colors, covered = image, mask
    patch = np.concatenate([colors, covered[..., None]], axis=-1)
    patch = np.pad(patch, ((canvas, canvas), (canvas, canvas), (0, 0)))
    row, column = (place - canvas // 2 + canvas for place in _middle(part))
    return patch[row : row + canvas, column : column + canvas]
