import os
import signal
import subprocess
import time
from contextlib import closing

import numpy as np
import pytest

from data_gen import worker_pool
from data_gen.render import draw_examples
from data_gen.scenes import SCENES
from data_gen.worker_pool import WorkerError, draw_in_order

# 2 MB of images each: a result does not fit into a pipe, so workers wait within one.
RANGES = [("val", start, start + 128) for start in range(0, 2560, 128)]
# Its job of 190 kB does not fit into a pipe either.
LARGE_SAMPLER = SCENES["fruit"](64, None, "shift")


@pytest.fixture(autouse=True)
def one_minute():
    """Fail instead of waiting for ever where a result never comes."""

    def give_up(number, frame):
        raise TimeoutError("no result within a minute")

    handler = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, handler)


@pytest.fixture
def processes(monkeypatch):
    """Return the list of the processes that are started from now on."""
    started = []

    class Recorded(subprocess.Popen):
        def __init__(self, *arguments, **keywords):
            super().__init__(*arguments, **keywords)
            started.append(self)

    monkeypatch.setattr(worker_pool.subprocess, "Popen", Recorded)
    return started


def have_ended(processes):
    return all(process.returncode is not None for process in processes)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_ranges(workers):
    # More ranges than may wait for two processes; long ones first finish last.
    lengths = [40, 1, 30, 1, 1, 20, 1, 1, 1, 10, 1, 1, 1, 1]
    ends = np.cumsum(lengths).tolist()
    pairs = zip(ends, lengths, strict=True)
    ranges = [("val", end - length, end) for end, length in pairs]
    sampler = SCENES["fruit"](16)
    expected, expected_masks = draw_examples(sampler, 0, "val", 0, sum(lengths))
    with closing(draw_in_order(sampler, 0, ranges, workers)) as results:
        for (_, start, stop), (images, masks) in zip(ranges, results, strict=True):
            np.testing.assert_array_equal(images, expected[start:stop])
            np.testing.assert_array_equal(masks, expected_masks[start:stop])


def test_no_more_workers_start_than_there_are_ranges(processes):
    results = draw_in_order(SCENES["fruit"](16), 0, [("val", 0, 2), ("val", 2, 3)], 9)
    assert [len(images) for images, _ in results] == [2, 1]
    assert len(processes) == 2


@pytest.mark.parametrize("victim", [0, 1])
@pytest.mark.parametrize("seconds", [0, 0.001, 0.01, 0.03, 0.06, 0.1, 0.2, 0.5])
def test_a_worker_killed_while_it_starts_is_noticed(
    monkeypatch, processes, victim, seconds
):
    send_job = worker_pool._send_job

    def kill_and_send(process, job):
        if process is processes[0]:  # all are started, none has its job
            time.sleep(seconds)
            processes[victim].kill()
        send_job(process, job)

    monkeypatch.setattr(worker_pool, "_send_job", kill_and_send)
    results = draw_in_order(LARGE_SAMPLER, 0, RANGES, 2)
    with closing(results), pytest.raises(WorkerError, match="that draws died"):
        list(results)
    assert len(processes) == 2 and have_ended(processes)


@pytest.mark.parametrize("victim", [0, 1])
@pytest.mark.parametrize("seconds", [0, 0.03, 0.5])
def test_a_worker_killed_while_it_draws_is_noticed(processes, victim, seconds):
    results = draw_in_order(SCENES["fruit"](64), 0, RANGES, 2)
    with closing(results), pytest.raises(WorkerError, match="that draws died"):
        for index, _ in enumerate(results):
            if index == 1:
                time.sleep(seconds)
                processes[victim].kill()
    assert len(processes) == 2 and have_ended(processes)


def test_workers_end_when_nobody_wants_more(processes):
    results = draw_in_order(SCENES["fruit"](64), 0, RANGES, 3)
    next(results)
    assert [process.poll() for process in processes] == [None] * 3
    results.close()
    assert have_ended(processes)


def test_workers_answer_no_ctrl_c_of_the_terminal(processes):
    results = draw_in_order(SCENES["fruit"](64), 0, RANGES, 2)
    with closing(results):
        next(results)
        ours = os.getpgid(0)
        assert all(os.getpgid(process.pid) != ours for process in processes)


def test_a_process_that_cannot_be_started_is_an_error(monkeypatch, processes):
    monkeypatch.setattr(worker_pool.sys, "executable", "/nowhere/python")
    with pytest.raises(WorkerError, match=r"cannot start .*\(No such file"):
        next(draw_in_order(SCENES["fruit"](16), 0, RANGES, 2))


def test_workers_import_neither_tensorflow_nor_this_package(tmp_path):
    # They start in a fraction of a second because of this.
    code = (
        "import sys, data_gen.worker_pool, data_gen.scenes\n"
        "assert not {'tensorflow', 'keras', 'cirs_tf'} & set(sys.modules)"
    )
    process = subprocess.run(
        [worker_pool.sys.executable, "-c", code], capture_output=True, text=True
    )
    assert (process.returncode, process.stderr) == (0, "")


# A script of a user need not hide its code behind `if __name__ == "__main__":`.
SCRIPT = """
from data_gen.options import default_options
from data_gen.draw_dataset import draw

options = default_options(train=300, val=0, test=0, shards=1)
print(draw(options, OUT, workers=2).manifest.splits["train"].examples)
"""


def test_a_plain_script_may_draw_with_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("OUT", repr(str(tmp_path / "out"))))
    process = subprocess.run(
        [worker_pool.sys.executable, script],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
    )
    assert (process.returncode, process.stdout) == (0, "300\n"), process.stderr
