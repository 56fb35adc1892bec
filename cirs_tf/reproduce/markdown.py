"""Cells and tables in Markdown."""

from collections.abc import Iterable, Sequence


def cell(statistics: dict) -> str:
    """Return mean (minimum to maximum) over seeds, or the value of a single seed.

    Args:
        statistics: As `seed_statistics` returns them.

    Example:
        >>> cell({"mean": 0.5, "min": 0.25, "max": 0.75, "values": [0.25, 0.75]})
        '0.500 (0.250 to 0.750)'
    """
    if len(statistics["values"]) == 1:
        return f"{statistics['mean']:.3f}"
    return (
        f"{statistics['mean']:.3f} ({statistics['min']:.3f} to {statistics['max']:.3f})"
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Return a Markdown table; a bar in a cell would end it, even in code.

    Args:
        header: Names of the columns.
        rows: Cells, as many as there are columns.

    Example:
        >>> print(table(["", "cut"], [["best", "`11|22`"]]), end="")
        |  | cut |
        | --- | --- |
        | best | `11\|22` |
    """
    lines = [header, ["---"] * len(header), *rows]
    lines = [[text.replace("|", "\\|") for text in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
