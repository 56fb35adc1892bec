"""Backgrounds of unlabeled images: static, or one flat color per image."""

import numpy as np

from cirs_tf.proposals.evenly_spaced import evenly_spaced

# The first images, from which proposals take a background that all of them share.
BACKGROUND_IMAGES = 200
# Squared RGB distance, summed over channels in [0, 1], from which colors differ where
# no setting says so; more than `background.threshold`, since photographs have noise.
DIFFERS = 0.03
_CANDIDATES = 50  # images whose colors are tried at each pixel
_LEVELS = 16  # per channel, in the histogram of colors


def static_background(images: np.ndarray, background_threshold: float) -> np.ndarray:
    """Return the most frequent color at each pixel over all images.

    A median would mix channels where objects cover a pixel in half of the images.

    Args:
        images: `[images, height, width, 3]` float in [0, 1].
        background_threshold: Squared RGB distance, summed over channels in [0, 1], up
            to which colors count as the same.

    Returns:
        `[height, width, 3]` float32: at each pixel, the mean of the largest group of
        colors around the color of one of the first 50 images.
    """
    max_count = np.zeros(images.shape[1:3], np.int64)
    background = np.zeros(images.shape[1:], np.float32)
    for candidate in images[:_CANDIDATES]:
        distance = np.square(images - candidate).sum(axis=-1)
        near = distance < background_threshold  # (N, H, W)
        count = near.sum(axis=0)
        mean = np.einsum("nhw,nhwc->hwc", near, images) / count[..., None]
        more_frequent = count > max_count
        background[more_frequent] = mean[more_frequent]
        max_count = np.maximum(max_count, count)
    return background


def median_background(images: np.ndarray, count: int) -> np.ndarray:
    """Return the median color at each pixel, channel by channel.

    What stands still in more than half of the images is the background, whatever
    passes in front of it.

    Args:
        images: `[images, height, width, 3]` uint8, in memory or in records.
        count: At most so many of them are read, evenly spaced; held in memory at once.

    Returns:
        `[height, width, 3]` float32 in [0, 1].
    """
    chosen = images[evenly_spaced(len(images), count)]
    rows = np.array_split(np.arange(images.shape[1]), 8)  # an eighth of each at a time
    medians = [
        np.median(chosen[:, part[0] : part[-1] + 1], axis=0)
        for part in rows
        if len(part)
    ]
    return np.float32(np.concatenate(medians) / 255)


def flat_background_colors(images: np.ndarray) -> np.ndarray:
    """Return the most frequent color of each image.

    The median of the colors in the fullest bin of a histogram with 16 levels per
    channel.

    Args:
        images: `[images, height, width, 3]` uint8.

    Returns:
        `[images, 3]` uint8.
    """
    colors = np.empty((len(images), 3), np.uint8)
    step = 256 // _LEVELS
    for index, image in enumerate(images):
        pixels = image.reshape(-1, 3)
        bins = (pixels // step).astype(int) @ np.array([_LEVELS**2, _LEVELS, 1])
        fullest = np.bincount(bins).argmax()
        colors[index] = np.median(pixels[bins == fullest], axis=0)
    return colors
