"""Draws examples in several processes and yields them in order.

Each worker is a fresh Python interpreter, never a fork of one that may run TensorFlow's
threads. It imports no TensorFlow, so it draws within a fraction of a second.

A worker has two pipes of its own, for its job and for its results, and holds the only
other end of both. When it dies, at any moment, both break and nobody waits for it.
"""

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Iterator

import numpy as np

from data_gen.interrupts import interrupts_deferred
from data_gen.render import draw_examples
from data_gen.scene import SceneSampler

# The worker imports from where this process does.
_WORKER_CODE = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from data_gen.worker_pool import serve; serve()"
)


class WorkerError(Exception):
    """A process that draws died, or cannot be started."""


def draw_in_order(
    sampler: SceneSampler,
    seed: int,
    ranges: Iterable[tuple[str, int, int]],
    workers: int,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield what `draw_examples` returns for each range, in the order of the ranges.

    Close the generator to end the processes before the last range.

    Args:
        sampler: Kind of scene.
        seed: Seed of the data set.
        ranges: Split, first index and one past the last index of each.
        workers: Number of processes; 1 draws in this one.

    Yields:
        Images `[count, height, width, 3]` uint8 and masks `[count, height, width]`
        uint8 of one range.

    Raises:
        WorkerError: A process died, or cannot be started.
    """
    if workers == 1:
        for example_range in ranges:
            yield draw_examples(sampler, seed, *example_range)
        return
    ranges = list(ranges)
    shares = [ranges[first::workers] for first in range(min(workers, len(ranges)))]
    processes = []
    try:
        # All start before the first is sent its job, so that they start together.
        for _ in shares:
            with interrupts_deferred():
                processes.append(_start_worker())
        for process, share in zip(processes, shares, strict=True):
            _send_job(process, (sampler, seed, share))
        for index in range(len(ranges)):
            yield _receive_result(processes[index % len(processes)])
    finally:
        with interrupts_deferred():
            for process in processes:
                _end_worker(process)


def serve() -> None:
    """Draw what the job on standard input asks for; this is what a worker runs."""
    results, sys.stdout = sys.stdout.buffer, sys.stderr
    try:
        sampler, seed, ranges = pickle.load(sys.stdin.buffer)
        for example_range in ranges:
            drawn = draw_examples(sampler, seed, *example_range)
            pickle.dump(drawn, results, protocol=pickle.HIGHEST_PROTOCOL)
            results.flush()
    except (EOFError, pickle.UnpicklingError, BrokenPipeError):
        # The process that reads is gone, killed perhaps. Nothing is left to flush.
        os._exit(1)


def _start_worker() -> subprocess.Popen:
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _WORKER_CODE, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C goes to the process group of the terminal. This process alone
            # should answer: it ends the workers, which would print tracebacks.
            process_group=0,
        )
    except OSError as error:
        raise WorkerError(
            f"cannot start a process that draws ({error.strerror or error})"
        ) from None


def _send_job(process: subprocess.Popen, job: tuple) -> None:
    try:
        pickle.dump(job, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        process.stdin.close()
    except BrokenPipeError:
        raise _died() from None


def _receive_result(process: subprocess.Popen) -> tuple[np.ndarray, np.ndarray]:
    try:
        return pickle.load(process.stdout)
    except (EOFError, pickle.UnpicklingError):
        raise _died() from None


def _died() -> WorkerError:
    return WorkerError("a process that draws died (killed, or out of memory)")


def _end_worker(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    with contextlib.suppress(BrokenPipeError):  # what was not sent yet
        process.stdin.close()
    process.stdout.close()
