"""Ctrl-C and SIGTERM, answered when nothing is left half-done."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

# What a shell reports of a process that SIGTERM ended.
_SIGTERM_STATUS = 128 + signal.SIGTERM


class _Terminated(SystemExit):
    """SIGTERM was received."""


def interrupts_deferred() -> AbstractContextManager[None]:
    """Answer Ctrl-C and SIGTERM at the end of the block instead of within it.

    For steps that must not stop halfway: starting and ending workers, moving and
    removing files. In a thread other than the main one nothing is deferred, because
    Python never interrupts those.
    """
    return _repeated_at_end(at_once=False)


def interrupts_repeated() -> AbstractContextManager[None]:
    """Answer Ctrl-C and SIGTERM at once, and once more at the end of the block.

    For imports of packages that catch every exception at some moments, a
    `KeyboardInterrupt` among them, and go on.
    """
    return _repeated_at_end(at_once=True)


@contextmanager
def sigterm_stops() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: clean up, then print `stopped`.

    A handler that somebody else installed stays as it is.

    Raises:
        SystemExit: With status 143, after SIGTERM.
    """

    def stop(signal_number: int, frame: FrameType | None) -> None:
        raise _Terminated(_SIGTERM_STATUS)

    if not _in_main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except _Terminated:
        print("stopped", file=sys.stderr)
        raise
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def _repeated_at_end(at_once: bool) -> Iterator[None]:
    received = []
    handlers = {}

    def handle(signal_number: int, frame: FrameType | None) -> None:
        received.append(signal_number)
        if at_once:
            handlers[signal_number](signal_number, frame)

    try:
        if _in_main_thread():
            for signal_number in (signal.SIGINT, signal.SIGTERM):
                handler = signal.getsignal(signal_number)
                # None: a handler that Python did not install and cannot restore.
                if callable(handler) or (handler is not None and not at_once):
                    handlers[signal_number] = handler
                    signal.signal(signal_number, handle)
        yield
    finally:
        for signal_number, handler in handlers.items():
            signal.signal(signal_number, handler)
        for signal_number in received:
            signal.raise_signal(signal_number)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
