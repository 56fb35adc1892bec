"""Reads the files of a folder or of a zip archive alike."""

import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from cirs_tf.data.image_files import decode_image
from cirs_tf.errors import DataError, ImageError, refuse_unreadable
from data_gen.ordered_pool import map_in_order

# Of a member of a zip, unpacked; no image file of the size that is read has more.
_MAX_MEMBER = 400 * 2**20


class FileSource:
    """The files below a folder, or in a zip.

    Hidden files are left out. Folders that all files of a zip share do not count: where
    everything lies in `train`, `train/cat/1.jpg` is called `cat/1.jpg`.

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
            self._members = {name: name for name in _list_files(self.path)}
        elif self.path.is_file():
            self._zip = _open_zip(self.path)
            self._members = _strip_shared_folders(self._zip.namelist())
        else:
            raise DataError(f"{self.path}: not found; expected a folder or a .zip")
        self.names = tuple(sorted(self._members))

    def names_ending_in(self, suffixes: Iterable[str]) -> list[str]:
        """Return the names with one of the lower-case suffixes, in either case."""
        suffixes = tuple(suffixes)
        return [name for name in self.names if name.lower().endswith(suffixes)]

    def full_name(self, name: str) -> str:
        """Return the path of a file, for errors."""
        return f"{self.path / self._members[name]}"

    def read(self, name: str) -> bytes:
        """Return the content of a file; several threads may read at once.

        Raises:
            ImageError: The file cannot be read.
        """
        try:
            if self._zip is not None:
                return self._read_member(self._members[name])
            return (self.path / name).read_bytes()
        except Exception as error:  # as decoders, zipfile raises nearly anything
            reason = getattr(error, "strerror", None) or error
            raise ImageError(
                f"{self.full_name(name)}: cannot be read ({reason})"
            ) from None

    def _read_member(self, member: str) -> bytes:
        """Return a member of the zip; more than it may unpack to is never unpacked."""
        with self._zip.open(member) as opened:  # its header may lie
            content = opened.read(_MAX_MEMBER + 1)
        if len(content) > _MAX_MEMBER:
            raise OSError(f"unpacks to more than {_MAX_MEMBER // 2**20} MiB")
        return content

    def read_image(self, name: str) -> np.ndarray:
        """Return an image, `[height, width, 3]` uint8.

        Raises:
            ImageError: The file cannot be read, or is no image.
        """
        return decode_image(io.BytesIO(self.read(name)), self.full_name(name))

    def digest(
        self,
        names: Iterable[str],
        workers: int,
        on_read: Callable[[], object] = lambda: None,
    ) -> dict:
        """Return the number of files and one digest of them all, for a manifest.

        Args:
            names: The files, in any order.
            workers: Number of threads that read.
            on_read: Called after each file.
        """
        digests = []
        for file_digest in map_in_order(self._file_digest, names, workers):
            digests.append(file_digest)
            on_read()
        combined = hashlib.sha256("\n".join(sorted(digests)).encode())
        return {"files": len(digests), "sha256": combined.hexdigest()}

    def _file_digest(self, name: str) -> str:
        """Return a digest of the name and the content of a file."""
        digest = hashlib.sha256(name.encode(errors="surrogateescape") + b"\0")
        try:
            digest.update(self.read(name))
        except ImageError:
            digest.update(b"cannot be read")
        return digest.hexdigest()


def check_outside(out: Path, source: str | Path) -> None:
    """Raise a `DataError` if a data set would be written into its own source.

    Args:
        out: Folder of the data set.
        source: Folder or zip that it is made from.
    """
    if out.resolve().is_relative_to(Path(source).resolve()):
        raise DataError(f"{out}: lies in {source}; choose a folder outside it")


def _list_files(folder: Path) -> list[str]:
    names = []
    for parent, folders, files in os.walk(folder, onerror=refuse_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        relative = Path(parent).relative_to(folder)
        names += [(relative / name).as_posix() for name in files if name[0] != "."]
    return names


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except Exception as error:  # zipfile raises nearly anything on damaged bytes
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{path}: expected a folder or a .zip, but it cannot be read ({reason})"
        ) from None


def _strip_shared_folders(members: list[str]) -> dict[str, str]:
    """Map names without the folders that all files share to names in the zip."""
    files = [
        member
        for member in members
        if not member.endswith("/")
        and not any(
            part.startswith(".") or part == "__MACOSX" for part in member.split("/")
        )
    ]
    parents = [member.split("/")[:-1] for member in files]
    shared = len(os.path.commonprefix(parents)) if parents else 0
    return {"/".join(member.split("/")[shared:]): member for member in files}
