"""The one-dimensional proof: `python -m cirs_tf.oned 112200 011220 001122`."""

import argparse
from collections.abc import Sequence
from itertools import groupby

from cirs_tf.errors import ConfigError, command
from cirs_tf.oned.color import rank_by_color
from cirs_tf.oned.cross_instance import rank_by_cross_instance
from cirs_tf.oned.frequency import Step, find_objects
from cirs_tf.oned.images import check_images
from cirs_tf.oned.segmentations import format_locations, format_patterns

_PRINTED = 4  # the best and three runners-up


@command
def main(argv: list[str] | None = None, prog: str = "python -m cirs_tf.oned") -> int:
    """Parse the command line, print both objectives and the procedure."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Segment strings of digits, where 0 is background, by the color "
        "objective (thesis 4.1), by the cross-instance objective (4.2), and by the "
        "pattern-frequency procedure (12.1).",
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="such as 011220")
    parser.add_argument(
        "--objects",
        type=int,
        metavar="N",
        help="stop the procedure after N objects (default: when all is background)",
    )
    arguments = parser.parse_args(argv)
    if arguments.objects is not None and arguments.objects < 1:
        raise ConfigError(f"--objects: expected 1 or more, got {arguments.objects}")
    images = check_images(arguments.images)

    print(_color_table(images, "4.1, segments of one color", zero_variance=True))
    print(_color_table(images, "the formula alone", zero_variance=False))
    print(_cross_table(images, "4.2, matched segments equal", zero_variance=True))
    print(_cross_table(images, "the formula alone", zero_variance=False))
    steps = find_objects(images, arguments.objects)
    for index, step in enumerate(steps, start=1):
        print(_step_text(step, index))
    print(f"objects: {' '.join(step.pattern for step in steps) or 'none'}")
    missing = (arguments.objects or 0) - len(steps)
    if missing > 0:
        print(f"nothing but background is left for {missing} more")


def _color_table(images: Sequence[str], name: str, zero_variance: bool) -> str:
    """Return a line for every image: its best segmentation and the runners-up."""
    rankings = [rank_by_color(image, zero_variance) for image in images]
    total = float(sum(ranking[0][0] for ranking in rankings))
    tied = sum(len(r) > 1 and r[0][0] == r[1][0] for r in rankings)
    ties = f", tied in {tied} of {len(images)} images" if tied else ""
    rows = [("image", "best", "objective", *["runner-up", ""] * (_PRINTED - 1))]
    for image, ranking in zip(images, rankings, strict=True):
        cells = [
            cell
            for objective, segmentation in ranking[:_PRINTED]
            for cell in (
                format_patterns(image, segmentation),
                f"{float(objective):.3f}",
            )
        ]
        rows.append((image, *cells))
    return f"color objective ({name}): {total:.3f}{ties}\n{_format_table(rows)}\n"


def _cross_table(images: Sequence[str], name: str, zero_variance: bool) -> str:
    """Return a line for every segmentation; below the best, where its segments lie."""
    ranked = rank_by_cross_instance(images, zero_variance, count=_PRINTED)
    title = f"cross-instance objective ({name})"
    if not ranked:
        same = "equal segments" if zero_variance else "segments of equal sizes"
        return f"{title}: none, no segmentation gives every image {same}\n"
    tied = len(ranked) > 1 and ranked[0][0] == ranked[1][0]
    rows = [("objective", *images)]
    for objective, matched in ranked:
        patterns = map(format_patterns, images, matched)
        rows.append((f"{float(objective):.3f}", *patterns))
    rows.insert(2, ("  at pixels", *map(format_locations, ranked[0][1])))
    best = f"{float(ranked[0][0]):.3f}{', tied' if tied else ''}"
    return f"{title}: {best}\n{_format_table(rows)}\n"


def _step_text(step: Step, index: int) -> str:
    """Return the counts of one round of the procedure and what it selects."""
    lines = [f"pattern frequency (12.1), object {index} in {' '.join(step.images)}"]
    for size, patterns in groupby(step.counts, key=len):
        frequent_first = sorted(patterns, key=lambda p: -step.counts[p])
        counts = (f"{pattern}:{step.counts[pattern]}" for pattern in frequent_first)
        lines.append(f"  size {size:<3} {'  '.join(counts)}")
    where = f"in {step.counts[step.pattern]} of {len(step.images)} images"
    ties = f" (before {', '.join(step.ties)} by appearance)" if step.ties else ""
    lines.append(f"  selected {step.pattern}, {where}{ties}")
    lines.append(f"  left     {' '.join(step.remaining)}")
    return "\n".join(lines) + "\n"


def _format_table(rows: Sequence[Sequence[str]]) -> str:
    """Return the rows as lines, every column as wide as its widest cell."""
    num_columns = max(map(len, rows))
    full_rows = [[*row, *[""] * (num_columns - len(row))] for row in rows]
    widths = [max(map(len, column)) for column in zip(*full_rows, strict=True)]
    return "\n".join(
        "  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in full_rows
    )


if __name__ == "__main__":
    raise SystemExit(main())
