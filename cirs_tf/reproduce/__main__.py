"""Tables and figures of the thesis: `python -m cirs_tf.reproduce all --budget cpu`."""

import argparse
from pathlib import Path

import tensorflow as tf

from cirs_tf.errors import ConfigError, DataError, command
from cirs_tf.reproduce.collect import collect
from cirs_tf.reproduce.data_sets import DRAWN, GIVEN, check_given, drawn_sets
from cirs_tf.reproduce.figures import draw_figures
from cirs_tf.reproduce.plan import BUDGETS, planned_runs, systems_of
from cirs_tf.reproduce.systems import SYSTEMS, TARGETS
from cirs_tf.reproduce.tables import markdown
from cirs_tf.runs.evaluation import write_json
from cirs_tf.runs.queue import seeds_from, state_of, train_missing


@command
def main(argv: list[str] | None = None) -> int:
    """Parse the command line, train what is missing, write tables and figures."""
    arguments = _parser().parse_args(argv)
    # Each run compiles networks of its own, which TensorFlow takes for a mistake.
    tf.get_logger().setLevel("ERROR")
    targets = _targets(arguments.targets)
    seeds = seeds_from(arguments.seeds)
    out = Path(arguments.out)
    given = {name: getattr(arguments, name) for name in GIVEN}
    data = {name: check_given(name, path) for name, path in given.items() if path}
    targets, left_out = _possible(targets, data, named="all" not in arguments.targets)
    # Figures of the thesis show the fruit set, whatever was trained.
    needed = {"fruit"} | {SYSTEMS[name].data for name in systems_of(targets)}
    names = [name for name in DRAWN if name in needed]
    data |= drawn_sets(out, arguments.budget, names)
    runs = planned_runs(targets, arguments.budget, seeds, out, data)
    print(f"budget {arguments.budget}: {BUDGETS[arguments.budget].meaning}")
    for line in left_out:
        print(f"left out: {line}")
    states = [state_of(run) for run in runs]
    for run, state in zip(runs, states, strict=True):
        print(f"{state.value:12}{run.folder}")
    if arguments.plan:
        return 0
    if status := train_missing(runs):
        print(f"stopped; the same command goes on: {len(runs)} runs in {out}")
        return status
    # Training and prediction are the same on every machine of one kind.
    tf.config.experimental.enable_op_determinism()
    results = collect(targets, arguments.budget, seeds, runs, data)
    results["left_out"] = left_out
    pictures = draw_figures(targets, runs, data, out / "figures")
    write_json(out / "results.json", results)
    file = out / "RESULTS.md"
    _write(file, markdown(results, targets, left_out, pictures))
    print(f"\ntables    {file}\nnumbers   {out / 'results.json'}")
    if pictures:
        print(f"pictures  {out / 'figures'}")
    return 0


def _targets(names: list[str]) -> list[str]:
    """Return targets in the order of the thesis; `all` stands for each."""
    for name in names:
        if name not in (*TARGETS, "all"):
            expected = ", ".join((*TARGETS, "all"))
            raise ConfigError(f"{name}: unknown; expected {expected}")
    return [name for name in TARGETS if name in names or "all" in names]


def _possible(
    targets: list[str], data: dict[str, Path], named: bool
) -> tuple[list[str], list[str]]:
    """Leave out what needs a data set that was not given.

    Raises:
        ConfigError: It was asked for by name.
    """
    possible, left_out = [], []
    for target in targets:
        needed = {SYSTEMS[name].data for name in TARGETS[target]} & GIVEN.keys()
        needed |= {"bsds_whole"} if target == "bsds" else set()
        missing = sorted(needed - data.keys())
        if not missing:
            possible.append(target)
            continue
        flags = " and ".join("--" + name.replace("_", "-") for name in missing)
        line = f"{target} needs {flags}, made with {GIVEN[missing[0]]}"
        if named:
            raise ConfigError(line)
        left_out.append(line)
    return possible, left_out


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_text(text)
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cirs_tf.reproduce",
        description="Train what is missing (finished runs are reused, interrupted ones "
        "resumed), then write RESULTS.md, results.json and figures.",
        epilog="Budgets: "
        + "; ".join(f"{name}: {budget.meaning}" for name, budget in BUDGETS.items()),
    )
    add = parser.add_argument
    add("targets", nargs="+", metavar="TARGET", help=f"{', '.join(TARGETS)}, or all")
    add("--budget", choices=BUDGETS, default="cpu", help="default: cpu")
    add(
        "--seeds",
        default="0,1,2,3,4",
        metavar="S,...",
        help="or 0-4, the default; most systems use the first three of them, or one",
    )
    add("--out", required=True, metavar="DIR", help="folder of data, runs and results")
    add("--plan", action="store_true", help="show the runs and stop")
    for name, how in GIVEN.items():
        add("--" + name.replace("_", "-"), metavar="DIR", help=f"made with: {how}")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
