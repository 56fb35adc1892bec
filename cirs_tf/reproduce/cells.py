"""Cells and tables in Markdown."""

from collections.abc import Iterable, Sequence


def cell(stat: dict) -> str:
    """Return mean (minimum to maximum) of a statistic over seeds."""
    if len(stat["values"]) == 1:
        return f"{stat['mean']:.3f}"
    return f"{stat['mean']:.3f} ({stat['min']:.3f} to {stat['max']:.3f})"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; a bar in a cell would end it, even in code."""
    lines = [header, ["---"] * len(header), *rows]
    lines = [[text.replace("|", "\\|") for text in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
