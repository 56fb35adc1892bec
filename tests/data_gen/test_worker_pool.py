import contextlib
import os
import signal
import time
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children

import numpy as np
import pytest

from data_gen.render import draw_examples
from data_gen.scenes import SCENES
from data_gen.worker_pool import draw_in_order


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_ranges(workers):
    # More ranges than may wait for two processes; long ones first finish last.
    lengths = [40, 1, 30, 1, 1, 20, 1, 1, 1, 10, 1, 1, 1, 1]
    ends = np.cumsum(lengths).tolist()
    spans = zip(ends, lengths, strict=True)
    ranges = [("val", end - length, end) for end, length in spans]
    sampler = SCENES["fruit"](16)
    expected, _ = draw_examples(sampler, 0, "val", 0, sum(lengths))
    with contextlib.closing(draw_in_order(sampler, 0, ranges, workers)) as drawn:
        for (_, start, stop), (pictures, _) in zip(ranges, drawn, strict=True):
            np.testing.assert_array_equal(pictures, expected[start:stop])


@pytest.fixture
def thirty_seconds():
    """Fail, rather than wait for ever, where a result never comes."""

    def give_up(*_):
        raise TimeoutError("no result within 30 seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("victim", [0, 1])
@pytest.mark.parametrize("seconds", [0.0, 0.03, 0.5])
def test_a_process_killed_at_any_moment_is_noticed(thirty_seconds, victim, seconds):
    # After half a second both processes wait in the middle of a message: a result of
    # 2 MB does not fit into a pipe.
    ranges = [("val", start, start + 128) for start in range(0, 2560, 128)]
    before = set(active_children())
    drawn = draw_in_order(SCENES["fruit"](64), 0, ranges, 2)
    with contextlib.closing(drawn), pytest.raises(BrokenProcessPool):
        for number, _ in enumerate(drawn):
            if number == 1:
                started = sorted(set(active_children()) - before, key=lambda p: p.pid)
                time.sleep(seconds)
                os.kill(started[victim].pid, signal.SIGKILL)
    assert not set(active_children()) - before


def test_processes_end_when_nobody_wants_more():
    before = set(active_children())
    ranges = [("val", start, start + 128) for start in range(0, 2560, 128)]
    drawn = draw_in_order(SCENES["fruit"](64), 0, ranges, 3)
    next(drawn)
    assert len(set(active_children()) - before) == 3
    drawn.close()
    assert not set(active_children()) - before
