"""Objects as connected components that differ from the static background."""

import dataclasses

import numpy as np
from scipy import ndimage

from cirs_tf.proposals.alpha_matting import estimate_alpha
from cirs_tf.proposals.backgrounds import BACKGROUND_IMAGES, static_background
from cirs_tf.proposals.color_clusters import assign_objects, color_histogram
from cirs_tf.proposals.connected_components import (
    ConnectedComponent,
    connected_components,
    crop_square,
)

UNSURE = 255  # label of pixels that may be background or object
_MIN_AREA_DIVISOR = 400  # smaller parts of an image are specks


@dataclasses.dataclass(frozen=True)
class Exemplar:
    """Cut-out of one typical instance of an object.

    Attributes:
        colors: `[canvas, canvas, 3]` float in [0, 1], centered on the object.
        support: `[canvas, canvas]` bool, the object's pixels.
    """

    colors: np.ndarray
    support: np.ndarray


@dataclasses.dataclass(frozen=True)
class Proposals:
    """Background, objects and pseudo-labels, taken from unlabeled images.

    Attributes:
        background: `[height, width, 3]` float in [0, 1].
        exemplars: One for each of the K - 1 objects.
        labels: `[images, height, width]` uint8: 0 background, k the k-th object,
            `UNSURE` where neither is sure.
        components_per_object: Number of components that carry each object's label.
    """

    background: np.ndarray
    exemplars: list[Exemplar]
    labels: np.ndarray
    components_per_object: tuple[int, ...]


def propose(
    images: np.ndarray,
    num_objects: int,
    canvas: int,
    background_threshold: float,
    seed: int,
) -> Proposals:
    """Find the background, what differs from it, and which of that is alike.

    The background is the most frequent color at each pixel. Connected components that
    differ from it are described by their colors, wherever they are and however they are
    turned, and clustered (`assign_objects`). The exemplar of a cluster is one of the
    components nearest to its median, the largest that the border does not cut.

    Args:
        images: `[images, height, width, 3]` uint8, unlabeled.
        num_objects: K - 1, the number of objects to find.
        canvas: Height and width of an exemplar in pixels.
        background_threshold: Squared RGB distance, summed over channels in [0, 1], from
            which a pixel differs from the background.
        seed: Seed of k-means, which is used where there are too few dense clusters.

    Returns:
        The proposals.

    Raises:
        ValueError: Fewer components than objects differ from the background, or they
            form fewer clusters.
    """
    scaled = images.astype(np.float32) / 255
    background = static_background(scaled[:BACKGROUND_IMAGES], background_threshold)
    distance = np.square(scaled - background).sum(axis=-1)
    components = foreground_components(distance > background_threshold)
    histograms = [color_histogram(scaled[c.image][c.box][c.mask]) for c in components]
    objects = _assign_or_raise(components, histograms, num_objects, seed)
    # Half of the contrast is a quarter of the squared distance: such colors around
    # components belong to neither side for sure.
    half_covered = distance > background_threshold / 4
    labels = np.where(half_covered, UNSURE, 0).astype(np.uint8)
    exemplars = []
    for index in range(num_objects):
        members = np.flatnonzero(objects == index)
        trimmed = []
        for member in members:
            component = components[member]
            component, trimmed_away = _trim_border(component, scaled, background)
            box_labels = labels[component.image][component.box]
            box_labels[component.mask] = index + 1
            box_labels[trimmed_away] = 0
            trimmed.append(component)
        member_histograms = [histograms[member] for member in members]
        exemplars.append(exemplar(scaled, trimmed, member_histograms, canvas))
    counts = tuple(int((objects == index).sum()) for index in range(num_objects))
    return Proposals(background, exemplars, labels, counts)


def foreground_components(foreground: np.ndarray) -> list[ConnectedComponent]:
    """Return the connected components of each image, without specks and thin lines.

    Args:
        foreground: `[images, height, width]` bool.
    """
    # 2x2: lines of one pixel go, corners stay.
    opened = (ndimage.binary_opening(mask, np.ones((2, 2))) for mask in foreground)
    return connected_components(opened, min_component_area(foreground[0].size))


def min_component_area(pixels: int) -> int:
    """Return the area from which a component of an image of `pixels` is no speck."""
    return pixels // _MIN_AREA_DIVISOR


def _assign_or_raise(
    components: list[ConnectedComponent],
    histograms: list[np.ndarray],
    num_objects: int,
    seed: int,
) -> np.ndarray:
    """Return each component's object, `[components]`, -1 for none."""
    if len(components) < num_objects:
        raise ValueError(
            f"{len(components)} connected parts differ from the background, fewer than "
            f"the {num_objects} objects that are looked for"
        )
    areas = np.array([component.area for component in components])
    objects = assign_objects(np.stack(histograms), areas, num_objects, seed)
    num_clusters = len(set(objects) - {-1})
    if num_clusters < num_objects:
        raise ValueError(
            f"the parts that differ from the background form {num_clusters} clusters "
            f"by their colors, fewer than the {num_objects} objects that are looked for"
        )
    return objects


def _trim_border(
    component: ConnectedComponent, images: np.ndarray, background: np.ndarray
) -> tuple[ConnectedComponent, np.ndarray]:
    """Take away pixels at the border that the object covers by less than a half.

    Returns:
        The trimmed component, and `[rows, columns]` bool, the pixels taken away.
    """
    inside = ndimage.binary_erosion(component.mask)
    if not inside.any():
        return component, np.zeros_like(component.mask)
    image = images[component.image][component.box]
    alpha, _ = estimate_alpha(image, background[component.box], inside)
    trimmed_away = component.mask & ~inside & (alpha < 0.5)
    mask = component.mask & ~trimmed_away
    return dataclasses.replace(component, mask=mask), trimmed_away


def exemplar(
    images: np.ndarray,
    components: list[ConnectedComponent],
    histograms: list[np.ndarray],
    canvas: int,
) -> Exemplar:
    """Cut out a typical, large component of an object; whole ones are preferred.

    Args:
        images: `[images, height, width, 3]` float in [0, 1].
        components: The object's.
        histograms: Of the colors of each component.
        canvas: Height and width of the exemplar in pixels.
    """
    height, width = images.shape[1:3]
    pairs = list(zip(components, histograms, strict=True))
    pairs = [p for p in pairs if not p[0].touches_border(height, width)] or pairs
    components, histograms = zip(*pairs, strict=True)
    median = np.median(histograms, axis=0)
    distances = [np.square(histogram - median).sum() for histogram in histograms]
    # The largest of the most typical ones: it is the least hidden.
    typical = np.argsort(distances, kind="stable")[: max(1, len(components) // 4)]
    best = max((components[index] for index in typical), key=lambda c: c.area)
    rows, columns = np.nonzero(best.mask)
    center = (
        best.rows.start + round(rows.mean()),
        best.columns.start + round(columns.mean()),
    )
    return Exemplar(
        crop_square(images[best.image], center, canvas, mode="edge"),
        crop_square(best.image_mask(height, width), center, canvas),
    )
