"""One process at a time: a lock that the system releases when its process ends."""

try:
    import fcntl
except ImportError:  # Windows has none: nothing is locked there
    fcntl = None


def lock_file(descriptor: int) -> None:
    """Lock an open file until it is closed; a dead process holds nobody up.

    Args:
        descriptor: Of the file.

    Raises:
        BlockingIOError: Another process holds the lock.
        OSError: The file system has no locks.
    """
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
