"""One process at a time trains in a run folder."""

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from cirs_tf.errors import ConfigError
from cirs_tf.file_lock import lock_file

LOCK = ".lock"


@contextlib.contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Hold the lock of a run folder; make the folder where there is none.

    The system releases it when the process ends, however that comes about: what a dead
    process left behind holds nobody up. The file stays and says who trained last. Where
    a file system has no locks, a note says so.

    Args:
        path: The run folder.

    Raises:
        ConfigError: Another process holds it, or the folder cannot be written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise ConfigError(f"--run {path}: {error.strerror}") from None
    with os.fdopen(descriptor, "r+") as file:
        try:
            lock_file(file, path)
        except BlockingIOError:
            holder = file.read().strip() or "another process"
            raise ConfigError(
                f"--run {path}: is being trained by {holder}; wait for it, or name "
                "another folder"
            ) from None
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {platform.node()}\n")
        file.flush()
        yield
