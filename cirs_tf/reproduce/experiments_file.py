"""Reading `experiments.yaml`: every key, type and name in it is checked."""

import collections.abc
import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cirs_tf.config.files import find_config, read_yaml
from cirs_tf.errors import ConfigError
from cirs_tf.methods.registry import METHODS
from cirs_tf.reproduce.experiments import (
    EXPERIMENTS_FILE,
    FIGURES,
    TABLES,
    BenchmarkSets,
    Experiments,
    System,
)


def load_experiments(path: Path = EXPERIMENTS_FILE) -> Experiments:
    """Read the experiments.

    Args:
        path: The YAML file.

    Returns:
        All of them; systems of benchmark sets and of ablations stand among the
        others.

    Raises:
        ConfigError: A key is unknown or missing, a value is of another type, or
            something is named that there is not: a system, configuration, data set,
            method, table or figure.
    """
    document = read_yaml(path)
    try:
        experiments = _with_groups(_read(Experiments, document, ""))
        _check_names(experiments)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return experiments


def _with_groups(experiments: Experiments) -> Experiments:
    systems, targets = dict(experiments.systems), {}
    for name, target in experiments.targets.items():
        group: dict[str, System] = {}
        if target.table == "benchmark_sets":
            group = _benchmark_systems(experiments.benchmark_sets)
            target = dataclasses.replace(target, systems=tuple(group))
        elif target.table == "ablation":
            _expect(f"targets.{name}", [name], experiments.ablations)
            group = _ablation_systems(experiments, name)
            shown = experiments.ablation_systems(name).values()
            target = dataclasses.replace(target, systems=tuple(shown))
        targets[name] = target
        systems |= {key: group[key] for key in group if key not in systems}
    return dataclasses.replace(experiments, systems=systems, targets=targets)


def _benchmark_systems(benchmark_sets: BenchmarkSets) -> dict[str, System]:
    """Return a system for every method and data set, but those that are not run."""
    return {
        name: System(
            f"{method.title}, on {data}",
            method.config,
            data,
            (f"segments={segments}", *method.overrides.get(data, ())),
            seeds=1,
        )
        for data, segments in benchmark_sets.segments.items()
        for method in benchmark_sets.methods
        if (name := method.system(data))
    }


def _ablation_systems(experiments: Experiments, target: str) -> dict[str, System]:
    """Return a system for every row that is none of the others."""
    ablation = experiments.ablations[target]
    return {
        name: System(
            f"{ablation.title}, {ablation.rows[key].title}",
            ablation.config,
            ablation.data,
            (*ablation.overrides, *ablation.rows[key].overrides),
            seeds=ablation.seeds,
        )
        for key, name in experiments.ablation_systems(target).items()
        if not ablation.rows[key].system
    }


def _check_names(experiments: Experiments) -> None:
    """Raise a ConfigError where something is named that there is not."""
    systems, data_sets = experiments.systems, experiments.data_sets
    for method in experiments.benchmark_sets.methods:
        where = f"benchmark_sets: {method.title}"
        named = (*method.not_run, *method.overrides)
        _expect(where, named, experiments.benchmark_sets.segments)
    for name, system in systems.items():
        _expect(f"systems.{name}.data", [system.data], data_sets)
        if system.starts_from:
            where = f"systems.{name}.starts_from"
            _expect(where, [system.starts_from], systems)
            source = systems[system.starts_from]
            alike = source.data == system.data and source.seeds >= system.seeds
            if source.starts_from or not alike:
                raise ConfigError(
                    f"{where}: expected a system of the same data set and no fewer "
                    f"seeds, that starts from no other, got {system.starts_from!r}"
                )
        try:
            find_config(system.config)
        except ConfigError as error:
            raise ConfigError(f"systems.{name}: {error}") from None
    for name, target in experiments.targets.items():
        where = f"targets.{name}"
        _expect(f"{where}.table", filter(None, [target.table]), TABLES)
        _expect(f"{where}.figure", filter(None, [target.figure]), FIGURES)
        _expect(f"{where}.systems", target.systems, systems)
        _expect(f"{where}.data_sets", target.data_sets, data_sets)
    for name, budget in experiments.budgets.items():
        where = f"budgets.{name}"
        _expect(f"{where}.overrides", budget.overrides, ("all", *METHODS))
        for length in budget.lengths:
            if length.systems != "all":
                _expect(f"{where}.lengths", length.systems, systems)


def _expect(where: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise a ConfigError for the first name that is not known."""
    known = list(known)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {known}"
            raise ConfigError(f"{where}: unknown {name!r}; {hint}")


def _read(kind: Any, value: Any, where: str) -> Any:
    """Return a value of YAML as the type that an annotation names.

    Args:
        kind: A dataclass, `Mapping[str, X]`, `tuple[X, ...]`, a plain type, or several
            of them.
        value: What stands in the file.
        where: Its dotted key.

    Raises:
        ConfigError: It is of another type, or a key is unknown or missing.
    """
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    fitting = [k for k in kinds if k is object or type(value) in _yaml_types(k)]
    if not fitting:
        expected = " or ".join(_yaml_types(kind)[0].__name__ for kind in kinds)
        raise ConfigError(f"{where}: expected {expected}, got {value!r}")
    kind, parts = fitting[0], typing.get_args(fitting[0])
    if dataclasses.is_dataclass(kind):
        return _read_record(kind, value, where)
    if isinstance(value, dict) and parts:
        return {key: _read(parts[1], value[key], f"{where}.{key}") for key in value}
    if isinstance(value, list) and parts:
        return tuple(
            _read(parts[0], entry, f"{where}.{index}")
            for index, entry in enumerate(value)
        )
    return value


def _yaml_types(kind: Any) -> tuple[type, ...]:
    """Return the types that a value of YAML may have for an annotation."""
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind) or origin is collections.abc.Mapping:
        return (dict,)
    if origin is tuple:
        return (list,)
    return (float, int) if kind is float else (kind,)


def _read_record(kind: type, values: dict[str, Any], where: str) -> Any:
    """Return a dataclass; see `_read`."""
    hints = typing.get_type_hints(kind)
    prefix = f"{where}." if where else ""
    _expect(where or "top level", values, hints)
    for field in dataclasses.fields(kind):
        defaults = (field.default, field.default_factory)
        if field.name not in values and set(defaults) == {dataclasses.MISSING}:
            raise ConfigError(f"{prefix}{field.name}: missing")
    return kind(
        **{key: _read(hints[key], values[key], f"{prefix}{key}") for key in values}
    )
