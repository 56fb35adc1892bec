"""Draws many examples, in order, with several processes.

The processes start afresh (never a fork of one that may run TensorFlow's threads) and
import no TensorFlow, so they draw within a fraction of a second.

Each has a pipe of its own. On a pipe that several share (concurrent.futures), the
others keep the end open when one is killed in the middle of a message, and whoever
reads waits for the rest for ever.
"""

import multiprocessing
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import numpy as np

from data_gen.render import draw_examples
from data_gen.scene import SceneSampler


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
    ranges = list(ranges)
    shares = [ranges[first::workers] for first in range(min(workers, len(ranges)))]
    started = []
    try:
        with _interrupts_held():
            for share in shares:
                started.append(_start(sampler, seed, share))
        for number in range(len(ranges)):
            _, results = started[number % len(started)]
            try:
                drawn = results.recv()
            except (EOFError, OSError):
                raise BrokenProcessPool("a process that draws died") from None
            yield drawn
    finally:
        for process, results in started:
            process.terminate()
            process.join()
            results.close()


def _start(
    sampler: SceneSampler, seed: int, ranges: list[tuple[str, int, int]]
) -> tuple[BaseProcess, Connection]:
    """Start a process; return it and the end of the pipe that its results come from."""
    context = multiprocessing.get_context("spawn")
    results, sender = context.Pipe(duplex=False)
    process = context.Process(
        target=_send_drawn, args=(sender, sampler, seed, ranges), daemon=True
    )
    process.start()
    # With this copy open, the end of the process would not end the pipe.
    sender.close()
    return process, results


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back; processes that start meanwhile never see one.

    Ctrl-C goes to every process of the terminal. This one alone should answer: it
    stops the others, which would print tracebacks.
    """
    # Starting the first process starts this helper, which would let Ctrl-C through.
    resource_tracker.ensure_running()
    pressed = []
    # A blocked signal is what the processes inherit. It may still reach another thread
    # of this one, and Python would then interrupt the main thread.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    main = threading.current_thread() is threading.main_thread()
    if main:
        handler = signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if main:
            signal.signal(signal.SIGINT, handler)
    if pressed:
        signal.raise_signal(signal.SIGINT)


def _send_drawn(
    sender: Connection,
    sampler: SceneSampler,
    seed: int,
    ranges: list[tuple[str, int, int]],
) -> None:
    """Send what is drawn for each range, until nobody reads any more."""
    try:
        for one in ranges:
            sender.send(draw_examples(sampler, seed, *one))
    except BrokenPipeError:
        pass  # The process that reads is gone, killed perhaps.
