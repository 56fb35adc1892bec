"""The folder of a run: files that appear whole, lines that end where they should."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from cirs_tf.errors import CheckpointError
from cirs_tf.training.run_folder import RunFolder


def rows(folder):
    return [(row["step"], row.get("note")) for row in folder.read_metrics()]


@pytest.fixture
def folder(tmp_path):
    run = RunFolder(tmp_path)
    for step in (10, 20, 30):
        run.append_metrics({"step": step, "validation": {}})
    return run


def test_a_resumed_run_drops_the_lines_it_goes_through_again(folder):
    folder.rewind_metrics(20)
    assert rows(folder) == [(10, None), (20, None)]


def test_a_line_that_a_crash_lost_comes_from_the_checkpoint(folder):
    folder.rewind_metrics(40, {"step": 40, "note": "kept", "validation": {}})
    assert rows(folder)[-1] == (40, "kept")
    # It stands there: nothing is written twice.
    folder.rewind_metrics(40, {"step": 40, "note": "kept", "validation": {}})
    assert [step for step, _ in rows(folder)] == [10, 20, 30, 40]


def test_a_line_cut_off_by_a_crash_is_none(folder):
    with folder.metrics_file.open("a") as file:
        file.write(json.dumps({"step": 40, "validation": {}})[:5])
    assert [step for step, _ in rows(folder)] == [10, 20, 30]
    folder.rewind_metrics(30)
    folder.append_metrics({"step": 40, "validation": {}})
    assert [step for step, _ in rows(folder)] == [10, 20, 30, 40]


def test_what_was_taken_from_the_images_comes_back(tmp_path):
    run = RunFolder(tmp_path)
    assert run.load_initialization() is None
    arrays = {"labels": np.arange(6).reshape(2, 3), "summary": np.array("two parts")}
    run.save_initialization(arrays)
    loaded = run.load_initialization()
    assert loaded.keys() == arrays.keys()
    np.testing.assert_array_equal(loaded["labels"], arrays["labels"])
    assert str(loaded["summary"]) == "two parts"
    assert [path.name for path in tmp_path.iterdir()] == ["initialization.npz"]


def test_a_damaged_initialization_is_named(tmp_path):
    run = RunFolder(tmp_path)
    run.initialization_file.write_bytes(b"no archive")
    with pytest.raises(CheckpointError, match="initialization.npz: damaged"):
        run.load_initialization()


class Poison:
    """What a pickle of it does when it is read: it makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_no_code_of_a_run_is_executed(folder, tmp_path):
    trap = tmp_path / "executed"
    poisoned = np.array([Poison(trap)], object)
    np.savez(folder.initialization_file, kernel=poisoned)
    with pytest.raises(CheckpointError, match="damaged .*allow_pickle=False"):
        folder.load_initialization()
    assert not trap.exists()
    with np.load(folder.initialization_file, allow_pickle=True) as arrays:
        arrays["kernel"]  # the trap works
    assert trap.exists()


def test_what_cannot_be_written_is_one_line(tmp_path):
    folder = RunFolder(tmp_path)
    folder.metrics_file.mkdir()
    row = {"step": 10, "validation": {}}
    with pytest.raises(CheckpointError, match="metrics.jsonl: cannot be written: Is a"):
        folder.append_metrics(row)
    folder.progress.write_text("in the way")
    with pytest.raises(CheckpointError, match="0001.png: cannot be written: File exis"):
        folder.save_progress(Image.new("L", (2, 2)), 1)
