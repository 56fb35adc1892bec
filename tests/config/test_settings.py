"""Fields with a range and a meaning, and the one check of every section."""

import dataclasses
import math
from typing import ClassVar

import pytest

from cirs_tf.config import settings
from cirs_tf.config.files import resolve
from cirs_tf.config.sections import Config
from cirs_tf.config.settings import (
    Described,
    Section,
    describe,
    flatten,
    one_of,
    path_override,
    section,
    setting,
)
from cirs_tf.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class Inner(Section):
    key: ClassVar[str] = "inner"

    width: int = setting(4, settings.at_least(1), "Width in pixels.")
    kinds: tuple[int, ...] = setting((1, 2), settings.WIDTHS, "Widths.")
    limit: int | None = setting(None, settings.at_least(2), "Limit; null: none.")


@dataclasses.dataclass(frozen=True)
class Outer(Section):
    name: str = setting("a", one_of("a", "b", renamed={"c": "b"}), "A letter.")
    inner: Inner = section(Inner, width=5)

    def check(self) -> None:
        self.require("name", self.name == "a" or self.inner.width > 1, "a for width 1")


@pytest.mark.parametrize(
    ("range_", "inside", "outside"),
    [
        (settings.at_least(2), (2, 3), (1, -5)),
        (settings.between(1, 6), (1, 6), (0, 7)),
        (settings.WEIGHT, (0, 1e9), (-1e-9, math.inf, math.nan)),
        (settings.POSITIVE, (1e-9, 3), (0, -1, math.inf, math.nan)),
        (settings.SHARE, (1e-9, 0.999), (0, 1, math.nan)),
        (settings.RATE, (0, 0.999), (1, -0.1, math.nan)),
        (settings.WIDTHS, ((), (1, 8)), ((0,), (8, 0))),
        (one_of("a", "b"), ("a", "b"), ("c", "")),
    ],
)
def test_ranges_hold_at_their_edges(range_, inside, outside):
    assert all(range_.holds(value) for value in inside)
    assert not any(range_.holds(value) for value in outside)


def test_a_value_out_of_range_names_key_range_and_value():
    with pytest.raises(ConfigError) as caught:
        Inner(width=0)
    assert str(caught.value) == "inner.width: expected at least 1, got 0"


def test_none_is_fine_only_where_it_is_the_default():
    assert Inner(limit=None).limit is None
    with pytest.raises(ConfigError, match="inner.limit: expected at least 2, got 1"):
        Inner(limit=1)


def test_an_old_word_says_its_new_name():
    with pytest.raises(ConfigError, match="name: 'c' is now called 'b'"):
        Outer(name="c")


def test_values_that_do_not_go_together_are_refused():
    assert Outer(name="b").inner.width == 5
    with pytest.raises(ConfigError, match="name: expected a for width 1, got 'b'"):
        Outer(name="b", inner=Inner(width=1))


def test_settings_are_described_in_order():
    assert list(describe(Outer())) == [
        Described("name", "a", "one of a, b", "A letter."),
        Described("inner.width", 5, "at least 1", "Width in pixels."),
        Described("inner.kinds", (1, 2), "widths of at least 1", "Widths."),
        Described("inner.limit", None, "at least 2", "Limit; null: none."),
    ]


def test_flat_form_has_tuples_as_text():
    assert flatten(Outer()) == {
        "name": "a",
        "inner.width": 5,
        "inner.kinds": "1,2",
        "inner.limit": None,
    }


@pytest.mark.parametrize(
    "path",
    ["data/a-b_1.2", "set #2", "007", "1_000", "12:30", "null", "yes", "a: b", "~/d"]
    + [".5", "[a", "it's", 'a "b"', "tab\there", "ü", "C:\\data"],
)
def test_a_path_is_taken_as_it_is(path):
    override = path_override("data", path)
    assert resolve(Config(), overrides=[override]).data == path
