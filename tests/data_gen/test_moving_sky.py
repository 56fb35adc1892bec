from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import chisquare

from data_gen.data_set import draw
from data_gen.options import SceneOptions
from data_gen.render import draw_examples
from data_gen.scene import example_rng
from data_gen.scenes import SCENES
from data_gen.wide_sky import draw_wide_sky

GOLDEN = Path(__file__).parents[1] / "golden"
MOVING = SCENES["fruit"](64, None, "shift")


def explained(pictures, masks):
    """Return the share of sky that lies within 15 levels of each pixel's usual colour.

    The usual colour of a pixel is the colour that most pictures have there, to 30
    levels in each channel.
    """
    near, sky = 0, masks == 0
    for row, column in np.ndindex(*masks.shape[1:]):
        shown = pictures[:, row, column].astype(int)
        bins, counts = np.unique(shown // 30, axis=0, return_counts=True)
        usual = bins[counts.argmax()] * 30 + 15
        near += (abs(shown - usual).max(-1) <= 15)[sky[:, row, column]].sum()
    return near / sky.sum()


def test_no_usual_colours_explain_a_moving_sky():
    static = draw_examples(SCENES["fruit"](64), 0, "val", 0, 300)
    moving = draw_examples(MOVING, 0, "val", 0, 300)
    assert explained(*static) == 1
    assert explained(*moving) < 0.35


def test_at_no_pixel_do_most_pictures_have_one_colour():
    pictures, _ = draw_examples(MOVING, 0, "train", 0, 400)
    for row, column in np.ndindex(64, 64):
        shown = pictures[:, row, column].astype(int) // 30
        assert np.unique(shown, axis=0, return_counts=True)[1].max() < 200


def test_masks_and_objects_are_those_of_the_static_set():
    static, moving = (
        draw_examples(sampler, 2, "test", 0, 40)
        for sampler in (SCENES["fruit"](64), MOVING)
    )
    np.testing.assert_array_equal(moving[1], static[1])
    # On an edge, up to half of the colour is the sky's.
    differs = abs(moving[0].astype(int) - static[0])[static[1] > 0]
    assert (differs.max(-1) == 0).mean() > 0.8 and differs.max() <= 128
    assert (moving[0] != static[0])[static[1] == 0].mean() > 0.9


def places(wide, part):
    """Return where a part lies in a sky, by trying all places."""
    size = len(part)
    return [
        (top, left)
        for top in range(size + 1)
        for left in range(2 * size)
        if (wide[top, left] == part[0, 0]).all()
        and np.array_equal(wide[top : top + size, left : left + size], part)
    ]


def test_each_sky_is_a_part_of_the_wide_one_mirrored_every_other_time():
    size = 16
    wide = draw_wide_sky(size)
    sampler = SCENES["fruit"](size, None, "shift")
    found = {False: [], True: []}
    for index in range(800):
        sky = sampler.sample(example_rng(0, "train", index)).background
        plain, mirrored = places(wide, sky), places(wide, sky[:, ::-1])
        assert len(plain) + len(mirrored) == 1
        found[bool(mirrored)].extend(plain + mirrored)
    assert chisquare([len(one) for one in found.values()]).pvalue > 1e-3
    tops, lefts = np.array(found[False] + found[True]).T
    assert chisquare(np.bincount(tops, minlength=17)).pvalue > 1e-3
    assert chisquare(np.bincount(lefts, minlength=32)).pvalue > 1e-3


def test_the_wide_sky_has_no_seam():
    wide = draw_wide_sky(64).astype(int)
    assert wide.shape == (128, 192, 3)
    np.testing.assert_array_equal(wide[:, 128:], wide[:, :64])
    steps = abs(np.diff(wide, axis=1)).max((0, 2))  # (191,)
    assert steps[127] <= np.delete(steps, 127).max()
    # Were a cloud cut off at the seam, a step from white to blue would stand there.
    assert steps[127] < 60


def test_toys_have_the_moving_sky_too():
    sampler = SCENES["twotone"](32, None, "shift")
    first, second = (sampler.sample(example_rng(0, "val", i)) for i in (0, 1))
    assert (first.background != second.background).any()
    assert sampler.classes == ("sky", "ball", "parcel", "kite")


@pytest.mark.parametrize("background", [None, "static"])
def test_by_default_the_set_is_what_it_was(background, tmp_path):
    """Against an image and a manifest from before the sky could move."""
    options = SceneOptions(train=1, val=1, test=0, shards=1, background=background)
    generator = draw(options, tmp_path).manifest.generator
    assert generator == {
        "name": "data_gen fruit",
        "version": "1.0.0",
        "seed": 0,
        "arguments": {
            "train": 1,
            "val": 1,
            "test": 0,
            "size": 64,
            "shards": 1,
            "sprites": None,
            "background": None,
            "with_train_masks": False,
        },
    }
    sampler = SCENES["fruit"](64)
    (picture,), (mask,) = draw_examples(sampler, 0, "val", 0, 1)
    for drawn, name in ((picture, ""), (mask, "_mask")):
        with Image.open(GOLDEN / f"fruit_val_000000{name}.png") as image:
            np.testing.assert_array_equal(drawn, np.asarray(image))


def test_a_file_may_be_called_like_a_background(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (5, 5), "red").save("shift", "PNG")
    for number, background in enumerate(("./shift", Path("shift"))):
        options = SceneOptions(train=1, val=0, test=0, size=16, background=background)
        made = draw(options, tmp_path / str(number)).manifest
        assert made.classes[0] == "background"
    options = SceneOptions(train=1, val=0, test=0, size=16, background="shift")
    assert draw(options, tmp_path / "sky").manifest.classes[0] == "sky"
