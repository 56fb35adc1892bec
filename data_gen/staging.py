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
from cirs_tf.file_lock import lock_file
from data_gen.interrupts import interrupts_deferred

_STAGING_FOLDER = ".writing"
_LOCK, _REPLACED = ".lock", ".replaced"  # in it
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
        DataError: A file or folder cannot be written, or another process is at it.
    """
    staging = out / _STAGING_FOLDER
    new_folders = [folder for folder in (out, *out.parents) if not folder.exists()]
    with _locked(staging):
        try:
            with report_write_errors(out):
                for left in written_files(staging):
                    remove(left)
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
def _locked(staging: Path) -> Iterator[None]:
    """Make a folder and hold its lock.

    Raises:
        DataError: Another process holds it, or the folder cannot be made.
    """
    with report_write_errors(staging.parent):
        staging.mkdir(parents=True, exist_ok=True)
        file = (staging / _LOCK).open("w")
    with file:
        try:
            lock_file(file, staging.parent)
        except BlockingIOError:
            raise DataError(
                f"{staging.parent}: is being written by another process; wait for it"
            ) from None
        yield


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
    """Replace what `out` holds by the files of `staging`, one of them last.

    Old files go aside first, and come back where a new one cannot be moved.
    """
    files = sorted(written_files(staging), key=lambda file: file.name == last)
    old = dict.fromkeys(
        [out / last, *list_shards(out), *(out / file.name for file in files)]
    )
    replaced = staging / _REPLACED
    replaced.mkdir(exist_ok=True)
    aside, moved = [], []
    try:
        for path in filter(Path.exists, old):
            os.replace(path, replaced / path.name)
            aside.append(path)
        for file in files:
            moved.append(out / file.name)
            os.replace(file, moved[-1])
    except BaseException:
        for path in moved:
            path.unlink(missing_ok=True)
        for path in reversed(aside):
            os.replace(replaced / path.name, path)
        raise


def written_files(staging: Path) -> list[Path]:
    """Return the files of the new data set."""
    own = (_LOCK, _REPLACED)
    return [file for file in staging.iterdir() if file.name not in own]


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)  # its worker may be at it, too
    else:
        path.unlink()


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove the folders that hold nothing, the innermost first."""
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
