import pytest

from data_gen.command_line import make_parser
from data_gen.importers.options import BsdsOptions, Cifar10Options
from data_gen.options import SceneOptions


def parse(*arguments):
    return vars(make_parser("data").parse_args([*arguments, "--out", "folder"]))


@pytest.mark.parametrize("scene", ["fruit", "twotone", "dsprites", "tetrominoes"])
def test_without_arguments_a_scene_has_its_default_options(scene):
    arguments = parse(scene)
    for name in ("kind", "out", "workers", "overwrite"):
        del arguments[name]
    assert SceneOptions(scene, **arguments) == SceneOptions(scene)


def test_without_arguments_imports_have_their_default_options():
    for kind, options in (
        (("bsds", "source"), BsdsOptions("source")),
        (("cifar10",), Cifar10Options()),
    ):
        arguments = parse(*kind)
        for name, value in vars(options).items():
            assert str(arguments[name]) == str(value)


def test_an_image_is_cropped_or_fitted():
    common = ["images", "--images", "folder"]
    assert parse(*common)["how"] == "crop"
    assert parse(*common, "--crop")["how"] == "crop"
    assert parse(*common, "--fit")["how"] == "fit"


@pytest.mark.parametrize(
    "arguments",
    [
        ["dsprites", "--sprites", "mine"],
        ["tetrominoes", "--objects", "1-4"],
        ["tetrominoes", "--background", "gray"],
        ["fruit", "--objects", "1-4"],
        ["cifar10", "--workers", "2"],
        ["images"],
        ["images", "--images", "folder", "--crop", "--fit"],
        ["bsds"],
        [],
        ["kiwi"],
    ],
)
def test_arguments_that_do_not_belong_are_refused(capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        make_parser("data").parse_args([*arguments, "--out", "folder"])
    assert stop.value.code == 2
    assert "error: " in capsys.readouterr().err
