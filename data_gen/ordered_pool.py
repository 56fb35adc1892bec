"""Computes many results in a pool of processes or threads, and yields them in order."""

import collections
import concurrent.futures
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")

# Results that may wait for each worker: enough that none idles.
_AHEAD = 4


def results_in_order(
    pool: concurrent.futures.Executor,
    function: Callable[..., Result],
    calls: Iterable[tuple],
    workers: int,
) -> Iterator[Result]:
    """Yield `function(*call)` for each call, in their order; close the pool.

    Args:
        pool: Where the calls run.
        function: What to call.
        calls: Its positional arguments.
        workers: Number of workers of the pool.

    Raises:
        concurrent.futures.process.BrokenProcessPool: A process died.
    """
    try:
        pending = collections.deque()
        for call in calls:
            with _interrupts_held():
                pending.append(pool.submit(function, *call))
            if len(pending) > _AHEAD * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back; processes that start meanwhile never see one.

    Ctrl-C goes to every process of the terminal. This one alone should answer: it
    stops the others, which would print tracebacks.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
