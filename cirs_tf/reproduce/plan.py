"""Which targets are made, and which runs they need."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cirs_tf.errors import ConfigError
from cirs_tf.methods.registry import load_config
from cirs_tf.reproduce.experiments import Budget, Experiments
from cirs_tf.runs.queue import PlannedRun


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is trained and shown.

    Attributes:
        experiments: Everything that there is.
        targets: Names of those that are made, in order.
        budget_name: One of the experiments' budgets.
        seeds: Seeds of the runs; a system may use the first of them only.
        data: Folder of each data set.
        runs: Every run that the targets need, the first seed of all systems first.
    """

    experiments: Experiments
    targets: tuple[str, ...]
    budget_name: str
    seeds: tuple[int, ...]
    data: Mapping[str, Path]
    runs: tuple[PlannedRun, ...]

    @property
    def budget(self) -> Budget:
        """How large and long runs are."""
        return self.experiments.budgets[self.budget_name]

    @property
    def systems(self) -> list[str]:
        """The systems that have runs, in table order."""
        trained = {run.system for run in self.runs}
        return [name for name in self.experiments.systems if name in trained]

    def runs_of(self, system: str) -> list[PlannedRun]:
        """Return the runs of a system, by seed in the order of the seeds."""
        return [run for run in self.runs if run.system == system]


def make_plan(
    experiments: Experiments,
    targets: Sequence[str],
    budget_name: str,
    seeds: Sequence[int],
    out: Path,
    data: Mapping[str, Path],
) -> Plan:
    """Plan the runs of some targets.

    Args:
        experiments: Everything that there is.
        targets: Names, in order.
        budget_name: One of the experiments' budgets.
        seeds: Seeds of the runs.
        out: Folder of all results; runs go to `out/runs/BUDGET/SYSTEM/seed-SEED`.
        data: Folder of each data set; a system whose data set is not there is left
            out.

    Raises:
        ConfigError: A setting is not one of the system's method, or out of range.
    """
    runs = []
    folder = out / "runs" / budget_name
    budget = experiments.budgets[budget_name]
    for index, seed in enumerate(seeds):
        for name in experiments.systems_of(targets):
            system = experiments.systems[name]
            if system.data not in data or index >= system.seeds:
                continue
            config = dataclasses.replace(
                load_config(system.config, settings_of(experiments, name, budget)),
                seed=seed,
                data=str(data[system.data]),
            )
            runs.append(PlannedRun(name, folder / name / f"seed-{seed}", config))
    return Plan(
        experiments, tuple(targets), budget_name, tuple(seeds), data, tuple(runs)
    )


def settings_of(experiments: Experiments, name: str, budget: Budget) -> tuple[str, ...]:
    """Return the overrides of a system at a budget, seed and data set aside.

    Args:
        experiments: Everything that there is.
        name: Name of the system.
        budget: How large and long its runs are.
    """
    system = experiments.systems[name]
    method = _method_of(system.config)
    return (*budget.settings(name, method), *system.overrides)


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


@functools.cache
def _method_of(config: str) -> str:
    return load_config(config).method
