"""Semantic segmentation without labels, in Keras and TensorFlow."""

import contextlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator

__version__ = "0.1.0"

# TensorFlow greets every process with CPU advice; a command's first line is ours.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
_NOTICES = (b"before absl::InitializeLog()", b"oneDNN custom operations are on")


@contextlib.contextmanager
def _without_notices() -> Iterator[None]:
    """Drop the lines that TensorFlow's import prints under every log level."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as caught:
        saved = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            caught.seek(0)
            for line in caught:
                if not any(notice in line for notice in _NOTICES):
                    os.write(2, line)


def _require_tensorflow() -> None:
    """Say in one line what to install or set, before a backend's own traceback."""
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError(
            "cirs_tf needs TensorFlow, which is not installed: "
            "pip install 'cirs-tf[cpu]' (or 'cirs-tf[gpu]')"
        )
    advice = (
        "cirs_tf runs on the TensorFlow backend of Keras, but {found}: set "
        'KERAS_BACKEND=tensorflow, or "backend": "tensorflow" in ~/.keras/keras.json'
    )
    try:
        with _without_notices():
            import keras
    except ImportError as error:
        chosen = f"another was chosen and failed to import ({error})"
        raise ImportError(advice.format(found=chosen)) from None
    if keras.backend.backend() != "tensorflow":
        found = f"{keras.backend.backend()!r} was chosen"
        raise ImportError(advice.format(found=found))


_require_tensorflow()
