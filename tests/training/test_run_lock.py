"""Two processes never train in one run folder."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cirs_tf.errors import ConfigError
from cirs_tf.training.run_lock import LOCK, run_lock

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from cirs_tf.training.run_lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Return a process that holds the lock of `tmp_path/run`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "run")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_live_run_is_refused_and_a_killed_one_is_taken_over(holder, tmp_path):
    run = tmp_path / "run"
    message = f"--run {run}: is being trained by process {holder.pid} on .*; wait for"
    with pytest.raises(ConfigError, match=message), run_lock(run):
        pytest.fail("two at once")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with run_lock(run):
        assert f"process {os.getpid()} on" in (run / LOCK).read_text()


def test_it_is_released_whatever_happens(tmp_path):
    with pytest.raises(ValueError), run_lock(tmp_path / "run"):
        raise ValueError
    with run_lock(tmp_path / "run"):
        pass


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--run .*file/run: Not a directory"):
        with run_lock(tmp_path / "file" / "run"):
            pass


def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch, capsys):
    def no_locks(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with run_lock(tmp_path / "run"):
        assert "cannot be locked (No locks available)" in capsys.readouterr().err
