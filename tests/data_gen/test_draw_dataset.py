import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tfrecords import decode_png, features, file_contents, read_records

from cirs_tf.data.manifest import Manifest, verify_shards
from cirs_tf.data.records import FILENAME, IMAGE, MASK
from cirs_tf.errors import ConfigError, DataError
from data_gen import draw_dataset
from data_gen.draw_dataset import draw
from data_gen.options import SceneOptions
from data_gen.render import draw_examples
from data_gen.scenes import SCENES
from data_gen.worker_pool import WorkerError


def test_the_bytes_do_not_depend_on_the_number_of_workers(
    small_set, small_options, tmp_path
):
    draw(small_options, tmp_path, workers=3)
    assert file_contents(tmp_path) == file_contents(small_set)


@pytest.mark.parametrize("shards", [1, 7, 1000])
def test_the_records_do_not_depend_on_the_number_of_shards(
    small_set, small_options, tmp_path, shards
):
    draw(dataclasses.replace(small_options, shards=shards), tmp_path)
    for split in ("train", "val", "test"):
        assert read_records(tmp_path, split) == read_records(small_set, split)
        # More shards than examples: one file per example, none empty.
        counts = [s.examples for s in Manifest.read(tmp_path).split(split).shards]
        assert len(counts) == min(shards, sum(counts))
        assert max(counts) - min(counts) <= 1


def test_the_first_records_do_not_depend_on_the_counts(
    small_set, small_options, tmp_path
):
    draw(dataclasses.replace(small_options, train=3, test=0), tmp_path)
    assert read_records(tmp_path, "train") == read_records(small_set, "train")[:3]
    assert read_records(tmp_path, "val") == read_records(small_set, "val")


def test_another_seed_gives_other_images(small_set, small_options, tmp_path):
    draw(dataclasses.replace(small_options, seed=6), tmp_path)
    ours, others = (
        {features(record)[IMAGE] for record in read_records(folder, "train")}
        for folder in (tmp_path, small_set)
    )
    assert not ours & others


def test_no_image_occurs_twice(small_set):
    images = [
        features(record)[IMAGE]
        for split in ("train", "val", "test")
        for record in read_records(small_set, split)
    ]
    assert len(set(images)) == 72


def test_training_records_hold_no_mask(small_set):
    for split, expected in (("train", False), ("val", True), ("test", True)):
        assert Manifest.read(small_set).split(split).masks is expected
        for record in read_records(small_set, split):
            assert (MASK in features(record)) == expected


def test_training_records_hold_masks_on_request(small_set, small_options, tmp_path):
    draw(dataclasses.replace(small_options, with_train_masks=True), tmp_path)
    assert Manifest.read(tmp_path).split("train").masks
    sampler = SCENES["fruit"](64)
    _, masks = draw_examples(sampler, small_options.seed, "train", 0, 40)
    for record, plain, mask in zip(
        read_records(tmp_path, "train"),
        read_records(small_set, "train"),
        masks,
        strict=True,
    ):
        values = features(record)
        np.testing.assert_array_equal(decode_png(values.pop(MASK)), mask)
        assert values == features(plain)


def test_records_hold_what_was_drawn(small_set, small_options):
    sampler = SCENES["fruit"](64)
    images, masks = draw_examples(sampler, small_options.seed, "val", 0, 16)
    for index, record in enumerate(read_records(small_set, "val")):
        values = features(record)
        np.testing.assert_array_equal(decode_png(values[IMAGE]), images[index])
        np.testing.assert_array_equal(decode_png(values[MASK]), masks[index])
        assert values[FILENAME].decode() == f"val-{index:06d}.png"


def test_the_manifest_describes_the_folder(small_set):
    manifest = Manifest.read(small_set)
    assert (manifest.name, manifest.height, manifest.width) == ("fruit", 64, 64)
    assert manifest.classes == ("sky", "lemon", "apple", "blueberry")
    assert manifest.generator["seed"] == 5
    counts = {name: split.examples for name, split in manifest.splits.items()}
    assert counts == {"train": 40, "val": 16, "test": 16}
    for split in manifest.splits.values():
        verify_shards(small_set, split)


@pytest.mark.parametrize("background", [None, "static"])
def test_the_generator_of_a_default_set_stays_what_it_was(background, tmp_path):
    """Against a manifest from before the sky could move and objects be counted."""
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


def test_other_sizes_are_drawn_to_scale(tmp_path):
    draw(SceneOptions(train=1, val=30, test=0, size=32), tmp_path)
    records = read_records(tmp_path, "val")
    masks = np.stack([decode_png(features(record)[MASK]) for record in records])
    assert masks.shape == (30, 32, 32)
    fractions = np.bincount(masks.ravel(), minlength=4) / masks.size
    np.testing.assert_allclose(fractions, [0.82, 0.05, 0.06, 0.07], atol=0.02)


