"""Two processes on loopback against one."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import set_flags

from cirs_tf import train
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder

ROOT = Path(__file__).parents[2]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start_workers(argv, run):
    """Start two workers of one run on loopback."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    workers = []
    for index in range(2):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TF_CONFIG": json.dumps(task),
        }
        command = [sys.executable, "-m", "cirs_tf.train", *argv, "--run", str(run)]
        command += ["--strategy", "multi_worker"]
        workers.append(
            subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    return workers


def end_of(workers):
    """Return exit statuses and outputs."""
    outputs = [worker.communicate(timeout=240)[0] for worker in workers]
    return [worker.returncode for worker in workers], "\n".join(outputs)


def test_two_workers_train_like_one_device(tiny, fruit, tmp_path):
    argv = ["--config", "thesis/cirs_balanced", "--data", str(fruit)]
    argv += ["--epochs", "1", "--steps-per-epoch", "6"]
    settings = ("pretraining.pseudo_labels=colors", "pretraining.steps=4")
    argv += set_flags([*tiny, "feature_net.dropout=0", *settings])
    one, two = tmp_path / "one", tmp_path / "two"
    assert train.main([*argv, "--run", str(one)]) == 0
    statuses, output = end_of(start_workers(argv, two))
    assert statuses == [0, 0], output
    assert "2 devices" in output

    (row,), (expected,) = (RunFolder(run).read_metrics() for run in (two, one))
    # Float32: Adam amplifies the rounding of sums taken in another order.
    assert row["train"] == pytest.approx(expected["train"], rel=1e-3)
    assert row["step"] == 4 + 6
    checkpoints = {path.name for path in (two / "checkpoints").iterdir()}
    assert checkpoints == {"checkpoints.json", "step-00000004", "step-00000010"}


def until(reached, workers):
    """Wait until the run is somewhere, and both workers live."""
    deadline = time.monotonic() + 120
    while not reached() and time.monotonic() < deadline:
        assert workers[1].poll() is None, end_of(workers)
        time.sleep(0.05)


def test_a_lost_worker_ends_all_and_a_signal_stops_all_at_the_same_step(
    tiny, fruit, tmp_path
):
    """SIGKILL to the second worker, the same command again, then SIGTERM to it."""
    argv = ["--config", "thesis/cirs_balanced", "--data", str(fruit)]
    argv += ["--epochs", "2", "--steps-per-epoch", "60"]
    argv += set_flags([*tiny, "training.log_every=1"])
    run = tmp_path / "run"
    workers = start_workers(argv, run)
    until(lambda: RunFolder(run).read_metrics(), workers)
    workers[1].kill()
    statuses, output = end_of(workers)
    assert statuses == [1, -signal.SIGKILL], output
    assert "error: another worker ended, see its output, or cannot be" in output
    assert "Traceback" not in output

    before = len(list(run.glob("tensorboard/*")))
    workers = start_workers(argv, run)
    # Once TensorBoard has its next file, the compiled loop runs or is about to.
    until(lambda: len(list(run.glob("tensorboard/*"))) > before, workers)
    workers[1].send_signal(signal.SIGTERM)
    statuses, output = end_of(workers)
    assert statuses == [128 + signal.SIGTERM] * 2, output
    assert "from step 60 to step 120" in output
    assert "Traceback" not in output
    step = CheckpointStore(run / "checkpoints").last_step
    assert 60 < step < 120
    assert output.count(f"stopped at step {step} of 120; go on with: ") == 2
