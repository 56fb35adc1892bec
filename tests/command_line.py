"""How tests write command lines."""

from collections.abc import Iterable


def set_flags(overrides: Iterable[str]) -> list[str]:
    """Return `--set KEY=VALUE` for every override."""
    return [flag for override in overrides for flag in ("--set", override)]
