"""Puts a finished data set in place in one step, or nothing at all."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from cirs_tf.data.manifest import MANIFEST
from cirs_tf.errors import DataError

_STAGING = ".writing"
_SHARD = re.compile(r"(train|val|test)-\d{5,}-of-\d{5,}\.tfrecord")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def shards_in(out: Path) -> list[Path]:
    """Return the files of a folder that are named like shards, sorted."""
    if not out.is_dir():
        return []
    return sorted(file for file in out.iterdir() if _SHARD.fullmatch(file.name))


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Give a folder to write a data set in; move the files to `out` at the end.

    After an exception nothing has changed in `out`. What an earlier run left behind
    when it was killed is removed.

    Args:
        out: Folder of the data set; made where there is none. Shards of an earlier data
            set are removed once the new one is complete. `manifest.json` goes in last.

    Raises:
        DataError: A file or folder cannot be written.
    """
    made = not out.exists()
    staging = out / _STAGING
    with writing(out):
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
    try:
        yield staging
        with writing(out):
            _move(staging, out)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        if made and not any(out.iterdir()):
            out.rmdir()
        raise
    shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write into one line that names `path`."""
    try:
        yield
    except (tf.errors.ResourceExhaustedError, tf.errors.OutOfRangeError):
        raise DataError(f"no space left while writing {path}") from None
    except OSError as error:
        if error.errno in _FULL:
            raise DataError(f"no space left while writing {path}") from None
        reason = error.strerror or error
        raise DataError(f"cannot write {path}: {reason}") from None
    except tf.errors.OpError as error:
        raise DataError(f"cannot write {path}: {error.message}") from None


def _move(staging: Path, out: Path) -> None:
    """Replace what `out` holds by the files of `staging`, the manifest last."""
    (out / MANIFEST).unlink(missing_ok=True)
    for file in shards_in(out):
        file.unlink()
    files = sorted(staging.iterdir(), key=lambda file: file.name == MANIFEST)
    moved = []
    try:
        for file in files:
            moved.append(out / file.name)
            os.replace(file, moved[-1])
    except BaseException:
        for file in moved:
            file.unlink(missing_ok=True)
        raise
