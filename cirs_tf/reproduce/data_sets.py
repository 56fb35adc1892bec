"""The data sets of the results: scenes are drawn, photographs are given."""

import os
from collections.abc import Iterable
from pathlib import Path

from cirs_tf.errors import ConfigError
from data_gen.draw_dataset import draw
from data_gen.options import default_options

# How a data set that is not drawn here is made, and what needs it.
GIVEN = {
    "cifar10": "python -m data_gen cifar10 --out DIR",
    "bsds": "python -m data_gen bsds ZIP_OR_DIR --out DIR",
    "bsds_whole": "python -m data_gen bsds ZIP_OR_DIR --whole --out DIR",
}
# How a data set that is drawn here differs from the default one.
DRAWN = {
    "fruit": {},
    # The same images, with training masks: for the supervised ceiling.
    "fruit_masks": {"with_train_masks": True},
    "twotone": {"scene": "twotone"},
    "fruit_shift": {"background": "shift"},
    "dsprites": {"scene": "dsprites"},
    "tetrominoes": {"scene": "tetrominoes", "size": 35},
}
_SMOKE = {"train": 48, "val": 16, "test": 16, "size": 16, "shards": 2}


def drawn_sets(out: Path, budget: str, names: Iterable[str]) -> dict[str, Path]:
    """Draw data sets that are not there yet.

    Args:
        out: Folder of all results.
        budget: `smoke` draws tiny sets of its own.
        names: Keys of `DRAWN`.

    Returns:
        Where each one is.
    """
    options = _SMOKE if budget == "smoke" else {}
    suffix = "_smoke" if budget == "smoke" else ""
    workers = 1 if budget == "smoke" else os.cpu_count() or 1
    sets = {}
    for name in names:
        sets[name] = (out / "data" / f"{name}{suffix}").resolve()
        drawn = default_options(**{**options, **DRAWN[name]})
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
