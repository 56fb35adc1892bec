"""The thesis's set (section 5.1.1): fruit before a static sky."""

import numpy as np

from data_gen.scene import Scene, Sprite, scatter
from data_gen.sky import draw_sky
from data_gen.sprites import draw_apple, draw_blueberry, draw_lemon

# The thesis does not give the size of its fruits; 24 of 64 pixels cover about a fifth
# of the picture, as in its Figure 4.
OBJECT_SHARE = 24 / 64


def object_size(size: int) -> int:
    """Return the longer side of an object, in pixels, for pictures of `size`."""
    return round(size * OBJECT_SHARE)


class Fruit:
    """A lemon, an apple and a blueberry, or other sprites, each once a picture."""

    def __init__(
        self,
        size: int,
        sprites: tuple[Sprite, ...] | None = None,
        background: np.ndarray | None = None,
    ):
        """Draw what every picture shares.

        Args:
            size: Height and width of the pictures in pixels.
            sprites: In place of the fruits.
            background: `[size, size, 3]` uint8, in place of the sky.
        """
        draw = (draw_lemon, draw_apple, draw_blueberry)
        self.sprites = sprites or tuple(one(object_size(size)) for one in draw)
        self.background = draw_sky(size) if background is None else background
        ground = "sky" if background is None else "background"
        self.classes = (ground, *(sprite.name for sprite in self.sprites))

    def sample(self, rng: np.random.Generator) -> Scene:
        """Return each sprite at a random place, turn and depth."""
        return scatter(self.background, self.sprites, rng)
