"""Commands that are functions, too: `cirs_tf.train` is a module that can be called."""

import importlib
import sys
from types import ModuleType
from typing import Any


class CallableModule(ModuleType):
    """A module whose call is a call of the function of its name in `cirs_tf.api`."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the function; see `cirs_tf.api`."""
        name = self.__name__.rpartition(".")[2]
        function = getattr(importlib.import_module("cirs_tf.api"), name)
        return function(*arguments, **keywords)


def make_callable(module_name: str) -> None:
    """Let a module of `cirs_tf` be called as the API function of its name.

    `python -m cirs_tf.train` and `cirs_tf.train(...)` both belong to users; Python
    gives one name to both.

    Args:
        module_name: `__name__` of the module.
    """
    sys.modules[module_name].__class__ = CallableModule
