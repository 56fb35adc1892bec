"""Two segments per image by a threshold: what to try first on microscope images."""

import numpy as np
from scipy import ndimage
from skimage.color import rgb2gray
from skimage.filters import threshold_otsu

_SMOOTHING = 1.0  # pixels
# Blur of the local background, as a share of the longer side.
_BACKGROUND_SCALE = 0.1


def otsu_labels(images: np.ndarray) -> np.ndarray:
    """Divide each image where the variance of its two parts is least (Otsu).

    What is divided is the root of its smoothed lightness: the noise of photons grows
    with the root, so that dim objects count like bright ones.

    Args:
        images: `[images, height, width, 3]` uint8.

    Returns:
        `[images, height, width]` uint8: 0 for the part that most of the image's edge
        belongs to, 1 for the other; all 0 where an image has one color.

    Reference: Otsu 1979, A Threshold Selection Method from Gray-Level Histograms.

    Example:
        >>> image = np.zeros((1, 9, 9, 3), np.uint8)
        >>> image[:, 3:6, 3:6] = 200
        >>> int(otsu_labels(image)[0, 4, 4]), int(otsu_labels(image)[0, 0, 0])
        (1, 0)
    """
    return np.stack([_divide(_root(image)) for image in images])


def local_contrast_labels(images: np.ndarray) -> np.ndarray:
    """Divide each image as `otsu_labels`, less a background that varies slowly.

    Args:
        images: `[images, height, width, 3]` uint8.

    Returns:
        As `otsu_labels`.
    """
    labels = []
    for image in images:
        root = _root(image)
        scale = _BACKGROUND_SCALE * max(root.shape)
        labels.append(_divide(root - ndimage.gaussian_filter(root, scale)))
    return np.stack(labels)


def _root(image: np.ndarray) -> np.ndarray:
    return np.sqrt(ndimage.gaussian_filter(rgb2gray(image), _SMOOTHING))


def _divide(values: np.ndarray) -> np.ndarray:
    if values.min() == values.max():
        return np.zeros(values.shape, np.uint8)
    is_high = values > threshold_otsu(values)
    inner = is_high[1:-1]
    edge = np.concatenate([is_high[0], is_high[-1], inner[:, 0], inner[:, -1]])
    return (~is_high if edge.mean() > 0.5 else is_high).astype(np.uint8)
