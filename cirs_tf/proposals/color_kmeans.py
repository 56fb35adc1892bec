"""Segments as k-means clusters of pixel colors."""

import numpy as np
from skimage.color import rgb2lab
from sklearn.cluster import KMeans

_FITTED_PIXELS = 50_000
_AT_ONCE = 16  # images whose pixels are drawn at a time


class ColorKMeans:
    """Cluster the colors of pixels; label images by the nearest center.

    Args:
        num_segments: K.
        seed: Seed of the drawn pixels and of the initial centers.
        n_init: Number of initializations; the one with the least squared error counts.
        space: Of the colors, `rgb` or `lab` (L*a*b*, where distances are nearer to
            those that people see).

    Raises:
        ValueError: An unknown space.

    Example:
        >>> images = np.zeros((1, 2, 2, 3), np.uint8)
        >>> images[0, 0] = 255
        >>> labels = ColorKMeans(num_segments=2, seed=0).fit(images).predict(images)
        >>> bool(labels[0, 0, 0] == labels[0, 0, 1] != labels[0, 1, 0])
        True
    """

    def __init__(
        self, num_segments: int, seed: int, n_init: int = 4, space: str = "rgb"
    ):
        if space not in ("rgb", "lab"):
            raise ValueError(f"space: expected rgb or lab, got {space!r}")
        self.space = space
        self._seed = seed
        self._kmeans = KMeans(num_segments, n_init=n_init, random_state=seed)

    def fit(self, images: np.ndarray) -> "ColorKMeans":
        """Find the centers, from at most 50,000 pixels drawn from all images.

        Args:
            images: `[images, height, width, 3]` uint8, in memory, or read when it is
                indexed by an array of numbers.
        """
        sample = _drawn_pixels(images, self._seed)
        self._kmeans.fit(self._coordinates(sample))
        return self

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the cluster of each pixel, `[images, height, width]` uint8 in [0, K).

        Args:
            images: `[images, height, width, 3]` uint8, gone through one by one.
        """
        # Image by image: L*a*b* of a whole split takes 24 bytes a pixel.
        labels = [
            self._kmeans.predict(self._coordinates(image.reshape(-1, 3))).astype(
                np.uint8
            )
            for image in images
        ]
        return np.stack(labels).reshape(images.shape[:3])

    def _coordinates(self, colors: np.ndarray) -> np.ndarray:
        values = colors if self.space == "rgb" else rgb2lab(colors)
        return values.astype(np.float32)


def _drawn_pixels(images: np.ndarray, seed: int) -> np.ndarray:
    """Return `[some, 3]` pixels drawn without replacement from all images.

    Each image that holds one of them is read once, some at a time.
    """
    count, height, width, _ = images.shape
    pixels = height * width
    rng = np.random.default_rng(seed)
    drawn = min(_FITTED_PIXELS, count * pixels)
    numbers = rng.choice(count * pixels, drawn, replace=False)
    holders, places = np.divmod(numbers, pixels)
    rows = np.unique(holders)
    sample = np.empty((drawn, 3), np.uint8)
    for start in range(0, len(rows), _AT_ONCE):
        chosen = rows[start : start + _AT_ONCE]
        found = images[chosen].reshape(len(chosen), pixels, 3)
        inside = (chosen[0] <= holders) & (holders <= chosen[-1])
        sample[inside] = found[np.searchsorted(chosen, holders[inside]), places[inside]]
    return sample
