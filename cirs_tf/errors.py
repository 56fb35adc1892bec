"""Exceptions that a user can act on, and the one line that a command prints."""

import contextlib
import functools
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn, TextIO


class CirsError(Exception):
    """Base of every error that cirs_tf raises on bad input; one clear line.

    Args:
        message: It may hold what stands in a damaged file, or in a file's name: line
            ends become blanks, and what a terminal would obey is escaped.
    """

    def __init__(self, message: str):
        super().__init__("".join(map(_shown, message)))


class ConfigError(CirsError):
    """A configuration key or value that is unknown or out of range."""


class DataError(CirsError):
    """A data set, shard, record or mask that is missing or damaged."""


class ImageError(CirsError):
    """A file that was expected to be an image and cannot be read as one."""


class CheckpointError(CirsError):
    """A run folder or checkpoint that is missing, incomplete or does not fit."""


class ServerError(CirsError):
    """A model server whose answer about an image is an error, or is no mask of it."""


class UnusableServerError(ServerError):
    """A model server that cannot be reached, or has no such model: for any image."""


class TrainingError(CirsError):
    """Training cannot go on, for example because a loss is not finite."""


def refuse_unreadable(error: OSError) -> NoReturn:
    """Raise a DataError that names the folder; `onerror` of `os.walk`.

    Args:
        error: What listing the folder raised.
    """
    raise DataError(f"{error.filename}: cannot be read: {error.strerror}") from None


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else ascii(character)[1:-1]


def command(function: Callable[..., int | None]) -> Callable[..., int]:
    """Turn a `main(argv=None, ...)` into one that reports a CirsError in one line.

    Args:
        function: Takes the argument list and returns an exit status or None.

    Returns:
        A function with the same arguments. It returns the exit status: that of
        `function`, 0 for None, 1 after a `CirsError`; 130 after Ctrl-C and 141 when
        nobody reads on, as a shell says of a process that SIGINT or SIGPIPE ended.
    """

    @functools.wraps(function)
    def main(argv: list[str] | None = None, **keywords: Any) -> int:
        logging.getLogger("tensorflow").addFilter(_is_for_users)
        try:
            try:
                status = _status(function, argv, keywords)
            except SystemExit:  # after `--help`
                sys.stdout.flush()
                raise
            sys.stdout.flush()  # at Python's end nothing could be caught
            return status
        except BrokenPipeError:  # `... | head` has seen enough
            _silence(sys.stdout, sys.stderr)
            return 141

    return main


def _status(
    function: Callable[..., int | None], argv: list[str] | None, keywords: dict
) -> int:
    try:
        return function(argv, **keywords) or 0
    except CirsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _is_for_users(record: logging.LogRecord) -> bool:
    """Tell TensorFlow's advice to who writes code from what a user should read.

    A command that scores several runs traces the same lines for each of their networks.
    """
    return "triggered tf.function retracing" not in str(record.msg)


def _silence(*streams: TextIO) -> None:
    """Send what these streams still hold, and all that follows, nowhere."""
    for stream in streams:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
