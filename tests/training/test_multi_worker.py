"""Two processes on loopback against one."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import set_flags

from cirs_tf import train
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


def test_two_workers_train_like_one_device(tiny, fruit, tmp_path):
    argv = ["--data", str(fruit), "--epochs", "1", "--steps-per-epoch", "6"]
    argv += set_flags([*tiny, "feature_net.dropout=0"])
    one, two = tmp_path / "one", tmp_path / "two"
    assert train.main([*argv, "--run", str(one)]) == 0

    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    workers = []
    for index in range(2):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TF_CONFIG": json.dumps(task),
        }
        command = [sys.executable, "-m", "cirs_tf.train", *argv, "--run", str(two)]
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
    outputs = [worker.communicate(timeout=240)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], "\n".join(outputs)
    assert "2 devices" in outputs[0]

    (row,), (expected,) = (RunFolder(run).read_metrics() for run in (two, one))
    # Float32: Adam amplifies the rounding of sums taken in another order.
    assert row["train"] == pytest.approx(expected["train"], rel=1e-3)
    assert row["step"] == 6
    checkpoints = {path.name for path in (two / "checkpoints").iterdir()}
    assert checkpoints == {"checkpoints.json", "step-00000006"}
