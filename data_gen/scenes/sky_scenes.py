"""Objects before a sky: the thesis's fruit (section 5.1.1), and toys."""

import dataclasses
from collections.abc import Callable

import numpy as np

from data_gen.render import render
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
from data_gen.wide_sky import cut_sky, draw_wide_sky

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
        classes: The background and the sprites.
    """

    default_size = 64
    size_step = 1
    backgrounds = ("static", "shift")
    takes_images = True
    default_objects = None
    draws: tuple[Callable[[int], Sprite], ...]

    def __init__(
        self,
        size: int,
        sprites: tuple[Sprite, ...] | None = None,
        background: np.ndarray | str | None = None,
    ):
        """Draw what the pictures share.

        Args:
            size: Height and width of the pictures in pixels.
            sprites: In place of the scene's own objects.
            background: `[size, size, 3]` uint8, in place of the sky; or `static`, as
                None, the same sky in every picture; or `shift`, another part of a
                larger sky in each, mirrored or not.
        """
        side = object_size(size)
        self.sprites = sprites or tuple(draw(side) for draw in self.draws)
        own = isinstance(background, np.ndarray)
        moves = not own and background == "shift"
        self.background = background if own else draw_sky(size)
        self._wide_sky = draw_wide_sky(size) if moves else None
        ground = "background" if own else "sky"
        self.classes = (ground, *(sprite.name for sprite in self.sprites))

    def sample(self, rng: np.random.Generator) -> Scene:
        """Return each sprite at a random place, turn and depth."""
        scene = scatter(self.background, self.sprites, rng)
        if self._wide_sky is None:
            return scene
        # Drawn after the poses, so that the masks are those of the static set.
        return dataclasses.replace(scene, background=cut_sky(self._wide_sky, rng))

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return one picture and its mask."""
        return render(self.sample(rng))


class Fruit(BeforeSky):
    """A lemon, an apple and a blueberry: one strong color each."""

    draws = (draw_lemon, draw_apple, draw_blueberry)


class TwoTone(BeforeSky):
    """A ball, a parcel and a kite: two or three strong colors each.

    What thesis 3 claims and its fruit do not test: that parts of different colors
    belong together because they appear together.
    """

    draws = (draw_toy_ball, draw_parcel, draw_kite)