def test_given_sprites_and_background_are_used(tmp_path):
    sprites = tmp_path / "sprites"
    sprites.mkdir()
    for name, color in (("b", (0, 255, 0, 255)), ("a", (255, 0, 0, 255))):
        Image.new("RGBA", (5, 5), color).save(sprites / f"{name}.png")
    Image.new("RGB", (9, 9), (0, 0, 255)).save(tmp_path / "ground.png")
    options = SceneOptions(
        train=2, val=3, test=0, sprites=sprites, background=tmp_path / "ground.png"
    )
    out = tmp_path / "set"
    manifest = draw(options, out).manifest
    assert manifest.classes == ("background", "a", "b")
    colors = np.array([(0, 0, 255), (255, 0, 0), (0, 255, 0)])
    for record in read_records(out, "val"):
        values = features(record)
        image, mask = decode_png(values[IMAGE]), decode_png(values[MASK])
        assert set(np.unique(mask)) == {0, 1, 2}
        wrong = abs(image - colors[mask]).max(-1) > 128
        # On an edge that two squares share a third color may weigh most.
        assert wrong.sum() <= 2
    assert not draw(options, out).is_new
    Image.new("RGBA", (5, 5), (9, 9, 9, 255)).save(sprites / "a.png")
    with pytest.raises(DataError, match="holds another data set .sprites"):
        draw(options, out)


def test_a_file_may_be_called_like_a_background(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (5, 5), "red").save("shift", "PNG")
    for folder, background in (("a", "./shift"), ("b", Path("shift"))):
        options = SceneOptions(train=1, val=0, test=0, size=16, background=background)
        manifest = draw(options, tmp_path / folder).manifest
        assert manifest.classes[0] == "background"
    options = SceneOptions(train=1, val=0, test=0, size=16, background="shift")
    assert draw(options, tmp_path / "sky").manifest.classes[0] == "sky"


@pytest.mark.parametrize("counts", [(1, 0, 0), (3, 0, 1), (40, 1, 0)])
def test_splits_may_be_left_out(tmp_path, counts):
    options = SceneOptions("fruit", *counts, size=16)
    splits = draw(options, tmp_path).manifest.splits
    written = {name: split.examples for name, split in splits.items()}
    asked = zip(("train", "val", "test"), counts, strict=True)
    assert written == {name: count for name, count in asked if count}
    info = json.loads((tmp_path / "dataset_info.json").read_text())
    assert {split["name"] for split in info["splits"]} == set(written)


@pytest.mark.parametrize(
    ("scene", "changes"),
    [
        ("twotone", {"background": "shift"}),
        ("dsprites", {"background": "color", "objects": "2-5"}),
        ("tetrominoes", {}),
    ],
)
def test_every_scene_makes_the_same_set_with_any_workers(scene, changes, tmp_path):
    # More than one range each: 128 images of 64 x 64 are drawn at a time.
    options = SceneOptions(scene, train=600, val=9, test=3, seed=4, shards=2, **changes)
    for workers in (1, 3):
        draw(options, tmp_path / str(workers), workers=workers)
    assert file_contents(tmp_path / "1") == file_contents(tmp_path / "3")
    size = 35 if scene == "tetrominoes" else 64
    manifest = Manifest.read(tmp_path / "1")
    assert (manifest.name, manifest.height, manifest.width) == (scene, size, size)
    assert not draw(options, tmp_path / "1").is_new
    # The first records do not depend on the counts.
    draw(dataclasses.replace(options, train=5, shards=1), tmp_path / "few")
    few, many = (read_records(tmp_path / name, "train") for name in ("few", "1"))
    assert few == many[:5]
    assert MASK not in features(few[0])


@pytest.mark.parametrize(
    ("scene", "changes"),
    [
        ("dsprites", {"background": None, "objects": "1-4"}),
        ("dsprites", {"background": "color", "objects": "2-5"}),
        ("tetrominoes", {"background": None}),
        ("fruit", {"background": "shift"}),
    ],
)
def test_the_manifest_holds_what_a_scene_was_given(scene, changes, tmp_path):
    options = SceneOptions(scene, train=1, val=1, test=0, shards=1, **changes)
    arguments = draw(options, tmp_path).manifest.generator["arguments"]
    assert {name: arguments[name] for name in changes} == changes
    assert ("objects" in arguments) == (scene == "dsprites")


def test_options_reach_dsprites(tmp_path):
    options = SceneOptions(
        "dsprites", train=20, val=0, test=0, background="color", objects="5-5"
    )
    draw(options, tmp_path)
    for record in read_records(tmp_path, "train"):
        image = decode_png(features(record)[IMAGE])
        assert np.ptp(image[0, 0]) > 0
    draw(dataclasses.replace(options, background="gray"), tmp_path / "gray")
    for record in read_records(tmp_path / "gray", "train"):
        image = decode_png(features(record)[IMAGE])
        assert np.ptp(image[0, 0].astype(int)) == 0
        # Pixels on edges aside, five sprites and the background, unless hidden.
        colors, counts = np.unique(image.reshape(-1, 3), axis=0, return_counts=True)
        assert (counts > 20).sum() <= 6


def test_a_worker_that_dies_is_a_data_error(tmp_path, monkeypatch):
    def die(*_):
        yield from ()
        raise WorkerError("a process that draws died")

    monkeypatch.setattr(draw_dataset, "draw_in_order", die)
    with pytest.raises(DataError, match="that draws died; nothing was written"):
        draw(SceneOptions(train=1), tmp_path / "out", workers=2)
    assert not (tmp_path / "out").exists()


def test_at_least_one_worker_draws(tmp_path):
    with pytest.raises(ConfigError, match="workers: expected an integer >= 1, got 0"):
        draw(SceneOptions(train=1), tmp_path, workers=0)
