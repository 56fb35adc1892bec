"""The data sets of the results: scenes are drawn, photographs are given."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from cirs_tf.data.manifest import MANIFEST
from cirs_tf.default_data import import_data_gen
from cirs_tf.errors import ConfigError
from cirs_tf.reproduce.experiments import Experiments
from cirs_tf.reproduce.targets import data_flag


def draw_sets(
    experiments: Experiments, budget_name: str, names: Iterable[str], out: Path
) -> dict[str, Path]:
    """Draw data sets that are not there yet.

    Args:
        experiments: Says how each is drawn.
        budget_name: A budget that changes how data sets are drawn has its own ones.
        names: Names of data sets; those that the user makes are left out.
        out: Folder of all results.

    Returns:
        The folder of each.
    """
    draw = import_data_gen("draw_dataset").draw
    default_options = import_data_gen("options").default_options
    budget_options = experiments.budgets[budget_name].data_options
    suffix = f"_{budget_name}" if budget_options else ""
    # Starting processes takes longer than drawing a tiny set.
    workers = 1 if budget_options else os.cpu_count() or 1
    folders = {}
    for name, data_set in experiments.data_sets.items():
        if name in set(names) and not data_set.command:
            folders[name] = (out / "data" / f"{name}{suffix}").resolve()
            options = default_options(**{**budget_options, **data_set.options})
            draw(options, folders[name], workers=workers, progress=True)
    return folders


def check_given(
    experiments: Experiments, folders: Mapping[str, str | None]
) -> dict[str, Path]:
    """Return the folders of the data sets that the user made.

    Args:
        experiments: Says how each is made.
        folders: By name; None: not given.

    Raises:
        ConfigError: A folder holds no data set.
    """
    checked = {}
    for name, folder in folders.items():
        if folder is None:
            continue
        if not (Path(folder) / MANIFEST).is_file():
            command = experiments.given[name]
            raise ConfigError(
                f"{data_flag(name)} {folder}: no data set; make it with {command}"
            )
        checked[name] = Path(folder).resolve()
    return checked
