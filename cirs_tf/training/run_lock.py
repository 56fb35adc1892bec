"""One process at a time trains in a run folder."""

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from cirs_tf.errors import ConfigError

try:
    import fcntl
except ImportError:  # Windows has none: nothing is locked there
    fcntl = None

LOCK = ".lock"


@contextlib.contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Hold the lock of a run folder; make the folder where there is none.

    The system releases it when the process ends, however that comes about: what a dead
    process left behind holds nobody up. The file stays and says who trained last.

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
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = file.read().strip() or "another process"
                raise ConfigError(
                    f"--run {path}: is being trained by {holder}; wait for it, or "
                    "name another folder"
                ) from None
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {platform.node()}\n")
        file.flush()
        yield
