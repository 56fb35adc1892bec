"""Scenes of a few objects in front of a sky: the thesis's fruit (5.1.1), and toys."""

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
from data_gen.wide_sky import crop_sky, draw_wide_sky

# The thesis does not give the size of its fruits. With 24 of 64 pixels they cover about
# a fifth of the image, as in its Figure 4.
_RELATIVE_OBJECT_SIZE = 24 / 64


def object_size(size: int) -> int:
    """Return the longer side of an object in pixels, for images of that size."""
    return round(size * _RELATIVE_OBJECT_SIZE)


class SkyScene:
    """Each sprite once per image, at a random pose, in front of a sky.

    Attributes:
        sprite_functions: Draw the scene's own objects, for a size in pixels.
        background: `[size, size, 3]` uint8: the static background.
        sprites: The objects; label 1 is the first.
        classes: Names of the background and of the sprites.
    """

    default_size = 64
    size_multiple = 1
    backgrounds = ("static", "shift")
    accepts_images = True
    default_objects = None
    sprite_functions: tuple[Callable[[int], Sprite], ...]

    def __init__(
        self,
        size: int,
        sprites: tuple[Sprite, ...] | None = None,
        background: np.ndarray | str | None = None,
    ):
        """Draw what all images share.

        Args:
            size: Height and width of the images in pixels.
            sprites: Objects to use in place of the scene's own.
            background: `[size, size, 3]` uint8 to use in place of the sky. Or `shift`:
                another crop of a larger sky in each image, mirrored or not. Or
                `static`, the same as None: the same sky in every image.
        """
        longer_side = object_size(size)
        self.sprites = sprites or tuple(
            draw_sprite(longer_side) for draw_sprite in self.sprite_functions
        )
        given = isinstance(background, np.ndarray)
        shifts = not given and background == "shift"
        self.background = background if given else draw_sky(size)
        self._wide_sky = draw_wide_sky(size) if shifts else None
        background_name = "background" if given else "sky"
        self.classes = (background_name, *(sprite.name for sprite in self.sprites))

    def sample(self, rng: np.random.Generator) -> Scene:
        """Return each sprite at a random position, angle and depth."""
        scene = scatter(self.background, self.sprites, rng)
        if self._wide_sky is None:
            return scene
        # Drawn after the poses, so that the masks equal those of the static set.
        return dataclasses.replace(scene, background=crop_sky(self._wide_sky, rng))

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return a random image and its mask."""
        return render(self.sample(rng))


class Fruit(SkyScene):
    """A lemon, an apple and a blueberry: one strong color each."""

    sprite_functions = (draw_lemon, draw_apple, draw_blueberry)


class TwoTone(SkyScene):
    """A ball, a parcel and a kite: two or three strong colors each.

    They test what thesis 3 claims and its fruit cannot show: that parts of different
    colors belong together because they appear together.
    """

    sprite_functions = (draw_toy_ball, draw_parcel, draw_kite)
