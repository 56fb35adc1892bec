from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import chisquare

from data_gen.draw_dataset import draw
from data_gen.options import SceneOptions
from data_gen.render import draw_examples
from data_gen.scene import example_rng
from data_gen.scenes import SCENES
from data_gen.wide_sky import draw_wide_sky

GOLDEN = Path(__file__).parents[1] / "golden"
MOVING = SCENES["fruit"](64, None, "shift")


def explained(pictures, masks):
    """Return the share of sky within 10 levels of its pixel's median sky."""
    sky = (masks == 0)[..., None]
    usual = np.nanmedian(np.where(sky, pictures, np.nan), axis=0)
    return (abs(pictures - usual).max(-1) <= 10)[masks == 0].mean()


def test_no_single_picture_explains_a_moving_sky():
    static = draw_examples(SCENES["fruit"](64), 0, "val", 0, 300)
    moving = draw_examples(MOVING, 0, "val", 0, 300)
    # But for the edges of objects, which are partly theirs.
    assert explained(*static) > 0.95
    assert explained(*moving) < 0.25


def test_at_no_pixel_do_most_pictures_have_one_color():
    pictures, _ = draw_examples(MOVING, 0, "train", 0, 400)
    for row, column in np.ndindex(64, 64):
        shown = pictures[:, row, column] // 32
        # Half of the sky's colors, at 32 levels a channel, would be 200 pictures.
        assert np.unique(shown, axis=0, return_counts=True)[1].max() < 200


def test_masks_and_objects_are_those_of_the_static_set():
    static, moving = (
        draw_examples(sampler, 2, "test", 0, 40)
        for sampler in (SCENES["fruit"](64), MOVING)
    )
    np.testing.assert_array_equal(moving[1], static[1])
    # On an edge, up to half of the color is the sky's.
    differs = abs(moving[0].astype(int) - static[0])[static[1] > 0]
    assert (differs.max(-1) == 0).mean() > 0.8 and differs.max() <= 128
    assert (moving[0] != static[0])[static[1] == 0].mean() > 0.9


def places(wide, part):
    """Return where a part lies in a sky, by trying all places."""
    size = len(part)
    return [
        (top, left)
        for top in range(2 * size + 1)
        for left in range(3 * size)
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
    assert chisquare(np.bincount(tops, minlength=33)).pvalue > 1e-3
    assert chisquare(np.bincount(lefts, minlength=48)).pvalue > 1e-3


def test_the_wide_sky_has_no_seam():
    wide = draw_wide_sky(64).astype(int)
    assert wide.shape == (192, 256, 3)
    np.testing.assert_array_equal(wide[:, 192:], wide[:, :64])
    # A cloud that is cut off is a line of steps from white to blue, one below another.
    steps = abs(np.diff(wide, axis=1)).max(2)  # (192, 255)
    lines = (steps > 40).sum(0)
    assert lines[191] <= np.delete(lines, 191).max() / 2
    # And some cloud does reach over the end.
    white = wide[:, 190:194].min(2) > 200
    assert white.all(1).any()


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
