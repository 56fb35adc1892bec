import errno
import hashlib
import os
import zipfile

import pytest

from cirs_tf.errors import DataError, ImageError
from data_gen.importers import sources
from data_gen.importers.sources import FileSource, check_outside

CONTENTS = {"cat/1.jpg": b"one", "cat/2.PNG": b"two", "dog/3.jpg": b"three"}


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "folder"
    for name, content in {**CONTENTS, ".git/x.jpg": b"", "cat/.hidden": b""}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.mkdir("photos")
        for name, content in CONTENTS.items():
            file.writestr(f"photos/2020/{name}", content)
        file.writestr("__MACOSX/photos/._1.jpg", b"no image")
        file.writestr("photos/.DS_Store", b"")
    return path


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_a_folder_and_a_zip_are_read_alike(kind, request):
    source = FileSource(request.getfixturevalue(kind))
    assert source.names == tuple(sorted(CONTENTS))
    assert {name: source.read(name) for name in source.names} == CONTENTS
    assert source.names_ending_in([".png"]) == ["cat/2.PNG"]
    assert source.full_name("cat/1.jpg").endswith("cat/1.jpg")


def test_digests_depend_on_names_and_contents_alone(folder, archive):
    def digest(source, workers=1):
        return FileSource(source).digest(reversed(sorted(CONTENTS)), workers)

    before = digest(folder)
    assert before == digest(archive) == digest(folder, workers=3)
    # By hand: a digest of the sorted digests of name, zero byte and content.
    digests = sorted(
        hashlib.sha256(name.encode() + b"\0" + content).hexdigest()
        for name, content in CONTENTS.items()
    )
    combined = hashlib.sha256("\n".join(digests).encode()).hexdigest()
    assert before == {"files": 3, "sha256": combined}
    (folder / "cat" / "1.jpg").write_bytes(b"other")
    assert digest(folder) != before


def test_progress_is_reported_per_file(folder):
    calls = []
    FileSource(folder).digest(CONTENTS, 2, lambda: calls.append(1))
    assert len(calls) == 3


def test_a_file_that_cannot_be_read_is_named_and_has_a_digest(folder):
    source = FileSource(folder)
    (folder / "cat" / "1.jpg").unlink()
    path = folder / "cat" / "1.jpg"
    with pytest.raises(ImageError, match=f"{path}: cannot be read .No such file"):
        source.read("cat/1.jpg")
    with pytest.raises(ImageError, match="cannot be read"):
        source.read_image("cat/1.jpg")
    assert source.digest(["cat/1.jpg"], 1)["files"] == 1


def test_a_file_that_is_no_image_is_named(folder):
    path = folder / "dog" / "3.jpg"
    with pytest.raises(ImageError, match=f"{path}: not an image"):
        FileSource(folder).read_image("dog/3.jpg")


def test_neither_folder_nor_zip_is_an_error(tmp_path):
    with pytest.raises(DataError, match="nowhere: not found; expected a folder or"):
        FileSource(tmp_path / "nowhere")
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    with pytest.raises(DataError, match="notes.txt: expected a folder or a .zip, but"):
        FileSource(text)


def test_a_set_may_not_lie_in_its_source(tmp_path):
    check_outside(tmp_path / "photos2", tmp_path / "photos")
    for out in ("photos", "photos/out", "other/../photos/out"):
        with pytest.raises(DataError, match="choose a folder outside it"):
            check_outside(tmp_path / out, tmp_path / "photos")


def test_a_member_that_unpacks_to_too_much_is_never_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/bomb.png", bytes(3 * 2**20))
        archive.writestr("b/small.png", b"small")
    monkeypatch.setattr(sources, "_MAX_MEMBER", 2**20)
    source = FileSource(path)
    assert source.read("b/small.png") == b"small"
    message = "a/bomb.png: cannot be read .unpacks to more than 1 MiB"
    with pytest.raises(ImageError, match=message):
        source.read("a/bomb.png")


def test_a_class_folder_that_cannot_be_read_is_not_left_out(folder, monkeypatch):
    scandir = os.scandir

    def guarded(path):
        if str(path).endswith("dog"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(DataError, match="dog: cannot be read: Permission denied"):
        FileSource(folder)
