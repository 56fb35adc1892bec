"""Semantic segmentation without labels, in Keras and TensorFlow.

    import cirs_tf

    cirs_tf.train("cirs_aligned", data="data/fruit", run="runs/fruit", epochs=4)
    segmenter = cirs_tf.load("runs/fruit")
    labels = segmenter.predict(images)

Importing this package is light: TensorFlow is imported with the first name that needs
it. The layers are ordinary Keras layers; a model that holds them is loaded by
`keras.saving.load_model` after `import cirs_tf`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from cirs_tf import backend
from cirs_tf.errors import CirsError

__version__ = "0.2.0"

# Name to the module that has it.
_LAZY = {
    "ArgmaxInPlace": "cirs_tf.layers.argmax_in_place",
    "PadToMultiple": "cirs_tf.layers.padding",
    "ReplicaDropout": "cirs_tf.layers.dropout",
    "Segmenter": "cirs_tf.serving.segmenter",
    "argmax_in_place": "cirs_tf.layers.argmax_in_place",
    "load": "cirs_tf.api",
    "load_config": "cirs_tf.methods.registry",
    "METHODS": "cirs_tf.methods.registry",
}
# Commands that are functions, too: `python -m cirs_tf.train`, `cirs_tf.train(...)`.
_CALLABLE_MODULES = ("evaluate", "export", "train")

__all__ = [
    "METHODS",
    "ArgmaxInPlace",
    "CirsError",
    "PadToMultiple",
    "ReplicaDropout",
    "Segmenter",
    "argmax_in_place",
    "evaluate",
    "export",
    "load",
    "load_config",
    "train",
]

if TYPE_CHECKING:
    from cirs_tf.api import evaluate, export, load, train
    from cirs_tf.layers.argmax_in_place import ArgmaxInPlace, argmax_in_place
    from cirs_tf.layers.dropout import ReplicaDropout
    from cirs_tf.layers.padding import PadToMultiple
    from cirs_tf.methods.registry import METHODS, load_config
    from cirs_tf.serving.segmenter import Segmenter

backend.prepare()


def __getattr__(name: str) -> Any:
    """Import what is asked for (PEP 562)."""
    if name in _CALLABLE_MODULES:
        return importlib.import_module(f"cirs_tf.{name}")
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'cirs_tf' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
