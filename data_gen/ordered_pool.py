"""Computes many results in threads and yields them in order."""

import collections
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from data_gen.interrupts import interrupts_deferred

Item = TypeVar("Item")
Result = TypeVar("Result")

# Results per worker that may wait to be taken: enough that no worker idles.
_RESULTS_AHEAD = 4


def map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Yield `function(item)` for each item, in the order of the items.

    Threads suffice for functions that decode, scale or hash: these run without Python's
    lock. Close the generator to end the threads before the last item.

    Args:
        function: What to compute. An exception that it raises is raised here.
        items: Taken one by one, only a few ahead of the results.
        workers: Number of threads, at least 1.

    Yields:
        The results.
    """
    pool = ThreadPoolExecutor(workers)
    try:
        pending = collections.deque()
        for item in items:
            with interrupts_deferred():
                pending.append(pool.submit(function, item))
            if len(pending) > _RESULTS_AHEAD * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        with interrupts_deferred():
            pool.shutdown(cancel_futures=True)
