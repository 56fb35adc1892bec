"""Semantic segmentation without labels, in Keras and TensorFlow."""

import importlib.util
import os

__version__ = "0.1.0"

# TensorFlow greets every process with CPU advice; a command's first line is ours.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


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
        import keras
    except ImportError as error:
        chosen = f"another was chosen and failed to import ({error})"
        raise ImportError(advice.format(found=chosen)) from None
    if keras.backend.backend() != "tensorflow":
        found = f"{keras.backend.backend()!r} was chosen"
        raise ImportError(advice.format(found=found))


_require_tensorflow()
