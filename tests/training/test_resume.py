"""A run that was stopped, anyhow and anywhere, ends like one that was not."""

import json
import signal
import time

import numpy as np
import pytest
import tensorflow as tf
from command_line import set_flags
from forked_python import ForkedPython

from cirs_tf import train
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder


def arguments(tiny, *more):
    # Everything that has a state: Adam, batch norm, dropout, two alternating phases.
    state = ["segmenter.dropout=0.1", "cirs.schedule=alternating"]
    state += ["cirs.segmenter_steps=2", "cirs.feature_net_steps=3"]
    # And what depends on the count of steps.
    state += ["cirs.augmentation=shift_flip_rotate", "cirs.reset_every=7"]
    config = ["--config", "thesis/cirs_balanced"]
    return [*config, *set_flags([*tiny, *state]), *more]


def start(*argv):
    """Run the command in a process of its own, as a user does."""
    return ForkedPython("-m", "cirs_tf.train", *argv)


def final_tensors(run):
    folder = CheckpointStore(RunFolder(run).checkpoints).path("last")
    reader = tf.train.load_checkpoint(str(folder / "variables"))
    names = set(reader.get_variable_to_shape_map())
    # It holds the layers' names, which count on within a process.
    names.remove("_CHECKPOINTABLE_OBJECT_GRAPH")
    return {name: reader.get_tensor(name) for name in names}


def assert_same_end(run, reference):
    ours, theirs = final_tensors(run), final_tensors(reference)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)
    rows = RunFolder(run).read_metrics()
    expected = RunFolder(reference).read_metrics()
    for row in (*rows, *expected):
        del row["images_per_second"]
    assert rows == expected


@pytest.fixture(scope="module")
def reference(tiny, fruit, tmp_path_factory):
    """A run of 3 epochs of 40 steps that nothing disturbed, in its own process."""
    run = tmp_path_factory.mktemp("reference") / "run"
    process = begin(tiny, fruit, run)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return run


def begin(tiny, fruit, run):
    return start(
        *arguments(tiny, "--epochs", 3, "--steps-per-epoch", 40),
        *("--data", fruit, "--run", run),
    )


def interrupt(process, run, number, when):
    """Send a signal as soon as the run is where it should be; return how it ended."""
    deadline = time.monotonic() + 120
    while process.poll() is None and not when(RunFolder(run)):
        assert time.monotonic() < deadline, "the run never got so far"
        time.sleep(0.005)
    process.send_signal(number)
    output, _ = process.communicate()
    return process.returncode, output


def past_epoch(count):
    return lambda run: len(run.read_metrics()) >= count


def test_sigkill_in_mid_epoch_and_resume(tiny, fruit, reference, tmp_path):
    run = tmp_path / "run"
    process = begin(tiny, fruit, run)
    status, output = interrupt(process, run, signal.SIGKILL, past_epoch(1))
    assert status == -signal.SIGKILL, output
    assert len(RunFolder(run).read_metrics()) < 3
    assert train.main(["--resume", str(run)]) == 0
    assert_same_end(run, reference)


def test_polite_stops_save_the_very_step(tiny, fruit, reference, tmp_path):
    """SIGTERM as from a batch system, then Ctrl-C, then to the end."""
    run = tmp_path / "run"
    process = begin(tiny, fruit, run)
    for epoch, number in ((1, signal.SIGTERM), (2, signal.SIGINT)):
        status, output = interrupt(process, run, number, past_epoch(epoch))
        assert status == 128 + number, output
        assert f"go on with: python -m cirs_tf.train --resume {run}" in output
        assert "Traceback" not in output
        index = json.loads((run / "checkpoints" / "checkpoints.json").read_text())
        assert 40 * epoch <= index["last"][-1] < 120
        process = start("--resume", run)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert_same_end(run, reference)


def test_a_longer_run_is_a_resumed_shorter_one(tiny, fruit, reference, tmp_path):
    run = tmp_path / "run"
    short = arguments(tiny, "--epochs", "1", "--steps-per-epoch", "40")
    assert train.main([*short, "--data", str(fruit), "--run", str(run)]) == 0
    assert train.main(["--resume", str(run), "--epochs", "3"]) == 0
    assert_same_end(run, reference)
