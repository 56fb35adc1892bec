import dataclasses
import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from cirs_tf.data.manifest import Manifest, verify_shards
from cirs_tf.data.records import FILENAME, IMAGE, MASK
from cirs_tf.errors import ConfigError, DataError
from data_gen.contact_sheet import class_colors
from data_gen.draw_dataset import draw
from data_gen.options import SceneOptions
from data_gen.render import draw_examples
from data_gen.scenes import SCENES


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def records(folder, split):
    shards = Manifest.read(folder).split(split).shards
    paths = [str(folder / shard.file) for shard in shards]
    return [record.numpy() for record in tf.data.TFRecordDataset(paths)]


def features(record):
    example = tf.train.Example.FromString(record)
    return {
        key: value.bytes_list.value[0] if value.bytes_list.value else None
        for key, value in example.features.feature.items()
    }


def decoded(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def test_the_bytes_do_not_depend_on_the_number_of_workers(
    small_set, small_options, tmp_path
):
    draw(small_options, tmp_path, workers=3)
    assert files(tmp_path) == files(small_set)


@pytest.mark.parametrize("shards", [1, 7, 1000])
def test_the_records_do_not_depend_on_the_number_of_shards(
    small_set, small_options, tmp_path, shards
):
    draw(dataclasses.replace(small_options, shards=shards), tmp_path)
    for split in ("train", "val", "test"):
        assert records(tmp_path, split) == records(small_set, split)
        # More shards than examples: one file an example, none empty.
        held = [shard.examples for shard in Manifest.read(tmp_path).split(split).shards]
        assert len(held) == min(shards, sum(held))
        assert max(held) - min(held) <= 1


def test_the_first_records_do_not_depend_on_the_counts(
    small_set, small_options, tmp_path
):
    draw(dataclasses.replace(small_options, train=3, test=0), tmp_path)
    assert records(tmp_path, "train") == records(small_set, "train")[:3]
    assert records(tmp_path, "val") == records(small_set, "val")


def test_another_seed_gives_other_pictures(small_set, small_options, tmp_path):
    draw(dataclasses.replace(small_options, seed=6), tmp_path)
    ours, others = (
        {features(one)[IMAGE] for one in records(folder, "train")}
        for folder in (tmp_path, small_set)
    )
    assert not ours & others


def test_no_picture_occurs_twice(small_set):
    images = [
        features(one)[IMAGE]
        for split in ("train", "val", "test")
        for one in records(small_set, split)
    ]
    assert len(set(images)) == 72


def test_training_records_hold_no_mask(small_set):
    for split, expected in (("train", False), ("val", True), ("test", True)):
        assert Manifest.read(small_set).split(split).masks is expected
        assert {MASK in features(one) for one in records(small_set, split)} == {
            expected
        }


def test_training_records_hold_masks_on_request(small_set, small_options, tmp_path):
    draw(dataclasses.replace(small_options, with_train_masks=True), tmp_path)
    assert Manifest.read(tmp_path).split("train").masks
    sampler = SCENES["fruit"](64)
    _, masks = draw_examples(sampler, small_options.seed, "train", 0, 40)
    for record, plain, mask in zip(
        records(tmp_path, "train"), records(small_set, "train"), masks, strict=True
    ):
        held = features(record)
        np.testing.assert_array_equal(decoded(held.pop(MASK)), mask)
        assert held == features(plain)


def test_records_hold_what_was_drawn(small_set, small_options):
    sampler = SCENES["fruit"](64)
    pictures, masks = draw_examples(sampler, small_options.seed, "val", 0, 16)
    for index, record in enumerate(records(small_set, "val")):
        held = features(record)
        np.testing.assert_array_equal(decoded(held[IMAGE]), pictures[index])
        np.testing.assert_array_equal(decoded(held[MASK]), masks[index])
        assert held[FILENAME].decode() == f"val-{index:06d}.png"


def test_the_manifest_describes_the_folder(small_set):
    manifest = Manifest.read(small_set)
    assert (manifest.name, manifest.height, manifest.width) == ("fruit", 64, 64)
    assert manifest.classes == ("sky", "lemon", "apple", "blueberry")
    assert manifest.generator["seed"] == 5
    assert {name: split.examples for name, split in manifest.splits.items()} == {
        "train": 40,
        "val": 16,
        "test": 16,
    }
    for split in manifest.splits.values():
        verify_shards(small_set, split)
    listed = {
        shard.file for split in manifest.splits.values() for shard in split.shards
    }
    others = "manifest.json contact_sheet.png features.json dataset_info.json".split()
    assert set(files(small_set)) == listed.union(others)


def test_other_sizes_are_drawn_to_scale(tmp_path):
    draw(SceneOptions(train=1, val=30, test=0, size=32), tmp_path)
    masks = [decoded(features(one)[MASK]) for one in records(tmp_path, "val")]
    assert masks[0].shape == (32, 32)
    share = np.bincount(np.ravel(masks), minlength=4) / np.size(masks)
    np.testing.assert_allclose(share, [0.82, 0.05, 0.06, 0.07], atol=0.02)


def test_own_sprites_and_background_are_used(tmp_path):
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
    for record in records(out, "val"):
        held = features(record)
        picture, mask = decoded(held[IMAGE]), decoded(held[MASK])
        assert set(np.unique(mask)) == {0, 1, 2}
        wrong = abs(picture - colors[mask]).max(-1) > 128
        # On an edge that two squares share a third color may weigh most.
        assert wrong.sum() <= 2
    assert not draw(options, out).fresh
    Image.new("RGBA", (5, 5), (9, 9, 9, 255)).save(sprites / "a.png")
    with pytest.raises(DataError, match="holds another data set .sprites"):
        draw(options, out)


def test_a_set_that_is_there_is_left_alone(small_set, small_options):
    before = {path: path.stat().st_mtime_ns for path in small_set.iterdir()}
    drawn = draw(small_options, small_set)
    assert not drawn.fresh
    assert drawn.manifest == Manifest.read(small_set)
    assert {path: path.stat().st_mtime_ns for path in small_set.iterdir()} == before


def test_another_set_is_replaced_only_on_request(tmp_path):
    few = SceneOptions(train=6, val=2, test=2, shards=3)
    more = dataclasses.replace(few, seed=1, shards=2)
    draw(few, tmp_path)
    before = files(tmp_path)
    with pytest.raises(DataError, match="seed is 0, asked for 1.*--overwrite"):
        draw(more, tmp_path)
    assert files(tmp_path) == before
    assert draw(more, tmp_path, overwrite=True).fresh
    names = {name for name in files(tmp_path) if name.endswith(".tfrecord")}
    assert len(names) == 6 and all("-of-00002" in name for name in names)


def test_a_damaged_set_is_not_taken_for_the_same(tmp_path):
    options = SceneOptions(train=4, val=2, test=0, shards=1)
    draw(options, tmp_path)
    shard = tmp_path / "val-00000-of-00001.tfrecord"
    shard.write_bytes(shard.read_bytes()[:-5])
    with pytest.raises(DataError, match="val-00000-of-00001.*truncated.*--overwrite"):
        draw(options, tmp_path)
    draw(options, tmp_path, overwrite=True)
    assert not draw(options, tmp_path).fresh


def test_shards_without_a_manifest_are_not_mixed_with_new_ones(tmp_path):
    options = SceneOptions(train=4, val=0, test=0, shards=1)
    stray = tmp_path / "train-00003-of-00009.tfrecord"
    stray.write_bytes(b"")
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(DataError, match="train-00003-of-00009.*without a manifest"):
        draw(options, tmp_path)
    draw(options, tmp_path, overwrite=True)
    assert not stray.exists()
    assert (tmp_path / "mine.txt").read_text() == "kept"


def test_what_a_killed_run_left_is_removed(tmp_path):
    left = tmp_path / ".writing" / "train-00000-of-00001.tfrecord"
    left.parent.mkdir()
    left.write_bytes(b"half")
    draw(SceneOptions(train=1, val=0, test=0), tmp_path)
    assert not left.parent.exists()


def test_the_sheet_shows_pictures_and_masks(small_set):
    sheet = np.asarray(Image.open(small_set / "contact_sheet.png"))
    picture = decoded(features(records(small_set, "train")[0])[IMAGE])
    enlarged = picture.repeat(2, 0).repeat(2, 1)
    found = [
        (top, left)
        for top in range(80)
        for left in range(80)
        if (sheet[top, left] == enlarged[0, 0]).all()
        and np.array_equal(sheet[top : top + 128, left : left + 128], enlarged)
    ]
    assert len(found) == 1
    # 32 training pictures, 16 validation pictures, 16 masks, each 128 pixels wide.
    assert sheet.shape[0] > 8 * 128 and sheet.shape[1] > 8 * 128


@pytest.mark.parametrize("counts", [(1, 0, 0), (3, 0, 1), (40, 1, 0)])
def test_splits_may_be_left_out(tmp_path, counts):
    options = SceneOptions("fruit", *counts, size=16)
    splits = draw(options, tmp_path).manifest.splits
    have = {name: split.examples for name, split in splits.items()}
    named = zip(("train", "val", "test"), counts, strict=True)
    assert have == {name: count for name, count in named if count}
    names = {
        one["name"]
        for one in json.loads((tmp_path / "dataset_info.json").read_text())["splits"]
    }
    assert names == set(have)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("train", 0),
        ("val", -1),
        ("test", -1),
        ("size", 15),
        ("seed", -1),
        ("shards", 0),
        ("size", 64.0),
        ("train", True),
        ("train", "5"),
    ],
)
def test_options_out_of_range_are_named(name, value):
    with pytest.raises(ConfigError, match=f"^{name}: expected an integer >= .*{value}"):
        SceneOptions(**{name: value})


