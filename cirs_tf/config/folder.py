"""The folder of the configurations that come with the package."""

import configparser
from pathlib import Path

from cirs_tf.errors import ConfigError

_DISTRIBUTION = "cirs-tf"


def config_folder(package: str | Path = Path(__file__).parents[1]) -> Path:
    """Return the folder of the YAML files of an installed package or source tree.

    An installed package has them inside, as `cirs_tf/configs`. In a source tree they
    stand beside the package; a `configs/` folder beside an installed package is another
    distribution's and is not read.

    Args:
        package: The folder of the package `cirs_tf`.

    Returns:
        The folder that holds `cirs.yaml` and the others.

    Raises:
        ConfigError: Neither folder is there.

    Example:
        >>> (config_folder() / "cirs.yaml").is_file()
        True
    """
    package = Path(package)
    installed = package / "configs"
    if installed.is_dir():
        return installed
    source_tree = package.parent
    in_source_tree = source_tree / "configs"
    if in_source_tree.is_dir() and _is_our_source_tree(source_tree):
        return in_source_tree
    raise ConfigError(
        f"{installed}: no such folder; it comes with {_DISTRIBUTION}, or stands beside "
        f"its setup.cfg in a source tree: install {_DISTRIBUTION} again"
    )


def _is_our_source_tree(folder: Path) -> bool:
    """Return whether a folder has a `setup.cfg` that names our distribution."""
    setup = configparser.ConfigParser(interpolation=None)
    try:
        setup.read(folder / "setup.cfg", encoding="utf-8")  # a missing file is empty
    except (configparser.Error, OSError, UnicodeDecodeError):
        return False
    return setup.get("metadata", "name", fallback=None) == _DISTRIBUTION
