"""Draws a scene: the picture, and the mask that says which object each pixel shows."""

import math

import numpy as np
from PIL import Image

from data_gen.scene import SUPERSAMPLING, Placement, Scene, SceneSampler, example_rng


def render(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Draw a scene with anti-aliasing and true occlusion.

    Args:
        scene: What to draw.

    Returns:
        The picture, `[height, width, 3]` uint8, and the mask, `[height, width]` uint8:
        the label of the topmost object whose alpha is above one half, else 0.
    """
    picture = scene.background.astype(np.float32)
    mask = np.zeros(picture.shape[:2], np.uint8)
    for placement in scene.placements:
        sprite = scene.sprites[placement.label - 1]
        drawn, top, left = _turn(sprite.image, sprite.radius, placement)
        rows, columns = drawn.shape[:2]
        inside = np.s_[
            max(top, 0) : max(top + rows, 0), max(left, 0) : max(left + columns, 0)
        ]
        area = picture[inside]  # (rows, columns, 3), cut at the picture's edges
        if not area.size:
            continue
        cut_top, cut_left = max(-top, 0), max(-left, 0)
        drawn = drawn[
            cut_top : cut_top + area.shape[0], cut_left : cut_left + area.shape[1]
        ]
        alpha = drawn[..., 3:]
        area *= 1 - alpha.astype(np.float32) / 255
        area += drawn[..., :3]
        mask[inside][alpha[..., 0] > 127] = placement.label
    return np.rint(picture).clip(0, 255).astype(np.uint8), mask


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
        Pictures `[stop - start, height, width, 3]` uint8 and masks
        `[stop - start, height, width]` uint8.
    """
    drawn = [
        sampler.draw(example_rng(seed, split, index)) for index in range(start, stop)
    ]
    pictures, masks = zip(*drawn, strict=True)
    return np.stack(pictures), np.stack(masks)


def _turn(
    image: Image.Image, radius: float, placement: Placement
) -> tuple[np.ndarray, int, int]:
    """Return a turned sprite as premultiplied RGBA, and its upper left corner."""
    left = math.floor(placement.x - radius)
    top = math.floor(placement.y - radius)
    columns = math.ceil(placement.x + radius) - left
    rows = math.ceil(placement.y + radius) - top
    cosine, sine = math.cos(placement.angle), math.sin(placement.angle)
    # Pillow asks where each drawn point (x, y) comes from: the turn backwards, about
    # the center, all in fine pixels.
    x = (placement.x - left) * SUPERSAMPLING
    y = (placement.y - top) * SUPERSAMPLING
    backwards = (
        cosine,
        sine,
        image.width / 2 - cosine * x - sine * y,
        -sine,
        cosine,
        image.height / 2 + sine * x - cosine * y,
    )
    fine = image.transform(
        (columns * SUPERSAMPLING, rows * SUPERSAMPLING),
        Image.Transform.AFFINE,
        backwards,
        resample=Image.Resampling.BILINEAR,
    )
    return np.asarray(fine.reduce(SUPERSAMPLING)), top, left
