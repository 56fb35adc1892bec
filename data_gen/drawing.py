"""Draws many examples, in order, with several processes.

The processes start afresh (never a fork of one that may run TensorFlow's threads) and
import no TensorFlow, so they draw within a fraction of a second.
"""

import concurrent.futures
import multiprocessing
import os
import threading
from collections.abc import Iterable, Iterator

import numpy as np

from data_gen.in_order import results_in_order
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
    pool = concurrent.futures.ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_exit_with_parent
    )
    calls = ((sampler, seed, *one) for one in ranges)
    yield from results_in_order(pool, draw_examples, calls, workers)


def _exit_with_parent() -> None:
    """End this process when the one that started it is gone, even if killed."""

    def wait() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