def test_an_unknown_scene_is_named():
    with pytest.raises(
        ConfigError,
        match="expected one of fruit, twotone, dsprites, tetrominoes, got 'fruits'",
    ):
        SceneOptions("fruits")


@pytest.mark.parametrize(
    ("scene", "changes"),
    [
        ("twotone", {"background": "shift"}),
        ("dsprites", {"background": "color", "objects": "2-5"}),
        ("tetrominoes", {}),
    ],
)
def test_every_scene_makes_the_same_set_with_any_workers(scene, changes, tmp_path):
    # More than one range each: 128 pictures of 64 x 64 are drawn at a time.
    options = SceneOptions(scene, train=600, val=9, test=3, seed=4, shards=2, **changes)
    for workers in (1, 3):
        draw(options, tmp_path / str(workers), workers=workers)
    assert files(tmp_path / "1") == files(tmp_path / "3")
    size = 35 if scene == "tetrominoes" else 64
    manifest = Manifest.read(tmp_path / "1")
    assert (manifest.name, manifest.height, manifest.width) == (scene, size, size)
    assert not draw(options, tmp_path / "1").fresh
    # The first records do not depend on the counts.
    draw(dataclasses.replace(options, train=5, shards=1), tmp_path / "few")
    assert records(tmp_path / "few", "train") == records(tmp_path / "1", "train")[:5]
    assert MASK not in features(records(tmp_path / "few", "train")[0])


