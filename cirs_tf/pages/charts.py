"""Charts of a report, as SVG that stands inside the page."""

import io
import re
from collections.abc import Collection, Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from cirs_tf.visualization import palette

# Points of a line: mini-batches and value.
Line = Sequence[tuple[int, float]]
_LINE_COLORS = matplotlib.color_sequences["tab10"]


def line_color(index: int) -> str:
    """Return the color of a line as `#rrggbb`; after ten they begin again.

    Args:
        index: Of the line, from 0.
    """
    return to_hex(_LINE_COLORS[index % len(_LINE_COLORS)])


def line_chart(
    lines: Mapping[str, Line],
    shown: Collection[str],
    dashed: Mapping[str, Line] | None = None,
    size: tuple[float, float] = (4.6, 2.4),
) -> str:
    """Draw values over mini-batches, a line for each name.

    Args:
        lines: By name, in the order of their colors. A line of one point is a dot.
        shown: Names of those that are drawn; each has at least one point.
        dashed: Dashed lines of the same names and colors.
        size: Width and height in inches.

    Returns:
        An `<svg>` element.
    """
    figure, axes = _axes(*size)
    for index, (name, line) in enumerate(lines.items()):
        if name not in shown:
            continue
        for points, style in ((line, "-"), ((dashed or {}).get(name, ()), "--")):
            if points:
                steps, values = zip(*points, strict=True)
                marker = "o" if len(points) == 1 else ""
                color = line_color(index)
                axes.plot(steps, values, style, color=color, marker=marker, lw=1.3)
    return _svg(figure)


def share_chart(steps: Sequence[int], shares: Sequence[Sequence[float]]) -> str:
    """Draw the share of pixels in each segment over mini-batches, stacked.

    Args:
        steps: Of the measurements, at least one.
        shares: For each of them `[K]`, in [0, 1], sum 1.

    Returns:
        An `<svg>` element; segment k has color k of the palette, 0 is lowest.
    """
    figure, axes = _axes(4.6, 1.8)
    by_segment = list(zip(*shares, strict=True))
    colors = palette(len(by_segment)) / 255
    if len(steps) == 1:  # an area of one point has no width
        steps, by_segment = (0, 1), [[share[0]] * 2 for share in by_segment]
        axes.set_xticks([])
        axes.set_xlabel("")
    axes.stackplot(steps, *by_segment, colors=colors)
    axes.set_ylim(0, 1)
    axes.set_xlim(steps[0], steps[-1])
    return _svg(figure)


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7)
    axes.set_xlabel("mini-batches", fontsize=7)
    return figure, axes


def _svg(figure: Figure) -> str:
    """Return the figure's element, equal for equal figures."""
    buffer = io.StringIO()
    # No date, and names inside that do not change from call to call.
    with matplotlib.rc_context({"svg.hashsalt": "cirs_tf", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return re.search(r"<svg.*</svg>", buffer.getvalue(), re.DOTALL).group()
