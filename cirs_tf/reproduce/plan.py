"""The runs that some targets need, with their configurations."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from cirs_tf.config.settings import path_override
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
        out: Folder of all results; runs go to `out/runs/BUDGET/SYSTEM/seed-SEED`,
            exported segmenters, that others start from, to `out/exported/...`.
        data: Folder of each data set; a system whose data set is not there is left
            out.

    Raises:
        ConfigError: A setting is not one of the system's method, or out of range.
    """
    runs = []
    folder = out / "runs" / budget_name
    budget = experiments.budgets[budget_name]
    # First those that others start from.
    names = sorted(
        experiments.systems_of(targets),
        key=lambda name: bool(experiments.systems[name].starts_from),
    )
    for index, seed in enumerate(seeds):
        for name in names:
            system = experiments.systems[name]
            if system.data not in data or index >= system.seeds:
                continue
            settings, source = settings_of(experiments, name, budget), None
            if system.starts_from:
                run = Path(system.starts_from, f"seed-{seed}")
                source = folder / run
                exported = out / "exported" / budget_name / run
                settings += start_settings(exported)
            config = dataclasses.replace(
                load_config(system.config, settings),
                seed=seed,
                data=str(data[system.data]),
            )
            path = folder / name / f"seed-{seed}"
            runs.append(PlannedRun(name, path, config, source))
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


def start_settings(exported: str | Path) -> tuple[str, ...]:
    """Return the overrides of a run that starts from an exported segmenter."""
    return (
        "pretraining.pseudo_labels=segmenter",
        path_override("pretraining.segmenter", exported),
    )


@functools.cache
def _method_of(config: str) -> str:
    return load_config(config).method
