"""Draws the objects of the fruit and twotone sets.

Each function takes the longer side of the object, in pixels of an image.
"""

import numpy as np

from data_gen.scene import Sprite
from data_gen.shapes import (
    Canvas,
    capsule,
    ellipse,
    lens,
    rectangle,
    rhombus,
    shade_ellipsoid,
    smooth_union,
    star,
)


def draw_lemon(size: int) -> Sprite:
    """Return a lemon, lying, with a nub at either end."""
    canvas = Canvas(size)
    x, y = canvas.x, canvas.y
    body = ellipse(x, y, 0.0, 0.0, 0.76, 0.60)
    for side in (-1, 1):
        body = smooth_union(body, ellipse(x, y, side * 0.80, 0.0, 0.17, 0.13), 0.22)
    canvas.paint(body, shade_ellipsoid(x, y, 0.95, 0.68, (150, 104, 6), (250, 212, 34)))
    canvas.add_highlight(-0.28, -0.27, 0.20, (255, 253, 215))
    return canvas.sprite("lemon")


def draw_apple(size: int) -> Sprite:
    """Return a red apple with a brown stem and a green leaf."""
    canvas = Canvas(size)
    x, y = canvas.x, canvas.y
    lobes = (ellipse(x, y, side * 0.27, 0.20, 0.50, 0.66) for side in (-1, 1))
    body = smooth_union(*lobes, 0.08)
    color = shade_ellipsoid(x, y - 0.2, 0.84, 0.78, (96, 4, 16), (226, 30, 38))
    # Darker around the stem.
    hollow = np.exp(-((x / 0.24) ** 2) - ((y + 0.38) / 0.13) ** 2)[..., None]
    color = color * (1 - 0.55 * hollow)
    canvas.paint(body, color)
    canvas.add_highlight(-0.38, -0.08, 0.20, (255, 214, 205))
    canvas.paint(capsule(x, y, (0.0, -0.34), (0.10, -0.90), 0.085), (92, 54, 22))
    blade = lens(x, y, (0.08, -0.55), (0.74, -0.80))
    vein = capsule(x, y, (0.14, -0.57), (0.62, -0.755), 0.02)
    canvas.paint(blade, (64, 158, 46))
    canvas.paint(np.maximum(blade, vein), (148, 212, 96))
    return canvas.sprite("apple")


def draw_blueberry(size: int) -> Sprite:
    """Return a blueberry with the star-shaped crown."""
    canvas = Canvas(size)
    x, y = canvas.x, canvas.y
    color = shade_ellipsoid(x, y, 0.86, 0.86, (18, 18, 62), (66, 76, 158))
    canvas.paint(ellipse(x, y, 0.0, 0.0, 0.84, 0.84), color)
    canvas.add_highlight(-0.42, -0.46, 0.22, (176, 190, 238))
    center = (0.06, 0.04)
    canvas.paint(star(x, y, center, 0.54, 0.27), (124, 136, 206))
    canvas.paint(star(x, y, center, 0.36, 0.17), (16, 14, 46))
    return canvas.sprite("blueberry")


def draw_toy_ball(size: int) -> Sprite:
    """Return a ball with a yellow and a black half."""
    canvas = Canvas(size)
    x, y = canvas.x, canvas.y
    disc = ellipse(x, y, 0.0, 0.0, 0.84, 0.84)
    yellow = shade_ellipsoid(x, y, 0.86, 0.86, (176, 130, 10), (250, 216, 40))
    black = shade_ellipsoid(x, y, 0.86, 0.86, (8, 8, 10), (52, 52, 58))
    canvas.paint(np.maximum(disc, y), yellow)
    canvas.paint(np.maximum(disc, -y), black)
    return canvas.sprite("ball")


def draw_parcel(size: int) -> Sprite:
    """Return a red parcel with a green end and a white ribbon."""
    canvas = Canvas(size)
    x, y = canvas.x, canvas.y
    whole = rectangle(x, y, 0.90, 0.60)
    canvas.paint(whole, (196, 28, 36))
    canvas.paint(np.maximum(whole, x + 0.30), (34, 132, 62))
    canvas.paint(np.maximum(whole, np.abs(x - 0.35) - 0.10), (250, 250, 252))
    return canvas.sprite("parcel")


def draw_kite(size: int) -> Sprite:
    """Return a kite of purple, cloud white and sky blue."""
    canvas = Canvas(size)
    x, y = canvas.x, canvas.y
    whole = rhombus(x, y, 0.70, 0.96)
    canvas.paint(whole, (250, 250, 252))
    canvas.paint(np.maximum(whole, y + 0.1), (118, 26, 160))
    canvas.paint(np.maximum(whole, 0.45 - y), (72, 128, 214))
    return canvas.sprite("kite")
