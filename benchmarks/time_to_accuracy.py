"""How soon does a method reach an mIoU, from the command on?

    python benchmarks/time_to_accuracy.py --data DIR [--models cirs_aligned cirs]
        [--every 25] [--until 400] [--seeds 0-4] [--set KEY=VALUE ...] [--json FILE]

Trains with an installed configuration as the command does, imports and initialization
included, but looks at 300 validation images every few mini-batches. What counts is the
checkpoint that the command would choose by then, without labels. Seconds are those of
the command, less the looking: a look costs what the median epoch takes beside training.
A dash: not reached. Below, when the stages before the first look ended.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import machine, write_json

from cirs_tf.methods.registry import load_config
from cirs_tf.runs.queue import seeds_from
from cirs_tf.training.run_folder import RunFolder

# 0.6407 is the best mIoU of the thesis (Table 2).
GOALS = (0.6407, 0.90, 0.95, 0.98)
COLUMNS = ("pretrained", *map(str, GOALS), "end", "miou")  # seconds, and an mIoU
# A stage has ended when the command prints a line that begins like this.
STAGES = {
    "networks built": r"method ",
    "initialized": r"initialized ",
    "pretrained, S": r"pretraining segmenter:",
    "pretrained, poses": r"pretraining poses:",
    "pretrained, decoder": r"pretraining decoder:",
    "first look": r"epoch 1/",
}


def main() -> None:
    """Train every seed of every method and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument(
        "--models",
        nargs="+",
        default=["cirs_aligned", "cirs"],
        metavar="CONFIG",
        help="files, or names such as thesis/cirs_balanced",
    )
    parser.add_argument("--every", type=int, default=25, help="mini-batches")
    parser.add_argument(
        "--until", type=int, help="mini-batches; default: all of the configuration"
    )
    parser.add_argument("--seeds", type=seeds_from, default="0-4")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", metavar="FILE", help="also write what was measured")
    arguments = parser.parse_args()
    if arguments.until is not None and arguments.until < arguments.every:
        parser.error(f"--until: expected at least --every, {arguments.every}")
    print(machine(), *arguments.set, end="\n\n")
    print(
        f"{'':24}{'pretrained':>11}", *(f"{goal:>8}" for goal in GOALS), f"{'end':>13}"
    )
    found = {}
    for model in arguments.models:
        rows, stages = [], []
        for seed in arguments.seeds:
            with tempfile.TemporaryDirectory() as folder:
                row, ends = row_of(model, seed, Path(folder) / "run", arguments)
            rows.append(row)
            stages.append(ends)
            show(f"{model}, seed {seed}", row)
            show_stages(ends)
        show("median", [statistics.median(c) for c in zip(*rows, strict=True)])
        show_stages({s: statistics.median(e[s] for e in stages) for s in stages[0]})
        found[model] = [
            {
                column: value if value < float("inf") else None
                for column, value in zip(COLUMNS, row, strict=True)
            }
            | {"stages": ends}
            for row, ends in zip(rows, stages, strict=True)
        ]
    write_json(arguments.json, {"machine": machine(), "models": found})


def show(name: str, row: list[float]) -> None:
    """Print a line of seconds; the last figure is an mIoU."""
    *seconds, miou = row
    shown = [f"{s:.0f} s" if s < float("inf") else "-" for s in seconds]
    start, *reached, end = (f"{text:>8}" for text in shown)
    print(f"{name:24}{start:>11}", *reached, f"{end} {miou:.3f}", flush=True)


def show_stages(ends: dict[str, float]) -> None:
    """Print the second at which each stage ended."""
    shown = ", ".join(f"{stage} {second:.0f} s" for stage, second in ends.items())
    print(f"    {shown}", flush=True)


def row_of(
    model: str, seed: int, run: Path, arguments
) -> tuple[list[float], dict[str, float]]:
    """Train.

    Returns:
        Seconds to the first mini-batch, goals and end, and mIoU; and the seconds at
        which stages ended.
    """
    training = load_config(model, arguments.set).training
    until = arguments.until or training.epochs * training.steps_per_epoch
    epochs = until // arguments.every
    command = [sys.executable, "-u", "-m", "cirs_tf.train", "--config", model]
    command += ["--data", arguments.data, "--run", str(run), "--seed", str(seed)]
    command += ["--epochs", str(epochs), "--steps-per-epoch", str(arguments.every)]
    for setting in ("training.validation_images=300", *arguments.set):
        command += ["--set", setting]
    began, ends, stages, last = time.perf_counter(), [], {}, ""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        for line in process.stdout:
            second, last = time.perf_counter() - began, line.rstrip()
            if re.match(r"epoch \d+/", line):
                ends.append(second)
            for stage, beginning in STAGES.items():
                if re.match(beginning, line):
                    stages[stage] = second
    rows = RunFolder(run).read_metrics()
    if process.returncode or len(rows) != len(ends):
        status = f"exit status {process.returncode}"
        sys.exit(f"{' '.join(command)}: {status}: {last}")
    examples = arguments.every * training.batch_size
    trained = [examples / row["images_per_second"] for row in rows]
    looks = [
        end - before - seconds
        for before, end, seconds in zip(ends[:-1], ends[1:], trained[1:], strict=True)
    ]
    look = statistics.median(looks)
    seconds = [end - look * (number + 1) for number, end in enumerate(ends)]
    mious, best = [], float("inf")
    for row in rows:
        if row["validation"]["loss"] < best:
            best, miou = row["validation"]["loss"], row["validation"]["miou"]
        mious.append(miou)
    by_time = list(zip(seconds, mious, strict=True))
    reached = [
        min((second for second, miou in by_time if miou >= goal), default=float("inf"))
        for goal in GOALS
    ]
    return [seconds[0] - trained[0], *reached, seconds[-1], mious[-1]], stages


if __name__ == "__main__":
    main()
