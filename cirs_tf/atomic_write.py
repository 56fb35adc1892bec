"""Files and folders that appear whole or not at all: a temporary name, one rename."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` at the end.

    Where the block raises, the temporary file is removed and `path` stays as it was.
    The folder must exist. A killed process can leave a hidden `.NAME.PID.tmp`.

    Args:
        path: The file to replace or create. Where it is a link, the file that it leads
            to; a device, such as `/dev/null`, is written to.

    Yields:
        Where to write; in the same folder, so that renaming is one step.

    Example:
        >>> import tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> file = Path(folder.name) / "scores.json"
        >>> with atomic_path(file) as temporary:
        ...     _ = temporary.write_text("{}")
        >>> file.read_text()
        '{}'
        >>> folder.cleanup()
    """
    path = Path(path)
    if path.is_symlink():
        path = path.resolve()
    if path.exists() and not (path.is_file() or path.is_dir()):
        yield path  # a device or a pipe is written to, not replaced
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text_atomically(path: str | Path, text: str) -> None:
    """Replace a text file in one step.

    Args:
        path: The file; its folder must exist.
        text: The whole new content.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a new temporary folder beside `path`; rename it to `path` at the end.

    Where the block raises, the temporary folder is removed. Folders above are made. A
    killed process can leave a hidden `.NAME.PID.tmp`.

    Args:
        path: The folder to create; an empty one may be there already.

    Yields:
        Where to write.

    Raises:
        FileExistsError: `path` is a file, or a folder that is not empty.
    """
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(errno.EEXIST, "is there already", str(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    # A killed process of this number may have left one: in a container all have one.
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
