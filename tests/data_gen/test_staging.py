import errno
import os

import pytest
import tensorflow as tf

from cirs_tf.errors import DataError
from data_gen.staging import staged, writing

FULL = "no space left while writing shard"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), FULL),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), FULL),
        (OSError(errno.EFBIG, "File too large"), FULL),
        (tf.errors.ResourceExhaustedError(None, None, "full"), FULL),
        (OSError(errno.EACCES, "Permission denied"), "cannot write shard: Permission"),
        (tf.errors.PermissionDeniedError(None, None, "no"), "cannot write shard: no"),
    ],
)
def test_a_failure_to_write_names_the_file(error, says):
    with pytest.raises(DataError, match=f"^{says}"), writing("shard"):
        raise error


def test_an_interruption_leaves_no_new_file(tmp_path):
    (tmp_path / "val-00000-of-00001.tfrecord").write_text("old")
    with pytest.raises(KeyboardInterrupt), staged(tmp_path) as folder:
        (folder / "val-00000-of-00001.tfrecord").write_text("new")
        raise KeyboardInterrupt
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_the_manifest_comes_last(tmp_path, monkeypatch):
    moved = []
    replace = os.replace

    def record(source, target):
        moved.append(target.name)
        replace(source, target)

    monkeypatch.setattr("data_gen.staging.os.replace", record)
    with staged(tmp_path) as folder:
        for name in ("manifest.json", "a.txt", "train-00000-of-00001.tfrecord", "z"):
            (folder / name).touch()
    assert moved[-1] == "manifest.json" and len(moved) == 4


def test_a_move_that_fails_is_undone(tmp_path, monkeypatch):
    replace = os.replace

    def fail_at_last(source, target):
        if target.name == "manifest.json":
            raise OSError(errno.EIO, "Input/output error")
        replace(source, target)

    monkeypatch.setattr("data_gen.staging.os.replace", fail_at_last)
    with pytest.raises(DataError, match="Input/output"), staged(tmp_path) as folder:
        for name in ("manifest.json", "train-00000-of-00001.tfrecord"):
            (folder / name).touch()
    assert not list(tmp_path.iterdir())
