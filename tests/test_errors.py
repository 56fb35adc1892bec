import inspect
import subprocess
import sys

import pytest

from cirs_tf import errors
from cirs_tf.errors import CirsError, command


def raising(error):
    @command
    def main(argv):
        raise error

    return main


def test_every_exception_is_a_cirs_error():
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass)]
    own = [c for c in classes if c.__module__ == errors.__name__]
    assert len(own) > 1
    assert all(issubclass(c, CirsError) for c in own)


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (errors.DataError("a.tfrecord: missing"), 1, "error: a.tfrecord: missing"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_a_command_ends_in_one_line(capsys, error, status, line):
    assert raising(error)([]) == status
    assert capsys.readouterr().err == line + "\n"


def test_a_defect_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        raising(ZeroDivisionError())([])


def test_none_is_success_and_a_number_is_passed_on():
    assert command(lambda argv: None)([]) == 0
    assert command(lambda argv: argv[0])([7]) == 7


def test_nobody_reads_on():
    """As behind `| head`: no traceback, also not when Python flushes at its end."""
    program = (
        "from cirs_tf.errors import command\n"
        "main = command(lambda argv: [print('line', flush=True) for _ in range(10**6)]"
        " and None)\n"
        "raise SystemExit(main([]))"
    )
    argv = [sys.executable, "-c", program]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"line\n"
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()
