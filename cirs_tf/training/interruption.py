"""Ctrl-C and SIGTERM as a request that the trainer grants between two calls."""

import signal
import threading


class StopRequest:
    """Turns SIGINT and SIGTERM into `signal_number` while it is entered.

    Attributes:
        numbers: The signals that it waits for.
        signal_number: The one that came, None so far.

    A second signal of the same kind acts as usual, so that an impatient user gets out.
    Outside the main thread, where Python allows no handlers, it does nothing.
    """

    numbers = (signal.SIGINT, signal.SIGTERM)

    def __init__(self):
        self.signal_number: int | None = None
        self._previous: dict[int, object] = {}

    def __enter__(self) -> "StopRequest":
        """Install the handlers."""
        if threading.current_thread() is threading.main_thread():
            for number in self.numbers:
                self._previous[number] = signal.signal(number, self._request)
        return self

    def reinstall(self) -> None:
        """Install the handlers again.

        TensorFlow's coordination of several workers puts one of its own for SIGTERM in
        their place.
        """
        for number in self._previous:
            signal.signal(number, self._request)

    def __exit__(self, *_) -> None:
        """Put the earlier handlers back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def _request(self, number: int, _frame) -> None:
        self.signal_number = number
        signal.signal(number, self._previous[number])
