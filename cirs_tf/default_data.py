"""The data set of a run that names none: the fruit set, drawn once into the cache."""

import os
from pathlib import Path

from cirs_tf.data.manifest import MANIFEST


def default_data() -> Path:
    """Draw the default fruit set into the cache, once, and return its folder."""
    from data_gen.draw_dataset import draw
    from data_gen.options import default_options

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "cirs_tf" / "fruit"
    if not (folder / MANIFEST).exists():
        print(f"no --data given: drawing the fruit set once, into {folder}", flush=True)
    draw(default_options(), folder, workers=os.cpu_count() or 1, progress=True)
    return folder
