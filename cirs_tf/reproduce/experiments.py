"""Data sets, systems, targets and budgets, as `experiments.yaml` has them."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

TABLES = (
    "ablation",
    "autoencoders",
    "baselines",
    "benchmark_sets",
    "classes",
    "photographs",
    "postprocessing",
    "proof",
    "segmenters",
    "selection",
)
FIGURES = (
    "cosines",
    "photographs",
    "progress",
    "samples",
    "segmentations",
    "templates",
)
EXPERIMENTS_FILE = Path(__file__).with_name("experiments.yaml")


@dataclasses.dataclass(frozen=True)
class DataSet:
    """Images that systems are trained on.

    Attributes:
        options: How a set that is drawn differs from the default one.
        command: How the user makes it; empty: it is drawn.
    """

    options: Mapping[str, object] = dataclasses.field(default_factory=dict)
    command: str = ""


@dataclasses.dataclass(frozen=True)
class System:
    """One row of the results: what is trained.

    Attributes:
        title: Its name in tables.
        config: Name of an installed configuration.
        data: Name of its data set.
        overrides: Settings on top of the configuration and the budget.
        thesis: The thesis's figure for it, None: it has none.
        remark: What was tried; shown where it falls short of the thesis.
        seeds: How many of the seeds it is trained with, the first ones.
        starts_from: Name of a system, trained with as many seeds at least, whose
            segments of the same seed are its pseudo-labels; empty: none. That one
            starts from no other.
    """

    title: str
    config: str
    data: str = "fruit"
    overrides: tuple[str, ...] = ()
    thesis: float | None = None
    remark: str = ""
    seeds: int = 3
    starts_from: str = ""


@dataclasses.dataclass(frozen=True)
class BenchmarkMethod:
    """A row of the table of benchmark sets.

    Attributes:
        title: Its name in the table.
        config: Name of an installed configuration.
        not_run: Data sets that it is not trained on.
        overrides: Settings, by data set.
    """

    title: str
    config: str
    not_run: tuple[str, ...] = ()
    overrides: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    def system(self, data: str) -> str | None:
        """Return the name of its system on a data set, None: it is not run."""
        if data in self.not_run:
            return None
        return f"{self.config.rpartition('/')[2]}_{data}"


@dataclasses.dataclass(frozen=True)
class BenchmarkSets:
    """Data sets that are harder than the fruit, and the methods that meet them.

    Attributes:
        segments: K, by data set.
        methods: Rows of the table.
        published: `miou` of DTI-Sprites, by data set.
    """

    segments: Mapping[str, int]
    methods: tuple[BenchmarkMethod, ...]
    published: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class AblationRow:
    """A system without one of its parts.

    Attributes:
        title: Its name in the table.
        overrides: Settings that take the part away.
        system: Name of a system that is the row, with none of the ablation's settings;
            empty: the row is a system of its own.
    """

    title: str
    overrides: tuple[str, ...] = ()
    system: str = ""


@dataclasses.dataclass(frozen=True)
class Ablation:
    """One system without one of its parts each.

    Attributes:
        title: The system's name in tables.
        config: Name of an installed configuration.
        data: Name of the data set.
        seeds: How many of the seeds each row is trained with.
        overrides: Settings of all rows.
        rows: The first one is the whole system.
    """

    title: str
    config: str
    data: str
    seeds: int
    overrides: tuple[str, ...]
    rows: Mapping[str, AblationRow]


@dataclasses.dataclass(frozen=True)
class Target:
    """A table or figure of the results, or both.

    Attributes:
        table: One of `TABLES`, empty: none.
        figure: One of `FIGURES`, empty: none.
        systems: Names of the systems that they show.
        data_sets: Data sets that are needed besides theirs.
    """

    table: str = ""
    figure: str = ""
    systems: tuple[str, ...] = ()
    data_sets: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class RunLength:
    """How long some systems are trained.

    Attributes:
        epochs: Number of epochs.
        steps_per_epoch: Mini-batches per epoch, None: as configured.
        systems: Names of the systems, or `all`.
    """

    epochs: int
    systems: tuple[str, ...] | str
    steps_per_epoch: int | None = None

    @property
    def overrides(self) -> tuple[str, ...]:
        """The length as settings."""
        settings = [f"training.epochs={self.epochs}"]
        if self.steps_per_epoch is not None:
            settings.append(f"training.steps_per_epoch={self.steps_per_epoch}")
        return tuple(settings)


@dataclasses.dataclass(frozen=True)
class Budget:
    """How large and long runs are.

    Attributes:
        meaning: What it is for, in help and results.
        overrides: Settings by method; `all` for all.
        lengths: Systems that are there in none keep their configuration's length.
        data_options: How drawn data sets differ from their usual options.
    """

    meaning: str
    overrides: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    lengths: tuple[RunLength, ...] = ()
    data_options: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def settings(self, system: str, method: str) -> tuple[str, ...]:
        """Return the overrides of one system.

        Args:
            system: Its name.
            method: The method of its configuration.
        """
        settings = [*self.overrides.get("all", ()), *self.overrides.get(method, ())]
        for length in self.lengths:
            if length.systems == "all" or system in length.systems:
                settings += length.overrides
        return tuple(settings)


@dataclasses.dataclass(frozen=True)
class Experiments:
    """All that the results are made of.

    Attributes:
        data_sets: By name.
        systems: By name, those of benchmark sets and ablations too, in table order.
        benchmark_sets: The table of harder data sets.
        ablations: The tables of parts, by target.
        targets: By name, in the order of the results.
        budgets: By name.
    """

    data_sets: Mapping[str, DataSet]
    systems: Mapping[str, System]
    benchmark_sets: BenchmarkSets
    ablations: Mapping[str, Ablation]
    targets: Mapping[str, Target]
    budgets: Mapping[str, Budget]

    def ablation_systems(self, target: str) -> dict[str, str]:
        """Return the name of the system of each row of an ablation, by row."""
        return {
            key: row.system or f"{target}_{key}"
            for key, row in self.ablations[target].rows.items()
        }

    @property
    def given(self) -> dict[str, str]:
        """The command of each data set that the user makes, by name."""
        return {
            name: data_set.command
            for name, data_set in self.data_sets.items()
            if data_set.command
        }

    def systems_of(self, targets: Iterable[str]) -> list[str]:
        """Return the systems that some targets need, each once, in table order.

        Those that they show, and those that these start from.
        """
        shown = {name for target in targets for name in self.targets[target].systems}
        shown |= {self.systems[name].starts_from for name in shown}
        return [name for name in self.systems if name in shown]

    def data_sets_of(self, target: str) -> set[str]:
        """Return the data sets that a target needs."""
        systems = self.targets[target].systems
        return {self.systems[name].data for name in systems} | {
            *self.targets[target].data_sets
        }

    def is_segmenter(self, system: str) -> bool:
        """Return whether masks of its own data set say how good a system is."""
        return not self.data_sets[self.systems[system].data].command
