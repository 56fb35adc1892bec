"""Which targets are made: their order, and the data sets that they need."""

from collections.abc import Iterable

from cirs_tf.errors import ConfigError
from cirs_tf.reproduce.experiments import Experiments


def ordered_targets(experiments: Experiments, names: Iterable[str]) -> list[str]:
    """Return targets in the order of the results; `all` stands for each.

    Args:
        experiments: Everything that there is.
        names: As the user gave them.

    Raises:
        ConfigError: There is no target of that name.
    """
    names = list(names)
    for name in names:
        if name not in (*experiments.targets, "all"):
            expected = ", ".join((*experiments.targets, "all"))
            raise ConfigError(f"{name}: unknown; expected {expected}")
    return [name for name in experiments.targets if name in names or "all" in names]


def possible_targets(
    experiments: Experiments, targets: Iterable[str], data: Iterable[str]
) -> tuple[list[str], list[str]]:
    """Leave out the targets that need a data set which the user did not give.

    Args:
        experiments: Everything that there is.
        targets: Names.
        data: Names of the data sets that were given.

    Returns:
        The targets that remain; a line for each that does not, with what it needs.
    """
    possible, lines = [], []
    for target in targets:
        needed = experiments.data_sets_of(target) & experiments.given.keys()
        missing = sorted(needed - set(data))
        if not missing:
            possible.append(target)
            continue
        flags = " and ".join(map(data_flag, missing))
        command = experiments.given[missing[0]]
        lines.append(f"{target} needs {flags}, made with {command}")
    return possible, lines


def data_flag(name: str) -> str:
    """Return the flag that names the folder of a data set."""
    return "--" + name.replace("_", "-")
