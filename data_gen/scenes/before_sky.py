"""Objects before a static sky: the thesis's fruit (section 5.1.1), and toys."""

from collections.abc import Callable

import numpy as np

from data_gen.scene import Scene, Sprite, scatter
from data_gen.sky import draw_sky
from data_gen.sprites import (
    draw_apple,
    draw_blueberry,
    draw_kite,
    draw_lemon,
    draw_parcel,
    draw_toy_ball,
)

# The thesis does not give the size of its fruits; 24 of 64 pixels cover about a fifth
# of the picture, as in its Figure 4.
OBJECT_SHARE = 24 / 64


def object_size(size: int) -> int:
    """Return the longer side of an object, in pixels, for pictures of `size`."""
    return round(size * OBJECT_SHARE)


class BeforeSky:
    """Some sprites, each once a picture.

    Attributes:
        draws: Functions that draw the scene's own objects for a size in pixels.
    """

    draws: tuple[Callable[[int], Sprite], ...]

    def __init__(
        self,
        size: int,
        sprites: tuple[Sprite, ...] | None = None,
        background: np.ndarray | None = None,
    ):
        """Draw what every picture shares.

        Args:
            size: Height and width of the pictures in pixels.
            sprites: In place of the scene's own objects.
            background: `[size, size, 3]` uint8, in place of the sky.
        """
        side = object_size(size)
        self.sprites = sprites or tuple(draw(side) for draw in self.draws)
        self.background = draw_sky(size) if background is None else background
        ground = "sky" if background is None else "background"
        self.classes = (ground, *(sprite.name for sprite in self.sprites))

    def sample(self, rng: np.random.Generator) -> Scene:
        """Return each sprite at a random place, turn and depth."""
        return scatter(self.background, self.sprites, rng)


class Fruit(BeforeSky):
    """A lemon, an apple and a blueberry: one strong colour each."""

    draws = (draw_lemon, draw_apple, draw_blueberry)


class TwoTone(BeforeSky):
    """A ball, a parcel and a kite: two or three strong colours each.

    What thesis 3 claims and its fruit do not test: that parts of different colours
    belong together because they appear together.
    """

    draws = (draw_toy_ball, draw_parcel, draw_kite)
