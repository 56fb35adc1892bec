import pytest

from cirs_tf.data.records import IGNORE_LABEL
from cirs_tf.errors import ConfigError
from data_gen.importers.options import (
    BsdsOptions,
    Cifar10Options,
    Frame,
    ImageOptions,
    parse_size,
)

FRAME = Frame(16, 16)


def test_a_size_is_a_number_or_two():
    assert parse_size("64") == (64, 64)
    assert parse_size("48x64") == (48, 64)


@pytest.mark.parametrize("text", ["64by64", "x64", "64x", "-3", "6.4", "", "64x64x3"])
def test_other_sizes_are_refused(text):
    with pytest.raises(ConfigError, match="size: expected PIXELS or HEIGHTxWIDTH"):
        parse_size(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((15, 16), "size: expected at least 16 pixels per side, got 15x16"),
        ((16, 15), "size: expected at least 16 pixels per side, got 16x15"),
        ((16, 16, "stretch"), "how: expected crop or fit, got 'stretch'"),
    ],
)
def test_a_frame_out_of_range_is_named(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Frame(*arguments)


@pytest.mark.parametrize(
    ("changes", "fraction"),
    [
        ({}, 0.1),
        ({"test": 0.3}, 0.3),
        ({"test_images": "b"}, 0),
        ({"test_images": "b", "test": 0.0}, 0),
    ],
)
def test_the_test_fraction_depends_on_test_images(changes, fraction):
    assert ImageOptions("a", FRAME, **changes).test_fraction == fraction


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": -1}, "seed: expected an integer >= 0"),
        ({"shards": 0}, "shards: expected an integer >= 1"),
        ({"val": 1.0}, "val: expected a fraction from 0 to below 1"),
        ({"val": -0.1}, "val: expected a fraction"),
        ({"val": float("nan")}, "val: expected a fraction"),
        ({"test": 1.5}, "test: expected a fraction"),
        ({"val": 0.5, "test": 0.5}, "less than 1 together"),
        ({"classes": ("a",)}, "classes: expected masks too"),
        ({"with_train_masks": True}, "with_train_masks: expected masks too"),
        ({"test_masks": "m"}, "test_masks: expected test_images too"),
        ({"test_images": "b", "test": 0.1}, "test: expected no fraction"),
        ({"masks": "m", "classes": ("a", "a")}, "at most 255 different names, got a,a"),
        ({"masks": "m", "classes": ("a", "")}, "at most 255 different names"),
        ({"masks": "m", "classes": tuple(map(str, range(256)))}, "at most 255"),
    ],
)
def test_image_options_out_of_range_are_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        ImageOptions("a", FRAME, **changes)


def test_as_many_classes_as_there_are_labels_may_have_names():
    names = tuple(map(str, range(IGNORE_LABEL)))
    assert ImageOptions("a", FRAME, masks="m", classes=names).classes == names


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patch": 15}, "patch: expected an integer >= 16, got 15"),
        ({"patch": 322}, "patch: expected at most 321, got 322"),
        ({"train_patches": 0}, "train_patches: expected an integer >= 1"),
        ({"val_patches": 0}, "val_patches: expected an integer >= 1"),
        ({"seed": -1}, "seed: expected an integer >= 0"),
        ({"shards": 0}, "shards: expected an integer >= 1"),
    ],
)
def test_bsds_options_out_of_range_are_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        BsdsOptions("source", **changes)


def test_whole_images_of_bsds_give_one_record():
    whole, patches = BsdsOptions("a", whole=True), BsdsOptions("a", patch=32)
    assert (whole.size, patches.size) == ((321, 481), (32, 32))
    assert [whole.records_per_image(split) for split in ("train", "val")] == [1, 1]
    assert [patches.records_per_image(split) for split in ("train", "val")] == [50, 5]


@pytest.mark.parametrize("name", ["val", "seed", "shards"])
def test_cifar10_options_out_of_range_are_named(name):
    with pytest.raises(ConfigError, match=f"{name}: expected an integer >="):
        Cifar10Options(**{name: -1})
