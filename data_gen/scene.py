"""The contents of one image: a background, and sprites at their poses.

This module and the scenes import NumPy and Pillow alone, so that workers start fast.
"""

import dataclasses
import functools
import math
from typing import Protocol

import numpy as np
from PIL import Image

# Pixels of a sprite per pixel of the image, along each axis.
SUPERSAMPLING = 2

SPLITS = ("train", "val", "test")


@dataclasses.dataclass(frozen=True, eq=False)
class Sprite:
    """One cut-out object, upright, at `SUPERSAMPLING` times its size in an image.

    Attributes:
        name: Class name.
        pixels: `[height, width, 4]` uint8 RGBA, color premultiplied by alpha. The
            object rotates about the center.
    """

    name: str
    pixels: np.ndarray

    @functools.cached_property
    def radius(self) -> float:
        """Distance of the farthest visible corner from the center, in image pixels."""
        height, width = self.pixels.shape[:2]
        rows, columns = np.nonzero(self.pixels[..., 3])
        if not rows.size:
            return 0.0
        dy = np.abs(rows + 0.5 - height / 2) + 0.5
        dx = np.abs(columns + 0.5 - width / 2) + 0.5
        return float(np.hypot(dx, dy).max()) / SUPERSAMPLING

    @functools.cached_property
    def image(self) -> Image.Image:
        """The pixels as a Pillow image of mode `RGBa` (premultiplied)."""
        height, width = self.pixels.shape[:2]
        return Image.frombytes("RGBa", (width, height), self.pixels.tobytes())


@dataclasses.dataclass(frozen=True)
class Placement:
    """One sprite in an image.

    Attributes:
        label: Value in the mask; the sprite is `sprites[label - 1]`.
        x: Column of the center; the left edge of the image is 0, the right its width.
        y: Row of the center; the upper edge is 0, the lower the height.
        angle: Clockwise from the sprite's upright pose, in radians.
    """

    label: int
    x: float
    y: float
    angle: float


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
    """An image before it is rendered.

    Attributes:
        background: `[height, width, 3]` uint8; label 0.
        sprites: Label 1 is the first.
        placements: From the lowest to the topmost.
    """

    background: np.ndarray
    sprites: tuple[Sprite, ...]
    placements: tuple[Placement, ...]


class SceneSampler(Protocol):
    """Draws random images of one kind; `data_gen.scenes.SCENES` lists the kinds.

    Attributes:
        default_size: Default height and width of the images in pixels.
        size_multiple: Sizes are multiples of this.
        backgrounds: Names of backgrounds to choose from; the first is the default.
        accepts_images: Whether a user's sprites and background can be given.
        default_objects: Minimum and maximum number of objects per image, as `MIN-MAX`;
            None where there is no choice.
        classes: Class names; the index is the label, 0 the background.
    """

    default_size: int
    size_multiple: int
    backgrounds: tuple[str, ...]
    accepts_images: bool
    default_objects: str | None
    classes: tuple[str, ...]

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw one example.

        Args:
            rng: The only source of randomness.

        Returns:
            The image, `[height, width, 3]` uint8, and the mask, `[height, width]`
            uint8.
        """
        ...


def pad_sprite(name: str, pixels: np.ndarray) -> Sprite:
    """Return a sprite with a transparent border of one pixel.

    Without it, an object that reaches the edge has a jagged outline once rotated.

    Args:
        name: Class name.
        pixels: `[height, width, 4]` uint8 RGBA, color premultiplied by alpha.
    """
    return Sprite(name, np.pad(pixels, ((1, 1), (1, 1), (0, 0))))


def example_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """Return the random generator of one example.

    Args:
        seed: Seed of the data set.
        split: `train`, `val` or `test`.
        index: Index of the example in its split.
    """
    return np.random.default_rng([seed, SPLITS.index(split), index])


def scatter(
    background: np.ndarray, sprites: tuple[Sprite, ...], rng: np.random.Generator
) -> Scene:
    """Place each sprite once, at a uniform position, angle and stacking order.

    Args:
        background: `[height, width, 3]` uint8.
        sprites: Each lies wholly inside the image; one too large for that is centered.
        rng: Draws the poses and the order.

    Returns:
        A scene with one placement per sprite.
    """
    height, width = background.shape[:2]
    placements = []
    for index in rng.permutation(len(sprites)):
        radius = sprites[index].radius
        placements.append(
            Placement(
                label=int(index) + 1,
                x=_draw_center(width, radius, rng),
                y=_draw_center(height, radius, rng),
                angle=rng.uniform(0, 2 * math.pi),
            )
        )
    return Scene(background, sprites, tuple(placements))


def _draw_center(length: int, radius: float, rng: np.random.Generator) -> float:
    margin = min(radius, length / 2)
    return float(rng.uniform(margin, length - margin))
