import errno
import os
import signal

import pytest
import tensorflow as tf

from cirs_tf.errors import DataError
from data_gen.staging import list_shards, report_write_errors, staging_folder

FULL = "no space left while writing shard"
SHARD = "train-00000-of-00001.tfrecord"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), FULL),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), FULL),
        (OSError(errno.EFBIG, "File too large"), FULL),
        (tf.errors.ResourceExhaustedError(None, None, "full"), FULL),
        (OSError(errno.EACCES, "Permission denied"), "cannot write shard: Permission"),
        (tf.errors.PermissionDeniedError(None, None, "no"), "cannot write shard: no"),
    ],
)
def test_a_failure_to_write_names_the_file(error, message):
    with pytest.raises(DataError, match=f"^{message}"), report_write_errors("shard"):
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit(143), ValueError])
def test_an_interruption_leaves_no_new_file(tmp_path, error):
    (tmp_path / SHARD).write_text("old")
    with pytest.raises(BaseException) as raised, staging_folder(tmp_path) as folder:
        (folder / SHARD).write_text("new")
        raise error
    assert raised.value is error or raised.type is error
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_an_interruption_leaves_no_new_folder(tmp_path):
    with (
        pytest.raises(KeyboardInterrupt),
        staging_folder(tmp_path / "new" / "set") as folder,
    ):
        (folder / SHARD).write_text("new")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_ctrl_c_while_files_are_moved_waits_until_all_are(tmp_path, monkeypatch):
    replace = os.replace

    def interrupt_and_replace(source, target):
        os.kill(os.getpid(), signal.SIGINT)
        replace(source, target)

    monkeypatch.setattr("data_gen.staging.os.replace", interrupt_and_replace)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), staging_folder(tmp_path) as folder:
            for name in (SHARD, "manifest.json"):
                (folder / name).touch()
    finally:
        signal.signal(signal.SIGINT, handler)
    assert {file.name for file in tmp_path.iterdir()} == {SHARD, "manifest.json"}


def test_what_a_killed_run_left_is_removed(tmp_path):
    left = tmp_path / ".writing" / SHARD
    left.parent.mkdir()
    left.write_bytes(b"half")
    scratch = left.parent / "tmp123"  # of a Beam worker
    scratch.mkdir()
    (scratch / SHARD).write_bytes(b"half")
    with staging_folder(tmp_path) as folder:
        assert [file.name for file in folder.iterdir()] == [".lock"]
    assert not list(tmp_path.iterdir())


def test_the_manifest_comes_last(tmp_path, monkeypatch):
    moved = []
    replace = os.replace

    def record(source, target):
        moved.append(target.name)
        replace(source, target)

    monkeypatch.setattr("data_gen.staging.os.replace", record)
    with staging_folder(tmp_path) as folder:
        for name in ("manifest.json", "a.txt", SHARD, "z"):
            (folder / name).touch()
    assert moved[-1] == "manifest.json" and len(moved) == 4


def test_a_move_that_fails_is_undone(tmp_path, monkeypatch):
    replace = os.replace

    def fail_at_last(source, target):
        if target.name == "manifest.json":
            raise OSError(errno.EIO, "Input/output error")
        replace(source, target)

    monkeypatch.setattr("data_gen.staging.os.replace", fail_at_last)
    with (
        pytest.raises(DataError, match="Input/output"),
        staging_folder(tmp_path) as folder,
    ):
        for name in ("manifest.json", SHARD):
            (folder / name).touch()
    assert not list(tmp_path.iterdir())


def test_only_files_named_like_shards_are_listed(tmp_path):
    assert list_shards(tmp_path / "missing") == []
    for name in ("val-00001-of-00002.tfrecord", SHARD, "mine.tfrecord", "notes.txt"):
        (tmp_path / name).touch()
    names = [file.name for file in list_shards(tmp_path)]
    assert names == [SHARD, "val-00001-of-00002.tfrecord"]


def test_an_old_set_comes_back_where_a_move_fails(tmp_path, monkeypatch):
    (tmp_path / SHARD).write_text("old")
    (tmp_path / "manifest.json").write_text("old")
    (tmp_path / "contact_sheet.png").mkdir()
    replace = os.replace

    def fail_at_new_manifest(source, target):
        if target.name == "manifest.json" and source.read_text() == "new":
            raise OSError(errno.EIO, "Input/output error")
        replace(source, target)

    monkeypatch.setattr("data_gen.staging.os.replace", fail_at_new_manifest)
    with (
        pytest.raises(DataError, match="Input/output"),
        staging_folder(tmp_path) as folder,
    ):
        for name in (SHARD, "contact_sheet.png", "manifest.json"):
            (folder / name).write_text("new")
    assert (tmp_path / "contact_sheet.png").is_dir()
    assert (tmp_path / SHARD).read_text() == "old"
    assert (tmp_path / "manifest.json").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 3


def test_two_at_once_do_not_disturb_each_other(tmp_path):
    with staging_folder(tmp_path) as folder:
        (folder / SHARD).write_text("first")
        with (
            pytest.raises(DataError, match="is being written by another process"),
            staging_folder(tmp_path),
        ):
            pytest.fail("two at once")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["first"]
