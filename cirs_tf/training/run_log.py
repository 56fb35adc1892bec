"""Log records of a run: to the terminal, above the progress bar, and to a file."""

import logging

from tqdm import tqdm

from cirs_tf.training.run_folder import RunFolder, write_errors

_LOGGER = logging.getLogger("cirs_tf")


class RunLog:
    """Sends log records to the terminal, above the progress bar, and to train.log.

    Args:
        run: The run folder, or None for a worker that does not write it.

    Raises:
        CheckpointError: The file cannot be written.
    """

    def __init__(self, run: RunFolder | None):
        self._handlers: list[logging.Handler] = []
        if run is not None:
            with write_errors(run.log_file):
                to_file = logging.FileHandler(run.log_file)
            to_file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
            self._handlers = [_AboveProgressBar(), to_file]

    def __enter__(self) -> logging.Logger:
        """Return the logger, at work until the end of the `with` block."""
        _LOGGER.setLevel(logging.INFO)
        _LOGGER.propagate = False
        for handler in self._handlers:
            _LOGGER.addHandler(handler)
        return _LOGGER

    def __exit__(self, *_) -> None:
        """Close the file."""
        for handler in self._handlers:
            _LOGGER.removeHandler(handler)
            handler.close()


class _AboveProgressBar(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record))
