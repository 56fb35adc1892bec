"""Files that appear whole or not at all: a temporary name, then one rename."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` at the end.

    Where the block raises, the temporary file is removed and `path` stays as it was.
    The folder must exist. A killed process can leave a hidden `.NAME.PID.tmp`.

    Args:
        path: The file to replace or create.

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
        temporary.write_text(text)
