import os
import signal
import threading

import pytest

from data_gen.interrupts import interrupts_deferred, interrupts_repeated, sigterm_stops

SIGNALS = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]


@pytest.fixture(autouse=True)
def default_handlers():
    """Give Ctrl-C and SIGTERM their defaults, and check that tests restore these."""
    handlers = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, new) for number, new in handlers.items()}
    yield
    after = {number: signal.signal(number, old) for number, old in before.items()}
    assert after == handlers


@pytest.mark.parametrize(("number", "error"), SIGNALS)
def test_a_deferred_signal_is_answered_after_the_block(number, error):
    steps = []
    with sigterm_stops(), pytest.raises(error), interrupts_deferred():
        os.kill(os.getpid(), number)
        steps.append("all of the block")
    assert steps == ["all of the block"]


def test_nested_blocks_defer_to_the_end_of_the_outer_one():
    steps = []
    with pytest.raises(KeyboardInterrupt), interrupts_deferred():
        with interrupts_deferred():
            os.kill(os.getpid(), signal.SIGINT)
        steps.append("all of the outer block")
    assert steps == ["all of the outer block"]


def test_an_error_in_a_block_is_raised():
    with pytest.raises(ValueError, match="mine"), interrupts_deferred():
        raise ValueError("mine")


def test_another_thread_may_use_a_block():
    steps = []

    def work():
        with interrupts_deferred(), sigterm_stops():
            steps.append("worked")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert steps == ["worked"]


@pytest.mark.parametrize(("number", "error"), SIGNALS)
def test_a_swallowed_interrupt_is_raised_again_after_the_block(number, error):
    steps = []
    with sigterm_stops(), pytest.raises(error), interrupts_repeated():
        try:
            os.kill(os.getpid(), number)
            steps.append("not interrupted at once")
        except BaseException:
            steps.append("swallowed")
    assert steps == ["swallowed"]


def test_sigterm_ends_a_command_with_its_status(capsys):
    with pytest.raises(SystemExit) as stop, sigterm_stops():
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop.value.code == 143
    assert capsys.readouterr().err == "stopped\n"


def test_a_handler_of_somebody_else_stays():
    received = []
    signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    with sigterm_stops():
        os.kill(os.getpid(), signal.SIGTERM)
    assert received == [signal.SIGTERM]
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
