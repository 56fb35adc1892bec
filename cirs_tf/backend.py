"""TensorFlow and Keras: checked without importing them, quiet when they are imported.

`import cirs_tf` is light. When Keras is imported later, by us or by the user, our
layers are registered with it, so that `keras.saving.load_model` finds them.
"""

import contextlib
import importlib
import importlib.abc
import importlib.util
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

_NOTICES = (b"before absl::InitializeLog()", b"oneDNN custom operations are on")


def prepare() -> None:
    """Check that TensorFlow is there and chosen, and watch for its import.

    Raises:
        ImportError: One line that says what to install or to set.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError(
            "cirs_tf needs TensorFlow, which is not installed: "
            "pip install 'cirs-tf[cpu]' (or 'cirs-tf[gpu]')"
        )
    chosen = _chosen_backend()
    if chosen != "tensorflow":
        raise ImportError(
            f"cirs_tf runs on the TensorFlow backend of Keras, but {chosen!r} was "
            'chosen: set KERAS_BACKEND=tensorflow, or "backend": "tensorflow" in '
            "~/.keras/keras.json"
        )
    # TensorFlow greets every process with CPU advice; a command's first line is ours.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # It would take all memory of every GPU at its start, from other processes too.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    # By itself it takes oneDNN's operations, which make a training step about twice as
    # quick, on processors with AVX-512 only.
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    if "keras" in sys.modules:
        register_layers()
    else:
        sys.meta_path.insert(0, _ImportWatch())


def register_layers() -> None:
    """Import our layers, which registers them with Keras under `cirs_tf>NAME`."""
    importlib.import_module("cirs_tf.layers")


def _chosen_backend() -> str:
    """Return the backend that Keras has, or will have, by its own rules."""
    if "keras" in sys.modules:
        return sys.modules["keras"].backend.backend()
    if named := os.environ.get("KERAS_BACKEND"):
        return named
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        return json.loads((home / "keras.json").read_text()).get(
            "backend", "tensorflow"
        )
    except (OSError, ValueError, AttributeError):
        return "tensorflow"


class _ImportWatch(importlib.abc.MetaPathFinder):
    """Wraps the first import of TensorFlow and of Keras."""

    _watched = ("tensorflow", "keras")

    def __init__(self):
        self._inside = False

    def find_spec(self, fullname: str, path=None, target: ModuleType | None = None):
        if fullname not in self._watched or self._inside:
            return None
        self._inside = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._inside = False
        if spec is not None and spec.loader is not None:
            spec.loader = _WatchedLoader(spec.loader)
        return spec


class _WatchedLoader(importlib.abc.Loader):
    """Imports a module without notices; after Keras, registers our layers."""

    def __init__(self, loader: importlib.abc.Loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        with _without_notices():
            self._loader.exec_module(module)
        if module.__name__ == "keras":
            register_layers()


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
