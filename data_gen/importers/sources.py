"""The files of a folder or of a zip archive, read alike."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from cirs_tf.errors import DataError, ImageError

_UNREADABLE = (
    OSError,
    RuntimeError,  # encrypted
    NotImplementedError,  # an unknown compression
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


class FileSource:
    """The files below a folder, or in a zip.

    Hidden files are left out. Folders that all files of a zip share do not count, so
    `train/cat/1.jpg` is `cat/1.jpg` where everything lies in `train`.

    Args:
        path: A folder or a `.zip`.

    Attributes:
        path: That path.
        names: Relative names of the files with `/` between folders, sorted.

    Raises:
        DataError: There is no such folder or zip, or it cannot be read.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._zip = None
        if self.path.is_dir():
            self._members = {name: name for name in _files_below(self.path)}
        elif self.path.is_file():
            self._zip = _open_zip(self.path)
            self._members = _without_shared_folders(self._zip.namelist())
        else:
            raise DataError(f"{self.path}: not found; expected a folder or a .zip")
        self.names = tuple(sorted(self._members))

    def ending_in(self, suffixes: Iterable[str]) -> list[str]:
        """Return the names with one of the suffixes, in any case."""
        return [one for one in self.names if one.lower().endswith(tuple(suffixes))]

    def locate(self, name: str) -> str:
        """Return what errors call a file."""
        return f"{self.path / self._members[name]}"

    def read(self, name: str) -> bytes:
        """Return the bytes of a file; threads may read at once.

        Raises:
            ImageError: The file cannot be read.
        """
        try:
            if self._zip is not None:
                return self._zip.read(self._members[name])
            return (self.path / name).read_bytes()
        except _UNREADABLE as error:
            reason = getattr(error, "strerror", None) or error
            raise ImageError(
                f"{self.locate(name)}: cannot be read ({reason})"
            ) from None

    def fingerprint(self, name: str) -> str:
        """Return a digest of a file's name and bytes."""
        digest = hashlib.sha256(name.encode(errors="surrogateescape") + b"\0")
        try:
            digest.update(self.read(name))
        except ImageError:
            digest.update(b"cannot be read")
        return digest.hexdigest()


def fingerprint(fingerprints: Iterable[str]) -> dict:
    """Return the number of files and one digest of them all, for a manifest."""
    every = sorted(fingerprints)
    digest = hashlib.sha256("\n".join(every).encode())
    return {"files": len(every), "sha256": digest.hexdigest()}


def _files_below(folder: Path) -> list[str]:
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(place).relative_to(folder)
        found += [(below / name).as_posix() for name in files if name[0] != "."]
    return found


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{path}: expected a folder or a .zip, but it cannot be read ({reason})"
        ) from None


def _without_shared_folders(members: list[str]) -> dict[str, str]:
    """Return short name to name of a member, without the folders that all share."""
    files = [
        name
        for name in members
        if not name.endswith("/")
        and not any(
            part.startswith(".") or part == "__MACOSX" for part in name.split("/")
        )
    ]
    parents = [name.split("/")[:-1] for name in files]
    shared = len(os.path.commonprefix(parents)) if parents else 0
    return {"/".join(name.split("/")[shared:]): name for name in files}
