"""Either the old file or the new one, never a part of it."""

import os

import pytest

from cirs_tf.atomic_write import atomic_folder, atomic_path, write_text_atomically


def test_the_new_content_replaces_the_old(tmp_path):
    path = tmp_path / "a.txt"
    for text in ("first", "second"):
        write_text_atomically(path, text)
        assert path.read_text() == text
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_an_error_keeps_the_old_content(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        assert path.read_text() == "old"
        raise RuntimeError
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "model"
    with pytest.raises(RuntimeError), atomic_folder(path) as temporary:
        (temporary / "half").write_text("half")
        raise RuntimeError
    assert not list(path.parent.iterdir())
    path.mkdir()  # empty: nothing is lost
    with atomic_folder(path) as temporary:
        (temporary / "a.txt").write_text("whole")
        assert not list(path.iterdir())
    assert [file.name for file in path.parent.iterdir()] == ["model"]
    assert (path / "a.txt").read_text() == "whole"


def test_a_folder_with_content_is_not_replaced(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    for path in (tmp_path, tmp_path / "a.txt"):
        with pytest.raises(FileExistsError), atomic_folder(path):
            pytest.fail("it was begun")
    assert (tmp_path / "a.txt").read_text() == "old"


def test_what_a_killed_process_of_the_same_number_left_is_no_hindrance(tmp_path):
    left = tmp_path / f".model.{os.getpid()}.tmp"
    (left / "half").mkdir(parents=True)
    with atomic_folder(tmp_path / "model") as temporary:
        (temporary / "a.txt").write_text("whole")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["a.txt"]


def test_links_and_devices_are_written_to_not_replaced(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to("target")
    write_text_atomically(link, "new")
    assert link.is_symlink() and target.read_text() == "new"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_text_atomically(pipe, "text")
        assert os.read(reader, 9) == b"text"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
