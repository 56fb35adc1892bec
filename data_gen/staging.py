"""Puts a finished data set in place, or nothing at all."""

import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from cirs_tf.data.manifest import MANIFEST
from cirs_tf.errors import DataError
from data_gen.interrupts import interrupts_deferred

_STAGING_FOLDER = ".writing"
# Split, number and count of the files of the split.
SHARD_NAME = re.compile(r"(train|val|test)-(\d{5,})-of-(\d{5,})\.tfrecord")
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def list_shards(out: Path) -> list[Path]:
    """Return the files of a folder that are named like shards, sorted."""
    if not out.is_dir():
        return []
    return sorted(file for file in out.iterdir() if SHARD_NAME.fullmatch(file.name))


@contextmanager
def staging_folder(out: Path, last: str = MANIFEST) -> Iterator[Path]:
    """Yield a folder to write a data set in; move its files to `out` at the end.

    Where the block raises, Ctrl-C and SIGTERM included, `out` stays as it was. What an
    earlier run left when it was killed is removed.

    Args:
        out: Folder of the data set, made where there is none. Shards of an earlier data
            set are removed once the new one is complete.
        last: Name of the file that goes in last, and tells that all are there.

    Yields:
        The folder to write in.

    Raises:
        DataError: A file or folder cannot be written.
    """
    staging = out / _STAGING_FOLDER
    new_folders = []
    try:
        with report_write_errors(out):
            folders = (out, *out.parents)
            new_folders = [folder for folder in folders if not folder.exists()]
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir(parents=True)
        yield staging
        with report_write_errors(out), interrupts_deferred():
            _move_files(staging, out, last)
            shutil.rmtree(staging, ignore_errors=True)
    except BaseException:
        with interrupts_deferred():
            shutil.rmtree(staging, ignore_errors=True)
            _remove_empty(new_folders)
        raise


@contextmanager
def report_write_errors(path: Path) -> Iterator[None]:
    """Turn a failure to write in the block into a `DataError` that names `path`."""
    try:
        yield
    except (tf.errors.ResourceExhaustedError, tf.errors.OutOfRangeError):
        raise DataError(f"no space left while writing {path}") from None
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise DataError(f"no space left while writing {path}") from None
        reason = error.strerror or error
        raise DataError(f"cannot write {path}: {reason}") from None
    except tf.errors.OpError as error:
        raise DataError(f"cannot write {path}: {error.message}") from None


def _move_files(staging: Path, out: Path, last: str) -> None:
    """Replace what `out` holds by the files of `staging`, one of them last."""
    (out / last).unlink(missing_ok=True)
    for file in list_shards(out):
        file.unlink()
    files = sorted(staging.iterdir(), key=lambda file: file.name == last)
    moved = []
    try:
        for file in files:
            moved.append(out / file.name)
            os.replace(file, moved[-1])
    except BaseException:
        for file in moved:
            file.unlink(missing_ok=True)
        raise


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove the folders that hold nothing, the innermost first."""
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
