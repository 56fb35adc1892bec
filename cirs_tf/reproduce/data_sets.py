"""The data sets of the results: the fruit set is drawn, the others are given."""

import os
from pathlib import Path

from cirs_tf.errors import ConfigError
from data_gen.data_set import draw
from data_gen.options import default_options

# How a data set that is not drawn here is made, and what needs it.
GIVEN = {
    "cifar10": "python -m data_gen cifar10 --out DIR",
    "bsds": "python -m data_gen bsds ZIP_OR_DIR --out DIR",
    "bsds_whole": "python -m data_gen bsds ZIP_OR_DIR --whole --out DIR",
}
_SMOKE = {"train": 48, "val": 16, "test": 16, "size": 16, "shards": 2}


def drawn_sets(out: Path, budget: str, with_masks: bool) -> dict[str, Path]:
    """Draw the fruit set, unless it is there.

    Args:
        out: Folder of all results.
        budget: `smoke` draws a tiny set of its own.
        with_masks: Whether `fruit_masks`, the same images with training masks for the
            supervised ceiling, is wanted too.

    Returns:
        `fruit` and perhaps `fruit_masks`: where they are.
    """
    options = _SMOKE if budget == "smoke" else {}
    suffix = "_smoke" if budget == "smoke" else ""
    workers = 1 if budget == "smoke" else os.cpu_count() or 1
    sets = {}
    for name in ("fruit", "fruit_masks") if with_masks else ("fruit",):
        sets[name] = (out / "data" / f"{name}{suffix}").resolve()
        drawn = default_options(**options, with_train_masks=name == "fruit_masks")
        draw(drawn, sets[name], workers=workers, progress=True)
    return sets


def check_given(name: str, folder: str) -> Path:
    """Return the folder of a data set that the user made.

    Raises:
        ConfigError: It is none.
    """
    if not (Path(folder) / "manifest.json").is_file():
        flag = "--" + name.replace("_", "-")
        raise ConfigError(f"{flag} {folder}: no data set; make it with {GIVEN[name]}")
    return Path(folder).resolve()
