"""Either the old file or the new one, never a part of it."""

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