@pytest.mark.parametrize(
    ("scene", "own"),
    [
        ("dsprites", {"background": None, "objects": "1-4"}),
        ("dsprites", {"background": "color", "objects": "2-5"}),
        ("tetrominoes", {"background": None}),
        ("fruit", {"background": "shift"}),
    ],
)
def test_the_manifest_holds_what_a_scene_was_given(scene, own, tmp_path):
    options = SceneOptions(scene, train=1, val=1, test=0, shards=1, **own)
    arguments = draw(options, tmp_path).manifest.generator["arguments"]
    assert {name: arguments[name] for name in own} == own
    assert ("objects" in arguments) == (scene == "dsprites")


def test_options_reach_the_sprites(tmp_path):
    options = SceneOptions(
        "dsprites", train=20, val=0, test=0, background="color", objects="5-5"
    )
    draw(options, tmp_path)
    for record in records(tmp_path, "train"):
        picture = decoded(features(record)[IMAGE])
        assert np.ptp(picture[0, 0]) > 0
    draw(dataclasses.replace(options, background="gray"), tmp_path / "gray")
    for record in records(tmp_path / "gray", "train"):
        picture = decoded(features(record)[IMAGE])
        assert np.ptp(picture[0, 0].astype(int)) == 0
        # Pixels on edges aside, five sprites and the background, unless hidden.
        colors, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
        assert (counts > 20).sum() <= 6


@pytest.mark.parametrize(
    ("scene", "changes", "says"),
    [
        ("tetrominoes", {"size": 64}, "size: expected a multiple of 7 .*, got 64"),
        ("tetrominoes", {"size": 14}, "size: expected an integer >= 16, got 14"),
        (
            "tetrominoes",
            {"background": "gray"},
            "has no choice, got 'gray'",
        ),
        ("tetrominoes", {"objects": "1-4"}, "objects: tetrominoes has no choice"),
        ("tetrominoes", {"sprites": "mine"}, "sprites: tetrominoes draws its own"),
        ("dsprites", {"background": "shift"}, "expected gray or color, got 'shift'"),
        ("dsprites", {"objects": "4"}, "objects: expected MIN-MAX, .* got '4'"),
        ("dsprites", {"objects": "0-4"}, "objects: expected MIN-MAX, .* got '0-4'"),
        ("dsprites", {"objects": "4-1"}, "objects: expected MIN <= MAX, got 4-1"),
        ("dsprites", {"sprites": "mine"}, "sprites: dsprites draws its own"),
        ("fruit", {"objects": "1-4"}, "objects: fruit has no choice"),
    ],
)
def test_options_of_another_scene_are_named(scene, changes, says):
    with pytest.raises(ConfigError, match=says):
        SceneOptions(scene, **changes)


@pytest.mark.parametrize("scene", ["tetrominoes", "dsprites"])
def test_the_sheet_tells_all_classes_apart(scene, tmp_path):
    options = SceneOptions(scene, train=20, val=16, test=0)
    manifest = draw(options, tmp_path).manifest
    colors = class_colors(len(manifest.classes))
    assert len(np.unique(colors, axis=0)) == len(manifest.classes)
    # Below the pictures, each class has its square in the legend.
    sheet = np.asarray(Image.open(tmp_path / "contact_sheet.png"))
    legend = sheet[-90:].reshape(-1, 3)
    for color in colors:
        assert (legend == color).all(-1).sum() >= 15**2


def test_at_least_one_worker_draws(tmp_path):
    with pytest.raises(ConfigError, match="workers: expected an integer >= 1, got 0"):
        draw(SceneOptions(train=1), tmp_path, workers=0)
