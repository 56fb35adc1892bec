"""Python in processes of their own, which begin with TensorFlow imported.

Importing it takes longer than most of what is run in them. So one process imports it,
does nothing with it, and forks all others (on Linux; elsewhere each imports it). They
share the hash seed of that process, which is not the one of the tests, and what is read
from the environment when TensorFlow is imported.
"""

import multiprocessing
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Mapping

import numpy as np

_LINUX = sys.platform == "linux"
_CONTEXT = multiprocessing.get_context("forkserver" if _LINUX else "spawn")
if _LINUX:
    # What does not start the command: it shall be found as `__main__`.
    _CONTEXT.set_forkserver_preload(["cirs_tf.runs.session", "cirs_tf.runs.evaluation"])


class ForkedPython:
    """Python as `python -m MODULE ...` or `python -c CODE ...` would start it.

    Used like `subprocess.Popen`; standard output and errors are one text.

    Args:
        command: What comes after `python`, converted to texts.
        env: Environment; None: that of this process.
        cwd: Working directory; None: likewise.
    """

    def __init__(self, *command, env: Mapping[str, str] | None = None, cwd=None):
        reading, writing = _CONTEXT.Pipe(duplex=False)
        self._output = os.fdopen(os.dup(reading.fileno()))
        reading.close()
        arguments = [str(part) for part in command]
        environment = dict(os.environ if env is None else env)
        self._process = _CONTEXT.Process(
            target=_run, args=(arguments, environment, cwd, writing), daemon=True
        )
        self._process.start()
        writing.close()
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return `returncode`."""
        return self.returncode

    def communicate(self, timeout: float = 300) -> tuple[str, None]:
        """Wait for the end; return what was printed.

        Raises:
            TimeoutError: It did not end within some seconds, and was killed.
        """
        timer = threading.Timer(timeout, self._process.kill)
        timer.daemon = True
        timer.start()
        began = time.monotonic()
        try:
            with self._output:
                printed = self._output.read()
            self._process.join()
        finally:
            timer.cancel()
        if time.monotonic() - began >= timeout:
            raise TimeoutError(f"killed after {timeout} seconds: {printed[-4000:]}")
        return printed, None

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def _run(command: list[str], environment: dict[str, str], cwd, output) -> None:
    os.environ.clear()
    os.environ.update(environment)
    if cwd is not None:
        os.chdir(cwd)
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    output.close()
    np.random.seed()
    flag, what, *arguments = command
    if flag == "-m":
        sys.argv = [what, *arguments]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        assert flag == "-c", command
        sys.argv = ["-c", *arguments]
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
