"""A report of runs: one page that holds everything it shows."""

from collections.abc import Callable, Iterable, Sequence

import jinja2

from cirs_tf.config.settings import flatten
from cirs_tf.methods.registry import load_config
from cirs_tf.pages.charts import Line, line_chart, line_color, share_chart
from cirs_tf.pages.run_facts import RunFacts

_SCORES = ("mIoU", "thesis mIoU", "pixel accuracy", "ARI", "covering", "Rand")


def report_page(runs: Sequence[RunFacts], split: str, version: str) -> str:
    """Return a report as HTML that loads nothing from elsewhere.

    Args:
        runs: At least one.
        split: That they were evaluated on.
        version: Of this package.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cirs_tf.pages", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scored = [name for name in _SCORES if any(name in _scores_of(run) for run in runs)]
    return environment.get_template("report.html").render(
        runs=runs,
        colors=[line_color(index) for index in range(len(runs))],
        split=split,
        version=version,
        scored=scored,
        scores_of=_scores_of,
        statistics=_statistics(runs, scored),
        curves=_curves(runs),
        share_charts={
            run.name: chart for run in runs if (chart := _share_chart(run)) is not None
        },
        terms=_term_charts(runs[0]) if len(runs) == 1 else {},
        differences=differences(runs),
        minutes=_minutes,
    )


def differences(runs: Sequence[RunFacts]) -> dict[str, list]:
    """Return the settings in which runs differ, by key.

    Args:
        runs: Of one: what differs from the default of its method, [default, value].
            Of several: a value for each; None where a method has no such setting.
    """
    settings = [run.settings for run in runs]
    if len(runs) == 1:
        settings.insert(0, flatten(load_config(runs[0].method)))
    keys = dict.fromkeys(key for each in settings for key in each)
    values = {key: [each.get(key) for each in settings] for key in keys}
    return {key: row for key, row in values.items() if any(v != row[0] for v in row)}


def _scores_of(run: RunFacts) -> dict[str, float]:
    return run.outcome.scores if run.outcome else {}


def _statistics(runs: Sequence[RunFacts], scored: Iterable[str]) -> dict[str, str]:
    """Return mean, minimum and maximum of scores where runs differ by seed alone."""
    if len(runs) < 2 or set(differences(runs)) != {"seed"}:
        return {}
    found = {}
    for name in scored:
        values = [_scores_of(run).get(name) for run in runs]
        if None not in values:
            mean = sum(values) / len(values)
            found[name] = f"{mean:.3f} ({min(values):.3f} to {max(values):.3f})"
    return found


def _line(run: RunFacts, value: Callable[[dict], float | None]) -> Line:
    points = [(row["step"], value(row)) for row in run.metrics]
    return [(step, found) for step, found in points if found is not None]


def _curves(runs: Sequence[RunFacts]) -> dict[str, str]:
    """Return charts by title; the losses of different methods do not share one."""
    charts = {}

    def add(title: str, among: Sequence[RunFacts], key: Callable, dashed=None) -> None:
        lines = {run.name: _line(run, key) for run in runs}
        shown = {run.name for run in among if lines[run.name]}
        if shown:
            below = {run.name: _line(run, dashed) for run in runs} if dashed else None
            charts[title] = line_chart(lines, shown, below)

    def of_validation(name: str) -> Callable[[dict], float | None]:
        return lambda row: row["validation"].get(name)

    add(
        "Validation mIoU (dashed: thesis)",
        runs,
        of_validation("miou"),
        of_validation("miou_thesis"),
    )
    methods = dict.fromkeys(run.method for run in runs)
    for method in methods:
        among = [run for run in runs if run.method == method]
        suffix = f", {method}" if len(methods) > 1 else ""
        add(f"Validation loss{suffix}", among, of_validation("loss"))
        add(f"Training loss{suffix}", among, lambda row: row["train"].get("loss"))
    return charts


def _term_charts(run: RunFacts) -> dict[str, str]:
    """Return the other terms of training, by name."""
    names = dict.fromkeys(name for row in run.metrics for name in row["train"])
    charts = {}
    for name in names:
        line = _line(run, lambda row, name=name: row["train"].get(name))
        if name != "loss" and line:
            charts[name] = line_chart({run.name: line}, {run.name}, size=(2.6, 1.6))
    return charts


def _share_chart(run: RunFacts) -> str | None:
    rows = [row for row in run.metrics if "segment_share" in row["validation"]]
    if not rows:
        return None
    shares = [row["validation"]["segment_share"] for row in rows]
    return share_chart([row["step"] for row in rows], shares)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds else "nothing trained"
