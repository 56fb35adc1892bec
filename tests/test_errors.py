import inspect
import os
import subprocess
import sys

import pytest
import tensorflow as tf

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


def test_a_message_with_text_of_a_damaged_file_stays_a_line_and_moves_no_cursor():
    error = errors.DataError("a.mat: matrix 'P\x00\x1b[2J\r\nq\u2028é 木'")
    assert str(error) == r"a.mat: matrix 'P\x00\x1b[2J  q é 木'"


def test_a_defect_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        raising(ZeroDivisionError())([])


def test_none_is_success_and_a_number_is_passed_on():
    assert command(lambda argv: None)([]) == 0
    assert command(lambda argv: argv[0])([7]) == 7


PRINTS = """
from cirs_tf.errors import DataError, command

@command
def main(argv):
    for _ in range({lines}):
        print("line", flush={flush})
    {end}

raise SystemExit(main([]))
"""


@pytest.mark.parametrize(
    "arguments",
    [
        # Stopped in the middle; and less than Python's buffer, flushed at the end.
        ("-c", PRINTS.format(lines=10**6, flush=True, end="")),
        ("-c", PRINTS.format(lines=1, flush=False, end="")),
        ("-m", "cirs_tf"),
        ("-m", "cirs_tf.oned", "112200", "011220", "001122"),
    ],
)
def test_nobody_reads_on(arguments):
    """As behind `| head`: no traceback, and the status that a shell gives SIGPIPE."""
    ended = run_unread(arguments)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_nobody_reads_on_but_the_error_is_told():
    program = PRINTS.format(lines=1, flush=False, end="raise DataError('x: missing')")
    ended = run_unread(("-c", program))
    assert (ended.returncode, ended.stderr) == (141, b"error: x: missing\n")


def test_advice_to_who_writes_code_is_left_out(caplog, monkeypatch):
    """As TensorFlow logs it when one function is traced for many networks."""
    advice = "%s out of the last %s calls to %s triggered tf.function retracing. ..."
    logger = tf.get_logger()
    monkeypatch.setattr(logger, "handlers", [caplog.handler])
    monkeypatch.setattr(logger, "filters", [])

    @command
    def score(argv):
        logger.warning(advice, 5, 5, "f")
        logger.warning("a disk is full")

    assert score([]) == 0
    assert {record.message for record in caplog.records} == {"a disk is full"}


def run_unread(arguments):
    """Run Python with a standard output that is a pipe without a reader."""
    reads, writes = os.pipe()
    os.close(reads)
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("PYTHONUNBUFFERED", None)  # a pipe is buffered, as for users
    try:
        return subprocess.run(
            [sys.executable, *arguments],
            stdout=writes,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=120,
        )
    finally:
        os.close(writes)
