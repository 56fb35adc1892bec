"""Segments as clusters of colors."""

import numpy as np
from sklearn.cluster import KMeans

_PIXELS = 50_000  # on which k-means is fitted


def kmeans_labels(
    train: np.ndarray, images: np.ndarray, segments: int, seed: int, starts: int = 4
) -> np.ndarray:
    """Cluster the colors of training pixels and label images by the nearest center.

    Args:
        train: `[images, height, width, 3]` uint8, from which pixels are drawn.
        images: `[images, height, width, 3]` uint8 to label.
        segments: K.
        seed: Of the drawn pixels and of the starts.
        starts: Of which the one with the least squared error counts.

    Returns:
        `[images, height, width]` int32.
    """
    rng = np.random.default_rng(seed)
    pixels = train.reshape(-1, 3)
    drawn = pixels[rng.choice(len(pixels), min(_PIXELS, len(pixels)), replace=False)]
    kmeans = KMeans(segments, n_init=starts, random_state=seed)
    kmeans.fit(drawn.astype(np.float32))
    return kmeans.predict(images.reshape(-1, 3).astype(np.float32)).reshape(
        images.shape[:3]
    )
