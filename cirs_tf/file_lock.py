"""One process at a time: a lock that the system releases when its process ends."""

import sys
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows has none: nothing is locked there
    fcntl = None


def lock_file(file: IO, folder: Path) -> None:
    """Lock an open file until it is closed; a dead process holds nobody up.

    Args:
        file: The file.
        folder: What it stands for. Where the file system has no locks, a note says so.

    Raises:
        BlockingIOError: Another process holds the lock.
    """
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        print(
            f"note: {folder}: cannot be locked ({error.strerror}): see to it that one "
            "process at a time writes there",
            file=sys.stderr,
        )
