"""Fields with a meaning and a range, and the one check of every section."""

import dataclasses
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import yaml

from cirs_tf.errors import ConfigError


class Range(NamedTuple):
    """The values that a setting may have.

    Attributes:
        text: What is expected, for errors and `--show-config`.
        holds: Whether a value, never None, is one of them.
        renamed: Values of earlier versions to their present names.
    """

    text: str
    holds: Callable[[Any], bool]
    renamed: Mapping[str, str] = {}


def at_least(minimum: float) -> Range:
    """Return the range of numbers from `minimum` on."""
    return Range(f"at least {minimum}", lambda value: value >= minimum)


def between(minimum: float, maximum: float) -> Range:
    """Return the range of numbers from `minimum` to `maximum`, both included."""
    text = f"{minimum} to {maximum}"
    return Range(text, lambda value: minimum <= value <= maximum)


def one_of(*choices: str, renamed: Mapping[str, str] | None = None) -> Range:
    """Return the range of a few words.

    Args:
        *choices: The words.
        renamed: Words of earlier versions to the present ones.
    """
    text = "one of " + ", ".join(choices)
    return Range(text, lambda value: value in choices, renamed or {})


ANY = Range("", lambda value: True)
WEIGHT = Range("a finite number of at least 0", lambda value: 0 <= value < math.inf)
POSITIVE = Range("a finite number > 0", lambda value: 0 < value < math.inf)
SHARE = Range("(0, 1)", lambda value: 0 < value < 1)
RATE = Range("a rate in [0, 1)", lambda value: 0 <= value < 1)
NAMES = Range("one name or more", lambda value: len(value) > 0 and all(value))
WIDTHS = Range("widths of at least 1", lambda value: all(units >= 1 for units in value))


def setting(default: Any, range_: Range, meaning: str) -> Any:
    """Return a dataclass field that knows its range and what it means.

    Args:
        default: The default; None where the setting may be left open.
        range_: The values it may have besides None.
        meaning: One or two sentences, with units.
    """
    metadata = {"range": range_, "meaning": meaning}
    return dataclasses.field(default=default, metadata=metadata)


def section(section_class: type["Section"], **defaults: Any) -> Any:
    """Return a dataclass field that holds a section.

    Args:
        section_class: A dataclass derived from `Section`.
        **defaults: Where its defaults differ for this method.
    """
    return dataclasses.field(default_factory=lambda: section_class(**defaults))


@dataclasses.dataclass(frozen=True)
class Section:
    """Base of all sections: checks every field against its range.

    Attributes:
        key: Name of the section in YAML files; empty for the top level.

    Raises:
        ConfigError: A value is out of range; key, range and value are named.
    """

    key: ClassVar[str] = ""

    def __post_init__(self):
        for field in dataclasses.fields(self):
            if "range" in field.metadata:
                self._check_range(field)
        self.check()

    def check(self) -> None:
        """Raise a ConfigError where values do not go together."""

    def require(self, name: str, ok: bool, expected: str) -> None:
        """Raise a ConfigError about one field unless `ok`.

        Args:
            name: The field.
            ok: Whether its value is fine.
            expected: What was expected, for the message.
        """
        if not ok:
            value = getattr(self, name)
            raise ConfigError(
                f"{self.full_key(name)}: expected {expected}, got {value!r}"
            )

    def full_key(self, name: str) -> str:
        """Return `section.name`."""
        return f"{self.key}.{name}" if self.key else name

    def _check_range(self, field: dataclasses.Field) -> None:
        value, range_ = getattr(self, field.name), field.metadata["range"]
        if value is None and field.default is None:
            return
        if isinstance(value, str) and value in range_.renamed:
            raise ConfigError(
                f"{self.full_key(field.name)}: {value!r} is now called "
                f"{range_.renamed[value]!r}"
            )
        self.require(field.name, range_.holds(value), range_.text)


class Described(NamedTuple):
    """One setting, for people.

    Attributes:
        key: Such as `training.epochs`.
        default: Its default value.
        range: The values it may have, in words; empty: any.
        meaning: What it does.
    """

    key: str
    default: Any
    range: str
    meaning: str


def describe(config: Section) -> Iterator[Described]:
    """Yield every setting of a configuration, in order.

    Args:
        config: A configuration or section that holds the defaults to show.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, Section):
            yield from describe(value)
        else:
            yield Described(
                config.full_key(field.name),
                value,
                field.metadata["range"].text,
                field.metadata["meaning"],
            )


def flatten(config: Section) -> dict[str, Any]:
    """Return `{"segmenter.width": 16, ...}`, tuples as strings."""
    return {
        setting.key: ",".join(map(str, value)) if isinstance(value, tuple) else value
        for setting in describe(config)
        for value in [setting.default]
    }


def path_override(key: str, path: str | Path) -> str:
    """Return `KEY=PATH`, quoted where YAML would read it as something else.

    Args:
        key: A setting, such as `data`.
        path: Its value.

    Example:
        >>> path_override("data", "sets/set #2")
        'data="sets/set #2"'
        >>> path_override("data", "sets/two")
        'data=sets/two'
    """
    text = str(path)
    plain = re.fullmatch(r"[A-Za-z./][\w./-]*", text) and yaml.safe_load(text) == text
    return f"{key}={text if plain else json.dumps(text)}"
