"""Renders a scene: the image, and the mask with the class of each pixel."""

import math

import numpy as np
from PIL import Image

from data_gen.scene import SUPERSAMPLING, Placement, Scene, SceneSampler, example_rng


def render(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Render a scene with anti-aliasing and occlusion.

    Args:
        scene: What to render.

    Returns:
        The image, `[height, width, 3]` uint8, and the mask, `[height, width]` uint8:
        the label of the topmost object whose alpha is above one half, else 0.
    """
    image = scene.background.astype(np.float32)  # (height, width, 3)
    mask = np.zeros(image.shape[:2], np.uint8)
    for placement in scene.placements:
        sprite = scene.sprites[placement.label - 1]
        layer, top, left = _rotate(sprite.image, sprite.radius, placement)
        rows, columns = layer.shape[:2]
        area = np.s_[
            max(top, 0) : max(top + rows, 0), max(left, 0) : max(left + columns, 0)
        ]
        pixels = image[area]  # (rows, columns, 3), a view, cropped to the image
        if not pixels.size:
            continue
        cut_top, cut_left = max(-top, 0), max(-left, 0)
        layer = layer[
            cut_top : cut_top + pixels.shape[0],
            cut_left : cut_left + pixels.shape[1],
        ]
        alpha = layer[..., 3:]
        pixels *= 1 - alpha.astype(np.float32) / 255
        pixels += layer[..., :3]
        mask[area][alpha[..., 0] > 127] = placement.label
    return np.rint(image).clip(0, 255).astype(np.uint8), mask


def draw_examples(
    sampler: SceneSampler, seed: int, split: str, start: int, stop: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the examples `start` to `stop - 1` of a split.

    Args:
        sampler: Kind of scene.
        seed: Seed of the data set.
        split: `train`, `val` or `test`.
        start: First index.
        stop: One past the last index; above `start`.

    Returns:
        Images `[stop - start, height, width, 3]` uint8 and masks
        `[stop - start, height, width]` uint8.
    """
    examples = [
        sampler.draw(example_rng(seed, split, index)) for index in range(start, stop)
    ]
    images, masks = zip(*examples, strict=True)
    return np.stack(images), np.stack(masks)


def _rotate(
    image: Image.Image, radius: float, placement: Placement
) -> tuple[np.ndarray, int, int]:
    """Return a rotated sprite, premultiplied RGBA, and its top and left edge."""
    left = math.floor(placement.x - radius)
    top = math.floor(placement.y - radius)
    columns = math.ceil(placement.x + radius) - left
    rows = math.ceil(placement.y + radius) - top
    cosine, sine = math.cos(placement.angle), math.sin(placement.angle)
    # Pillow asks where each output point (x, y) comes from: the inverse rotation about
    # the center, in supersampled pixels.
    x = (placement.x - left) * SUPERSAMPLING
    y = (placement.y - top) * SUPERSAMPLING
    inverse = (
        cosine,
        sine,
        image.width / 2 - cosine * x - sine * y,
        -sine,
        cosine,
        image.height / 2 + sine * x - cosine * y,
    )
    supersampled = image.transform(
        (columns * SUPERSAMPLING, rows * SUPERSAMPLING),
        Image.Transform.AFFINE,
        inverse,
        resample=Image.Resampling.BILINEAR,
    )
    return np.asarray(supersampled.reduce(SUPERSAMPLING)), top, left
