import json

import pytest
from tfrecords import file_contents

from data_gen.__main__ import main
from data_gen.draw_dataset import Drawing, draw
from data_gen.options import SceneOptions
from data_gen.parts import part_folder, write_part

# Seven record files: 3 of train, 3 of val, 1 of test.
OPTIONS = SceneOptions(train=7, val=4, test=1, size=16, seed=3, shards=3)
ARGUMENTS = "--train 7 --val 4 --test 1 --size 16 --seed 3 --shards 3 --workers 1"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of the set, written in one call; tests must not change it."""
    out = tmp_path_factory.mktemp("whole") / "fruit"
    draw(OPTIONS, out)
    return out


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Return the folders of three parts; tests must not change them."""
    out = tmp_path_factory.mktemp("parts") / "fruit"
    drawing = Drawing.prepare(OPTIONS)
    return [write_part(drawing, out, index, 3).folder for index in range(3)]


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def refused(capsys, *arguments):
    """Return the one line in which a command fails."""
    status, printed, error = run(capsys, *arguments)
    assert (status, printed) == (1, "")
    assert error.startswith("error: ") and error.count("\n") == 1
    return error[len("error: ") : -1]


def test_a_part_holds_whole_files_of_the_set_and_no_manifest(whole, parts):
    files = [set(file_contents(part)) - {"part.json"} for part in parts]
    assert [len(names) for names in files] == [3, 2, 2]
    assert set.union(*files) == {path.name for path in whole.glob("*.tfrecord")}
    for part, names in zip(parts, files, strict=True):
        for name in names:
            assert (part / name).read_bytes() == (whole / name).read_bytes()


def test_the_merged_parts_are_the_set_byte_for_byte(capsys, whole, parts, tmp_path):
    before = [file_contents(part) for part in parts]
    out = tmp_path / "merged"
    status, printed, error = run(capsys, "merge", *parts[::-1], "--out", out)
    assert (status, error) == (0, "")
    assert printed.startswith(f"wrote 7 train, 4 val, 1 test images to {out}: ")
    assert file_contents(out) == file_contents(whole)
    assert [file_contents(part) for part in parts] == before
    assert "nothing to do" in run(capsys, "merge", *parts, "--out", out)[1]


def test_the_command_writes_a_part_beside_the_set(capsys, parts, tmp_path):
    out = tmp_path / "fruit"
    arguments = ["fruit", "--out", out, *ARGUMENTS.split(), "--num-shards", 3]
    status, printed, error = run(capsys, *arguments, "--shard", 1)
    assert (status, error) == (0, "")
    folder = part_folder(out, 1, 3)
    assert printed.startswith(f"wrote 3 images in 2 files to {folder}; ")
    assert file_contents(folder) == file_contents(parts[1])
    assert list(tmp_path.iterdir()) == [folder]
    # A job that is started again does nothing; one of another set does not replace it.
    assert "nothing to do" in run(capsys, *arguments, "--shard", 1)[1]
    error = refused(capsys, *arguments, "--shard", 1, "--seed", 4)
    assert f"{folder}: holds another data set (seed is 3, asked for 4)" in error
    (folder / "part.json").unlink()
    assert "a shard without part.json" in refused(capsys, *arguments, "--shard", 1)
    (folder / "notes.txt").write_text("mine")
    assert run(capsys, *arguments, "--shard", 1, "--overwrite")[0] == 0
    assert (folder / "notes.txt").read_text() == "mine"
    (folder / "notes.txt").unlink()
    assert file_contents(folder) == file_contents(parts[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--shard 3 --num-shards 3", "shard: expected 0 to 2, below num_shards, got 3"),
        ("--shard -1 --num-shards 3", "shard: expected an integer >= 0, got -1"),
        ("--shard 0 --num-shards 0", "num_shards: expected an integer >= 1, got 0"),
        ("--shard 0 --num-shards 8", "num_shards: expected at most 7, the number of"),
        ("--shard 0", "--shard and --num-shards: expected both or none"),
        ("--num-shards 2", "--shard and --num-shards: expected both or none"),
    ],
)
def test_parts_that_cannot_be_are_refused(capsys, tmp_path, arguments, message):
    out = tmp_path / "fruit"
    error = refused(
        capsys, "fruit", "--out", out, *ARGUMENTS.split(), *arguments.split()
    )
    assert error.startswith(message)
    assert not list(tmp_path.iterdir())


def test_parts_that_make_no_whole_set_are_refused(capsys, whole, parts, tmp_path):
    out = tmp_path / "out"

    def merged(*folders):
        error = refused(capsys, "merge", *folders, "--out", out)
        assert not out.exists()
        return error

    def other(index, count, **changes):
        drawing = Drawing.prepare(SceneOptions(**{**vars(OPTIONS), **changes}))
        return write_part(drawing, tmp_path / "other", index, count).folder

    assert merged(*parts[:2]).startswith("part 2 of 3 missing: write with --shard 2")
    assert merged(parts[1]).startswith("parts 0, 2 of 3 missing")
    assert merged(*parts, parts[0]) == f"{parts[0]}: given twice"
    double = tmp_path / "double"
    double.symlink_to(parts[0])
    assert merged(*parts, double) == f"{double}: given twice"
    assert merged(*parts[:2], whole).startswith(f"{whole / 'part.json'}: not found")
    again = other(1, 3)
    assert merged(*parts, again) == f"{again}: part 1, as is {parts[1]}"
    foreign = other(0, 2)
    assert merged(*parts, foreign) == (
        f"{foreign}: one of 2 parts, but {parts[0]} is one of 3"
    )
    foreign = other(2, 3, seed=4)
    assert merged(*parts[:2], foreign) == (
        f"{foreign}: of another data set than {parts[0]} (seed is 4, there 3)"
    )


def test_a_part_of_another_version_is_refused(capsys, parts, tmp_path, monkeypatch):
    monkeypatch.setattr("data_gen.__version__", "0.9.0")
    old = write_part(Drawing.prepare(OPTIONS), tmp_path / "old", 2, 3).folder
    error = refused(capsys, "merge", *parts[:2], old, "--out", tmp_path / "out")
    assert error.endswith("(version is 0.9.0, there 1.0.0)")


def test_a_damaged_part_is_named(capsys, parts, tmp_path):
    part = write_part(Drawing.prepare(OPTIONS), tmp_path / "fruit", 2, 3).folder
    arguments = ["merge", *parts[:2], part, "--out", tmp_path / "out"]
    shard = part / "train-00002-of-00003.tfrecord"
    content = shard.read_bytes()
    shard.write_bytes(content[:-5])
    assert refused(capsys, *arguments).startswith(f"{shard}: truncated in record 2")
    shard.write_bytes(content)
    description = json.loads((part / "part.json").read_text())
    del description["manifest"]["splits"]["train"]["shards"][0]
    (part / "part.json").write_text(json.dumps(description))
    assert refused(capsys, *arguments) == (
        "train-00002-of-00003.tfrecord: in none of the parts"
    )
    (part / "part.json").write_text("[]")
    assert "part.json: does not describe a part" in refused(capsys, *arguments)
    assert not (tmp_path / "out").exists()


def test_a_set_is_not_merged_into_one_of_its_parts(capsys, parts):
    error = refused(capsys, "merge", *parts, "--out", parts[0], "--overwrite")
    assert error == f"{parts[0]}: is one of the parts; choose another folder"
