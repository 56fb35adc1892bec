"""What the converters have in common: packages of extras, and operations they lack."""

import importlib
import re
from collections.abc import Iterable
from types import ModuleType

from cirs_tf.errors import ConfigError


def require(module: str, option: str, package: str, extra: str) -> ModuleType:
    """Import a package of an extra.

    Args:
        module: Its name in Python.
        option: What needs it, such as `--format onnx`.
        package: Its name on PyPI.
        extra: The extra of ours that has it.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ConfigError(
            f"{option} needs {package}, which is not installed: "
            f"pip install 'cirs-tf[{extra}]'"
        ) from None


def lacks(export_format: str, operations: Iterable[str]) -> ConfigError:
    """Return the error for operations that a format does not have.

    Args:
        export_format: The format's name.
        operations: TensorFlow's names of them.
    """
    names = ", ".join(sorted(set(operations)))
    return ConfigError(
        f"--format {export_format}: this segmenter cannot be converted, the format "
        f"lacks {names}; expected a method of the table in docs/formats.md, or "
        "--format saved_model"
    )


def fails(export_format: str, error: Exception) -> ConfigError:
    """Return the error for anything else that a converter says, in one line.

    Args:
        export_format: The format's name.
        error: What the converter raised.
    """
    lines = [line.strip() for line in re.split(r"[\r\n]+", str(error)) if line.strip()]
    reason = lines[0] if lines else type(error).__name__
    return ConfigError(
        f"--format {export_format}: this segmenter cannot be converted: {reason}"
    )
