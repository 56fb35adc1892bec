"""Segments as k-means clusters of pixel colors."""

import numpy as np
from skimage.color import rgb2lab
from sklearn.cluster import KMeans

_FITTED_PIXELS = 50_000


def kmeans_labels(
    train_images: np.ndarray,
    images: np.ndarray,
    num_segments: int,
    seed: int,
    n_init: int = 4,
    space: str = "rgb",
) -> np.ndarray:
    """Cluster the colors of training pixels and label images by the nearest center.

    Args:
        train_images: `[images, height, width, 3]` uint8; at most 50,000 of their pixels
            are drawn to fit the centers.
        images: `[images, height, width, 3]` uint8 to label.
        num_segments: K.
        seed: Seed of the drawn pixels and of the initial centers.
        n_init: Number of initializations; the one with the least squared error counts.
        space: Of the colors, `rgb` or `lab` (L*a*b*, where distances are nearer to
            those that people see).

    Returns:
        `[images, height, width]` int32 in [0, K).

    Example:
        >>> images = np.zeros((1, 2, 2, 3), np.uint8)
        >>> images[0, 0] = 255
        >>> labels = kmeans_labels(images, images, num_segments=2, seed=0)
        >>> bool(labels[0, 0, 0] == labels[0, 0, 1] != labels[0, 1, 0])
        True
    """
    rng = np.random.default_rng(seed)
    pixels = train_images.reshape(-1, 3)
    count = min(_FITTED_PIXELS, len(pixels))
    sample = pixels[rng.choice(len(pixels), count, replace=False)]
    kmeans = KMeans(num_segments, n_init=n_init, random_state=seed)
    kmeans.fit(_coordinates(sample, space))
    # Image by image: L*a*b* of a whole split takes 24 bytes a pixel.
    labels = [
        kmeans.predict(_coordinates(image.reshape(-1, 3), space)) for image in images
    ]
    return np.stack(labels).reshape(images.shape[:3])


def _coordinates(colors: np.ndarray, space: str) -> np.ndarray:
    if space not in ("rgb", "lab"):
        raise ValueError(f"space: expected rgb or lab, got {space!r}")
    values = colors if space == "rgb" else rgb2lab(colors)
    return values.astype(np.float32)
