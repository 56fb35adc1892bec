"""Draws many examples, in order, with several processes.

The processes start afresh (never a fork of one that may run TensorFlow's threads) and
import no TensorFlow, so they draw within a fraction of a second.
"""

import collections
import concurrent.futures
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from data_gen.render import draw_examples
from data_gen.scene import SceneSampler

# Results that may wait for each process: enough that none idles.
_AHEAD = 4


def draw_in_order(
    sampler: SceneSampler,
    seed: int,
    ranges: Iterable[tuple[str, int, int]],
    workers: int,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield what `draw_examples` returns for each range, in their order.

    Args:
        sampler: Kind of scene.
        seed: Seed of the data set.
        ranges: Split, first index and one past the last index.
        workers: Number of processes; 1 draws in this one.

    Raises:
        concurrent.futures.process.BrokenProcessPool: A process died.
    """
    if workers == 1:
        for one in ranges:
            yield draw_examples(sampler, seed, *one)
        return
    pool = concurrent.futures.ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_exit_with_parent
    )
    try:
        pending = collections.deque()
        for one in ranges:
            with _interrupts_held():
                pending.append(pool.submit(draw_examples, sampler, seed, *one))
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


def _exit_with_parent() -> None:
    """End this process when the one that started it is gone, even if killed."""

    def wait() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
