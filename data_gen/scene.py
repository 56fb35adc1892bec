"""What one picture holds: a background, and sprites at their poses.

Everything here is NumPy and Pillow, so that the processes that draw start at once.
"""

import dataclasses
import functools
import math
from typing import Protocol

import numpy as np
from PIL import Image

# A sprite has this many pixels for each pixel of the picture, along each axis.
SUPERSAMPLING = 2

SPLITS = ("train", "val", "test")


@dataclasses.dataclass(frozen=True, eq=False)
class Sprite:
    """One object, cut out, upright, at `SUPERSAMPLING` times its size in a picture.

    Attributes:
        name: Class name.
        pixels: `[height, width, 4]` uint8 RGBA, color premultiplied by alpha. The
            object turns about the center.
    """

    name: str
    pixels: np.ndarray

    @functools.cached_property
    def radius(self) -> float:
        """Distance, in pixels of a picture, of the farthest drawn corner."""
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
    """One sprite in a picture.

    Attributes:
        label: Value in the mask; the sprite is `sprites[label - 1]`.
        x: Column of the center; the left edge of the picture is 0, the right its width.
        y: Row of the center; the upper edge is 0, the lower the height.
        angle: Radians, clockwise as seen, from the sprite's upright pose.
    """

    label: int
    x: float
    y: float
    angle: float


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
    """A picture before it is drawn.

    Attributes:
        background: `[height, width, 3]` uint8; label 0.
        sprites: Label 1 is the first.
        placements: From the lowest to the topmost.
    """

    background: np.ndarray
    sprites: tuple[Sprite, ...]
    placements: tuple[Placement, ...]


class SceneSampler(Protocol):
    """Draws pictures of one kind at random; `data_gen.scenes.SCENES` lists them.

    Attributes:
        default_size: Height and width of the pictures in pixels, if nobody says.
        size_step: Sizes are multiples of it.
        backgrounds: Names of backgrounds to choose from; the first is the default.
        takes_images: Whether own sprites and an own background can be given.
        default_objects: Least and most objects a picture as `MIN-MAX`; None where there
            is no choice.
        classes: Class names; the position is the label, 0 the background.
    """

    default_size: int
    size_step: int
    backgrounds: tuple[str, ...]
    takes_images: bool
    default_objects: str | None
    classes: tuple[str, ...]

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw one example that depends on `rng` alone.

        Returns:
            The picture, `[height, width, 3]` uint8, and the mask, `[height, width]`
            uint8.
        """
        ...


def framed(name: str, pixels: np.ndarray) -> Sprite:
    """Return a sprite with a transparent rim of one pixel.

    Without it, the edge of an object that reaches the border is jagged once turned.
    """
    return Sprite(name, np.pad(pixels, ((1, 1), (1, 1), (0, 0))))


def example_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """Return the generator of one example, which depends on these three alone."""
    return np.random.default_rng([seed, SPLITS.index(split), index])


def scatter(
    background: np.ndarray, sprites: tuple[Sprite, ...], rng: np.random.Generator
) -> Scene:
    """Place each sprite once: anywhere, turned anyhow, in any stacking order.

    Args:
        background: `[height, width, 3]` uint8.
        sprites: Each lies wholly inside the picture; one that is too large for that
            is centered.
        rng: Source of the poses and of the order.

    Returns:
        A scene with one placement a sprite.
    """
    height, width = background.shape[:2]
    placements = []
    for index in rng.permutation(len(sprites)):
        radius = sprites[index].radius
        placements.append(
            Placement(
                label=int(index) + 1,
                x=_inside(width, radius, rng),
                y=_inside(height, radius, rng),
                angle=rng.uniform(0, 2 * math.pi),
            )
        )
    return Scene(background, sprites, tuple(placements))


def _inside(length: int, radius: float, rng: np.random.Generator) -> float:
    margin = min(radius, length / 2)
    return float(rng.uniform(margin, length - margin))
