"""Two processes on loopback against one."""

import json
import os
import signal
import socket
import time

import keras
import numpy as np
import tensorflow as tf
from command_line import set_flags
from forked_python import ForkedPython

from cirs_tf import train
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start_workers(argv, run, count=2, program=("-m", "cirs_tf.train")):
    """Start the workers of one run on loopback."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(count)]}
    workers = []
    for index in range(count):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(task)}
        command = [*program, *argv, "--run", run, "--strategy", "multi_worker"]
        workers.append(ForkedPython(*command, env=environment))
    return workers


def end_of(workers):
    """Return exit statuses and outputs."""
    outputs = [worker.communicate()[0] for worker in workers]
    return [worker.returncode for worker in workers], "\n".join(outputs)


# In float32 Adam amplifies the rounding of sums taken in another order.
IN_FLOAT64 = """
import json, os, sys, cirs_tf, keras
keras.config.set_dtype_policy("float64")
from cirs_tf import train
from cirs_tf.methods.cirs import Cirs
if json.loads(os.environ["TF_CONFIG"])["task"]["index"]:
    Cirs.initialize = lambda *_: sys.exit("the first worker does it for all")
sys.exit(train.main(sys.argv[1:]))
"""


def weights_of(run, step):
    """Return what a checkpoint holds in float64: weights and moments, by name."""
    folder = run / "checkpoints" / f"step-{step:08}"
    reader = tf.train.load_checkpoint(str(folder / "variables"))
    types = reader.get_variable_to_dtype_map()
    return {
        name: reader.get_tensor(name) for name in types if types[name] == tf.float64
    }


def test_two_and_four_workers_train_like_one_device(tiny, fruit, tmp_path):
    argv = ["--config", "thesis/cirs_balanced", "--data", str(fruit)]
    argv += ["--epochs", "1", "--steps-per-epoch", "6"]
    settings = ("pretraining.pseudo_labels=colors", "pretraining.steps=4")
    argv += set_flags([*tiny, "feature_net.dropout=0", *settings])
    one = tmp_path / "one"
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        assert train.main([*argv, "--run", str(one)]) == 0
    finally:
        keras.config.set_dtype_policy(policy)
    expected = weights_of(one, 10)
    assert len(expected) > 20
    (first, last) = (weights_of(one, step) for step in (4, 10))
    assert max(np.abs(last[name] - first[name]).max() for name in last) > 1e-3

    for count in (2, 4):
        run = tmp_path / str(count)
        workers = start_workers(argv, run, count, ("-c", IN_FLOAT64))
        statuses, output = end_of(workers)
        assert statuses == [0] * count, output
        assert f"{count} devices" in output
        checkpoints = {path.name for path in (run / "checkpoints").iterdir()}
        assert checkpoints == {"checkpoints.json", "step-00000004", "step-00000010"}
        found = weights_of(run, 10)
        assert found.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, atol=1e-6, rtol=0)


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
