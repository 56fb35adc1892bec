"""Otsu's masks of each image by NumPy, SciPy and scikit-image."""

import numpy as np
from scipy import ndimage
from skimage.color import rgb2gray
from skimage.filters import threshold_otsu


def otsu_labels(images, smoothing=1.0, background=0.0):
    """Return what `OtsuMasks` should of `[images, height, width, 3]` uint8."""
    labels = []
    for image in images:
        root = np.sqrt(ndimage.gaussian_filter(rgb2gray(image), smoothing))
        if background:
            root = root - ndimage.gaussian_filter(root, background * max(root.shape))
        labels.append(_divide(root))
    return np.stack(labels)


def _divide(values):
    if values.min() == values.max():
        return np.zeros(values.shape, np.uint8)
    is_high = values > threshold_otsu(values)
    inner = is_high[1:-1]
    edge = np.concatenate([is_high[0], is_high[-1], inner[:, 0], inner[:, -1]])
    return (~is_high if edge.mean() > 0.5 else is_high).astype(np.uint8)
