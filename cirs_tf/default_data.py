"""The default data set, drawn once, and the import of the package that draws it."""

import importlib
import importlib.util
import os
from pathlib import Path
from types import ModuleType

from cirs_tf.cache import cache_folder
from cirs_tf.errors import DataError

_DATA_GEN = Path(__file__).parent.parent / "data_gen"


def default_data() -> Path:
    """Draw the default fruit set into the user's cache, once.

    Returns:
        Its folder: `cirs_tf/fruit` in `$XDG_CACHE_HOME` (default: `~/.cache`).

    Raises:
        DataError: Another package called `data_gen` hides ours.
    """
    # Late, so that `import_data_gen` alone, for help, does not wait for TensorFlow.
    from cirs_tf.data.manifest import MANIFEST

    draw = import_data_gen("draw_dataset").draw
    default_options = import_data_gen("options").default_options

    folder = cache_folder() / "fruit"
    if not (folder / MANIFEST).exists():
        print(f"no --data given: drawing the fruit set once, into {folder}", flush=True)
    draw(default_options(), folder, workers=os.cpu_count() or 1, progress=True)
    return folder


def import_data_gen(name: str) -> ModuleType:
    """Import a module of the `data_gen` that comes with this package.

    `data_gen` is a name that others use, too: Python takes a folder or file of that
    name in the current folder, or on `PYTHONPATH`, before what is installed. No code of
    such a stranger runs here.

    Args:
        name: Of the module within the package, such as `draw_dataset`.

    Returns:
        The module.

    Raises:
        DataError: Another `data_gen` hides ours, or there is none.

    Example:
        >>> import_data_gen("options").default_options(size=16).size
        16
    """
    place = _place("data_gen")
    if place is None:
        raise DataError(f"data_gen: not found in {_DATA_GEN}: install cirs-tf again")
    if place.resolve() != _DATA_GEN.resolve():
        raise DataError(
            f"data_gen: Python would import {place}, expected {_DATA_GEN}, which comes "
            "with cirs_tf: rename the first, or run from another folder"
        )
    return importlib.import_module(f"data_gen.{name}")


def _place(package: str) -> Path | None:
    """Return where Python would import a package from, without running its code."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(list(spec.submodule_search_locations)[0])
    return Path(spec.origin)
