"""Cut-outs: recurring outlines cut out of images with flat backgrounds, to paste."""

import dataclasses

import numpy as np
from scipy import ndimage

from cirs_tf.proposals.alpha_matting import estimate_alpha
from cirs_tf.proposals.backgrounds import flat_background_colors
from cirs_tf.proposals.connected_components import (
    ConnectedComponent,
    connected_components,
    crop_square,
)
from cirs_tf.proposals.outline_clusters import classify_outlines

_MIN_AREA_DIVISOR = 400  # smaller parts of an image are specks
_VISIBLE = 3 * (2 / 255) ** 2  # squared distance: two levels in each channel
_MAX_COLOR_SPREAD = 0.8  # quantile of the spread; components of more colors are left


@dataclasses.dataclass(frozen=True)
class CutOuts:
    """Patches of each outline class, ready to be pasted.

    Attributes:
        patches: `[K - 1, patches_per_class, canvas, canvas, 4]` uint8: RGB, and alpha,
            the share of the pixel that is covered (255: all of it); the middle of the
            component's bounding box is the middle of the patch.
        center_bounds: `[K - 1, 2, 2]` float32: least and greatest row and column, in
            pixels, of the centers of each class's components in the images.
        background_colors: `[images, 3]` uint8: the background color of each image.
        objects_per_image: Mean number of objects per image, by area.
        matching: How outlines were compared: "pose", "place" or "kmeans"; see
            `OutlineClasses`.
        components_per_class: Number of components in each class.
    """

    patches: np.ndarray
    center_bounds: np.ndarray
    background_colors: np.ndarray
    objects_per_image: float
    matching: str
    components_per_class: tuple[int, ...]


def cut_outs(
    images: np.ndarray,
    num_objects: int,
    canvas: int,
    patches_per_class: int,
    background_threshold: float,
    seed: int,
) -> CutOuts:
    """Find the outlines that recur most, and cut out components of each of them.

    Components are what is connected and differs from the most frequent color of its
    image. An object that touches no other one is a component whose outline recurs;
    several that touch make an outline of their own. Outlines are clustered; the K - 1
    largest clusters are the outline classes (`classify_outlines`).

    Args:
        images: `[images, height, width, 3]` uint8, unlabeled.
        num_objects: K - 1, the number of outline classes to find.
        canvas: Height and width of a patch in pixels.
        patches_per_class: Patches of each class; drawn with replacement where there
            are fewer components.
        background_threshold: Squared RGB distance, summed over channels in [0, 1], from
            which a pixel differs from the background.
        seed: Seed of the choice of patches, and of k-means.

    Returns:
        The cut-outs.

    Raises:
        ValueError: There are fewer components than objects, or fewer outlines.
    """
    scaled = images.astype(np.float32) / 255
    background_colors = flat_background_colors(images)
    backgrounds = background_colors.astype(np.float32)[:, None, None] / 255
    distance = np.square(scaled - backgrounds).sum(axis=-1)
    foreground = distance > background_threshold
    has_soft_borders = _has_soft_borders(foreground, distance)
    components = _fitting_components(foreground, canvas)
    labels, matching = classify_outlines(components, num_objects, seed)
    rng = np.random.default_rng(seed)
    patches, center_bounds = [], []
    for index in range(num_objects):
        members = [components[i] for i in np.flatnonzero(labels == index)]
        chosen = _choose_plain(members, scaled, patches_per_class, rng)
        patches.append(
            [
                _patch(
                    c, scaled[c.image], backgrounds[c.image], has_soft_borders, canvas
                )
                for c in chosen
            ]
        )
        centers = np.array([component.box_center for component in members])
        center_bounds.append([centers.min(axis=0), centers.max(axis=0)])
    areas = np.array([component.area for component in components])
    object_area = areas[labels >= 0].mean()
    return CutOuts(
        np.rint(255 * np.array(patches)).astype(np.uint8),
        np.array(center_bounds, np.float32),
        background_colors,
        float(foreground.sum() / object_area / len(images)),
        matching,
        tuple(int((labels == index).sum()) for index in range(num_objects)),
    )


def _fitting_components(
    foreground: np.ndarray, canvas: int
) -> list[ConnectedComponent]:
    """Return components that are no specks and fit a canvas with their soft borders.

    Args:
        foreground: `[images, height, width]` bool.
        canvas: Height and width of a patch in pixels.
    """
    min_area = max(2, foreground[0].size // _MIN_AREA_DIVISOR)
    components = connected_components(foreground, min_area)
    return [c for c in components if max(c.mask.shape) <= canvas - 2]


def _has_soft_borders(foreground: np.ndarray, distance: np.ndarray) -> bool:
    """Tell whether pixels next to the foreground show a little of it: anti-aliasing.

    Args:
        foreground: `[images, height, width]` bool.
        distance: `[images, height, width]`, squared distance from the background.
    """
    grown = ndimage.binary_dilation(foreground, np.ones((1, 3, 3)))
    around = distance[grown & ~foreground]
    return np.count_nonzero(around > _VISIBLE) > 0.01 * len(around)


def _choose_plain(
    components: list[ConnectedComponent],
    images: np.ndarray,
    count: int,
    rng: np.random.Generator,
) -> list[ConnectedComponent]:
    """Draw components, those of the most colors left out: several objects may touch."""
    spread = np.array([_color_spread(c, images[c.image]) for c in components])
    plain = np.flatnonzero(spread <= np.quantile(spread, _MAX_COLOR_SPREAD))
    chosen = rng.choice(plain, count, replace=len(plain) < count)
    return [components[index] for index in chosen]


def _color_spread(component: ConnectedComponent, image: np.ndarray) -> float:
    """Return the variance of a component's colors over its mean brightness squared."""
    inside = ndimage.binary_erosion(component.mask)
    pixels = image[component.box][inside if inside.any() else component.mask]
    brightness = np.square(pixels.mean(axis=0)).sum()
    return float(pixels.var(axis=0).sum() / max(brightness, 1e-6))


def _patch(
    component: ConnectedComponent,
    image: np.ndarray,
    background: np.ndarray,
    has_soft_borders: bool,
    canvas: int,
) -> np.ndarray:
    """Cut out a component, `[canvas, canvas, 4]` float in [0, 1]: RGB and alpha."""
    mask = component.image_mask(*image.shape[:2])
    inside = ndimage.binary_erosion(mask)
    colors, alpha = image, mask
    if has_soft_borders and inside.any():
        alpha, colors = estimate_alpha(image, background, inside)
        alpha = np.clip(alpha, 0, 1) * ndimage.binary_dilation(mask)
    patch = np.concatenate([colors, alpha[..., None]], axis=-1)
    return crop_square(patch, component.box_center, canvas)
