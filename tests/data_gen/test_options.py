import pytest

from cirs_tf.errors import ConfigError
from data_gen.options import SceneOptions, check_minimum, default_options


def test_the_default_is_the_set_of_the_thesis():
    options = default_options()
    assert options == SceneOptions("fruit", 10_000, 1_500, 1_500, 64)
    assert default_options(scene="twotone", seed=3) == SceneOptions("twotone", seed=3)


def test_the_size_depends_on_the_scene():
    sizes = [SceneOptions(scene).size for scene in ("fruit", "dsprites", "tetrominoes")]
    assert sizes == [64, 64, 35]


def test_only_splits_with_images_are_listed():
    options = SceneOptions(train=3, val=0, test=2)
    assert options.splits == ("train", "test")
    assert [options.num_examples(split) for split in options.splits] == [3, 2]


@pytest.mark.parametrize("with_train_masks", [False, True])
def test_only_training_records_may_lack_masks(with_train_masks):
    options = SceneOptions(with_train_masks=with_train_masks)
    masks = [options.has_masks(split) for split in ("train", "val", "test")]
    assert masks == [with_train_masks, True, True]


@pytest.mark.parametrize(
    ("scene", "background", "stored", "file"),
    [
        ("fruit", None, None, None),
        ("fruit", "static", None, None),
        ("fruit", "shift", "shift", None),
        ("fruit", "./shift", "./shift", "./shift"),
        ("fruit", "grey", "grey", "grey"),
        ("dsprites", "gray", None, None),
        ("dsprites", "color", "color", None),
    ],
)
def test_a_background_is_a_name_or_a_file(scene, background, stored, file):
    options = SceneOptions(scene, background=background)
    assert (options.background, options.background_file) == (stored, file)


def test_objects_are_a_range():
    assert SceneOptions("dsprites").objects_range == (1, 4)
    assert SceneOptions("dsprites", objects="2-15").objects_range == (2, 15)


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
    ("scene", "changes", "message"),
    [
        ("tetrominoes", {"size": 64}, "size: expected a multiple of 7 .*, got 64"),
        ("tetrominoes", {"size": 14}, "size: expected an integer >= 16, got 14"),
        ("tetrominoes", {"background": "gray"}, "has no choice, got 'gray'"),
        ("tetrominoes", {"background": "grey"}, "has no choice, got 'grey'"),
        ("tetrominoes", {"objects": "1-4"}, "objects: tetrominoes has no choice"),
        ("tetrominoes", {"sprites": "mine"}, "sprites: tetrominoes draws its own"),
        ("dsprites", {"background": "shift"}, "expected gray or color, got 'shift'"),
        ("dsprites", {"background": "grey"}, "'grey' is now called 'gray'"),
        ("dsprites", {"background": "colour"}, "'colour' is now called 'color'"),
        ("dsprites", {"objects": "4"}, "objects: expected MIN-MAX, .* got '4'"),
        ("dsprites", {"objects": "0-4"}, "objects: expected MIN-MAX, .* got '0-4'"),
        ("dsprites", {"objects": "4-1"}, "objects: expected MIN <= MAX, got 4-1"),
        ("dsprites", {"sprites": "mine"}, "sprites: dsprites draws its own"),
        ("fruit", {"objects": "1-4"}, "objects: fruit has no choice"),
    ],
)
def test_options_of_another_scene_are_named(scene, changes, message):
    with pytest.raises(ConfigError, match=message):
        SceneOptions(scene, **changes)


def test_a_minimum_is_allowed_itself():
    check_minimum("size", 16, 16)
    with pytest.raises(ConfigError, match="size: expected an integer >= 16, got 15"):
        check_minimum("size", 15, 16)
