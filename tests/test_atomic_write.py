"""Either the old file or the new one, never a part of it."""

import pytest

from cirs_tf.atomic_write import atomic_path, write_text_atomically


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
