"""Tables and figures of the thesis: `python -m cirs_tf.reproduce all --budget cpu`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cirs_tf.atomic_write import write_text_atomically
from cirs_tf.errors import ConfigError, DataError, command
from cirs_tf.reproduce.experiments import Experiments
from cirs_tf.reproduce.experiments_file import load_experiments
from cirs_tf.reproduce.targets import data_flag, ordered_targets, possible_targets

if TYPE_CHECKING:
    from cirs_tf.reproduce.plan import Plan


@command
def main(
    argv: list[str] | None = None, prog: str = "python -m cirs_tf.reproduce"
) -> int:
    """Parse the command line, train what is missing, write tables and figures.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    experiments = load_experiments()
    arguments = _parser(prog, experiments).parse_args(argv)
    targets = ordered_targets(experiments, arguments.targets)
    given = {name: getattr(arguments, name) for name in experiments.given}
    names = [name for name, folder in given.items() if folder]
    targets, left_out = possible_targets(experiments, targets, names)
    if left_out and "all" not in arguments.targets:
        raise ConfigError(left_out[0])
    # Late, so that help and slips of the finger do not wait for TensorFlow.
    import tensorflow as tf

    from cirs_tf.reproduce.data_sets import check_given, draw_sets
    from cirs_tf.reproduce.plan import make_plan
    from cirs_tf.runs.queue import seeds_from, state_of, train_missing
    from cirs_tf.training.strategy import set_determinism

    # Each run compiles networks of its own, which TensorFlow takes for a mistake.
    tf.get_logger().setLevel("ERROR")
    out, budget = Path(arguments.out), arguments.budget
    seeds = seeds_from(arguments.seeds)
    data = check_given(experiments, given)
    needed = set().union(*map(experiments.data_sets_of, targets))
    data |= draw_sets(experiments, budget, needed, out)
    plan = make_plan(experiments, targets, budget, seeds, out, data)
    print(f"budget {budget}: {plan.budget.meaning}")
    for line in left_out:
        print(f"left out: {line}")
    states = [state_of(run) for run in plan.runs]
    for run, state in zip(plan.runs, states, strict=True):
        print(f"{state.value:12}{run.folder}")
    if arguments.plan:
        return 0
    if (stopped_by := train_missing(plan.runs)) is not None:
        print(f"stopped; the same command goes on: {len(plan.runs)} runs in {out}")
        return 128 + stopped_by
    set_determinism(None)  # of predictions, where no run was trained
    _write_results(plan, left_out, out)
    return 0


def _write_results(plan: "Plan", left_out: list[str], out: Path) -> None:
    """Write results.json, the figures and RESULTS.md, and say where they are."""
    from cirs_tf.reproduce.collect import collect_scores
    from cirs_tf.reproduce.earlier_results import with_earlier
    from cirs_tf.reproduce.figures import draw_figures
    from cirs_tf.reproduce.results_page import results_page
    from cirs_tf.runs.evaluation import write_json

    results = collect_scores(plan)
    results |= {"left_out": left_out, "figures": draw_figures(plan, out / "figures")}
    results = with_earlier(out / "results.json", results, plan.experiments)
    write_json(out / "results.json", results)
    page = out / "RESULTS.md"
    try:
        write_text_atomically(page, results_page(plan.experiments, results))
    except OSError as error:
        raise DataError(f"{page}: cannot be written: {error.strerror}") from None
    print(f"\ntables    {page}\nnumbers   {out / 'results.json'}")
    if results["figures"]:
        print(f"pictures  {out / 'figures'}")


def _parser(prog: str, experiments: Experiments) -> argparse.ArgumentParser:
    budgets, targets = experiments.budgets, ", ".join(experiments.targets)
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Train what is missing (finished runs are reused, interrupted ones "
        "resumed), then write RESULTS.md, results.json and figures. What other targets "
        "and seeds have put there at the same budget stays.",
        epilog="Budgets: "
        + "; ".join(f"{name}: {budget.meaning}" for name, budget in budgets.items()),
    )
    add = parser.add_argument
    add("targets", nargs="+", metavar="TARGET", help=f"{targets}, or all")
    add("--budget", choices=budgets, default="cpu", help="default: cpu")
    add(
        "--seeds",
        default="0,1,2,3,4",
        metavar="S,...",
        help="or 0-4, the default; some systems use the first three of them, or one",
    )
    add("--out", required=True, metavar="DIR", help="folder of data, runs and results")
    add("--plan", action="store_true", help="show the runs and stop")
    for name, how in experiments.given.items():
        add(data_flag(name), metavar="DIR", help=f"made with: {how}")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
