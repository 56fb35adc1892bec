import io

import numpy as np
import pytest
from tfrecords import file_contents

from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import DataError
from data_gen.write_dataset import describe_generator, progress_bar, write_dataset
from data_gen.write_records import Example

SHARD = "train-00000-of-00001.tfrecord"


def write(out, seed=0, value=7, overwrite=False, **arguments):
    """Write a set of one image, whose pixels have a value."""
    generator = describe_generator("mine", {"seed": seed, **arguments})

    def write_splits(writer):
        image = np.full((16, 16, 3), value, np.uint8)
        split = writer.write("train", iter([Example(image, "a")]), 1)
        return Manifest("mine", 16, 16, (), generator, {"train": split})

    return write_dataset(
        out,
        generator,
        write_splits,
        num_shards=1,
        num_examples=1,
        overwrite=overwrite,
        progress=False,
    )


def test_the_folder_is_complete(tmp_path):
    data_set = write(tmp_path / "set")
    assert data_set.is_new
    assert data_set.manifest == Manifest.read(tmp_path / "set")
    assert set(file_contents(tmp_path / "set")) == {
        SHARD,
        "manifest.json",
        "contact_sheet.png",
        "features.json",
        "dataset_info.json",
    }


def test_a_set_that_is_there_is_left_alone(tmp_path):
    write(tmp_path, patch=3)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    data_set = write(tmp_path, patch=3, value=8)
    assert not data_set.is_new
    assert data_set.manifest == Manifest.read(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1, "patch": 3}, "seed is 0, asked for 1"),
        ({"patch": 4}, "patch is 3, asked for 4"),
        ({"patch": 3, "whole": True}, "whole is None, asked for True"),
        ({}, "other arguments"),
    ],
)
def test_another_set_is_replaced_only_on_request(tmp_path, changes, message):
    write(tmp_path, patch=3)
    before = file_contents(tmp_path)
    with pytest.raises(
        DataError, match=rf"another data set \({message}\).*--overwrite"
    ):
        write(tmp_path, value=8, **changes)
    assert file_contents(tmp_path) == before
    assert write(tmp_path, value=8, overwrite=True, **changes).is_new
    assert file_contents(tmp_path)[SHARD] != before[SHARD]


def test_a_damaged_set_is_not_taken_for_the_same(tmp_path):
    write(tmp_path)
    shard = tmp_path / SHARD
    shard.write_bytes(shard.read_bytes()[:-5])
    with pytest.raises(DataError, match=f"{SHARD}.*truncated.*--overwrite"):
        write(tmp_path)
    write(tmp_path, overwrite=True)
    assert not write(tmp_path).is_new


def test_shards_without_a_manifest_are_not_mixed_with_new_ones(tmp_path):
    stray = tmp_path / "train-00003-of-00009.tfrecord"
    stray.write_bytes(b"")
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(DataError, match="train-00003-of-00009.*without a manifest"):
        write(tmp_path)
    write(tmp_path, overwrite=True)
    assert not stray.exists()
    assert (tmp_path / "mine.txt").read_text() == "kept"


def test_the_generator_tells_the_seed_from_the_other_arguments():
    generator = describe_generator("fruit", {"train": 3, "seed": 5})
    assert generator == {
        "name": "data_gen fruit",
        "version": "1.0.0",
        "seed": 5,
        "arguments": {"train": 3},
    }


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "progress", "shown"),
    [
        (Terminal(), True, True),
        (Terminal(), False, False),
        (io.StringIO(), True, False),
    ],
)
def test_a_bar_shows_on_a_terminal_alone(stream, progress, shown):
    with progress_bar(progress, total=3, file=stream) as bar:
        bar.update()
    assert bool(stream.getvalue()) == shown


@pytest.mark.parametrize("name", ["contact_sheet.png", "dataset_info.json"])
def test_files_of_the_user_are_replaced_only_on_request(name, tmp_path):
    (tmp_path / name).write_text("mine")
    with pytest.raises(DataError, match=f"{name}: would be replaced"):
        write(tmp_path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [
        (name, "mine")
    ]
    assert write(tmp_path, overwrite=True).is_new
