"""What does a training step cost? Time, images per second and memory of every method.

    python benchmarks/step_cost.py [METHOD ...] [--cases 64:4 256:12:8] [--json FILE]
        [--packages DIR DIR] [--against KEY=VALUE ...]

A case is SIDE:K[:BATCH], the batch by default that of the method's configuration. Each
one is a process of its own, which runs the compiled training loop on images of noise:
*trace*, seconds of the first call; then the median over the rounds of a step, with the
least and the largest, and of the processor time that it takes; *memory*, the most that
the process held, less what it held before the first step (Linux), on a GPU the most
that TensorFlow held there. A case that needs more than --limit is stopped.

With several packages, folders that hold other versions of `cirs_tf`, their processes
take turns, round by round, so that other work on the machine troubles both alike; the
last columns are the first one's medians, of time and of processor time, divided by this
one's. Likewise --against: settings, or variables of the environment, that the second of
two processes has (`training.precision=bfloat16`, `TF_ENABLE_ONEDNN_OPTS=0`).
"""

import argparse
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from measuring import ROOT, answer, machine, start_process, write_json

METHODS = ("cirs", "cirs_aligned", "cirs_plus", "wnet", "iic", "air")
_WORDS = 128


def main() -> None:
    """Measure every method in every case and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("methods", nargs="*", default=METHODS, metavar="METHOD")
    parser.add_argument("--cases", nargs="+", default=["64:4"])
    parser.add_argument("--packages", nargs="+", default=[str(ROOT)], metavar="DIR")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--against", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=5, help="of a round")
    parser.add_argument("--limit", type=float, default=12.0, help="memory, GB")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--one", nargs=2, help="internal")
    arguments = parser.parse_args()
    if arguments.one:
        _serve_rounds(*arguments.one, arguments)
        return
    print_header(arguments.threads)
    variants = [
        Variant(Path(package).name, package, arguments.device, arguments.set)
        for package in arguments.packages
    ]
    if arguments.against:
        variants.append(changed(variants[-1], arguments.against))
    rows = []
    for case in arguments.cases:
        for method in arguments.methods:
            rows += compare(method, case, variants, arguments)
    write_json(arguments.json, {"machine": machine(), "rows": rows})


class Variant(NamedTuple):
    """One of those that take turns.

    Attributes:
        name: Its name in the table.
        package: The folder that holds `cirs_tf`.
        device: `cpu` or `gpu`.
        settings: As KEY=VALUE.
        environment: Variables besides those of this process.
    """

    name: str
    package: str
    device: str
    settings: Sequence[str]
    environment: Mapping[str, str] = {}


def changed(variant: Variant, changes: Sequence[str]) -> Variant:
    """Return one with other settings and, of keys without a point, environment."""
    settings = [change for change in changes if "." in change.partition("=")[0]]
    rest = [change.split("=", 1) for change in changes if change not in settings]
    return variant._replace(
        name=" ".join(change.split(".")[-1] for change in changes),
        settings=[*variant.settings, *settings],
        environment=dict(rest),
    )


def print_header(threads: int) -> None:
    """Print the machine and what the columns of `compare` are."""
    print(machine(), f"{threads} threads", sep=", ", flush=True)
    columns = f"{'trace':>8}{'a step':>12}{'least to most':>20}{'processor':>12}"
    print(f"\n{'':34}{columns}{'images/s':>10}{'memory':>11}{'ratios':>14}")


def compare(
    method: str, case: str, variants: Sequence[Variant], arguments: argparse.Namespace
) -> list[dict]:
    """Run the rounds of one case, variants in turns; print and return its rows.

    Args:
        method: Its name.
        case: SIDE:K[:BATCH].
        variants: What takes turns; ratios are of the first one's times.
        arguments: `threads`, `steps`, `rounds`, `limit`.
    """
    processes = [_start(method, case, one, arguments) for one in variants]
    ready = [answer(process) for process in processes]
    rounds: list[list[dict]] = [[] for _ in processes]
    for _ in range(arguments.rounds):
        for process, start, times in zip(processes, ready, rounds, strict=True):
            if "trace" in start:
                times.append(answer(process, "step"))
    rows: list[dict] = []
    for variant, process, start, times in zip(
        variants, processes, ready, rounds, strict=True
    ):
        row = {"method": method, "case": case, "variant": variant.name, **start}
        stopped = [time for time in times if "stopped" in time]
        if stopped:
            row |= stopped[0]
        elif times:
            row |= _medians(times) | answer(process, "end")
            row["images_per_second"] = 1e3 * start["batch"] / row["ms"]
        process.communicate()
        rows.append(row)
        _print(row, rows[0])
    return rows


def _medians(times: list[dict]) -> dict:
    names = ("ms", "cpu_ms")
    found = {name: statistics.median(time[name] for time in times) for name in names}
    return {**found, "rounds": [time["ms"] for time in times]}


def _print(row: dict, first: dict) -> None:
    name = f"{row['method']} {row['case']} {row['variant']}"[:33]
    if "ms" not in row:
        print(f"{name:34}{row['stopped']}", flush=True)
        return
    spread = f"{min(row['rounds']):.1f} to {max(row['rounds']):.1f}"
    ratios = [first[name] / row[name] for name in ("ms", "cpu_ms") if name in first]
    print(
        f"{name:34}{row['trace']:>6.1f} s{row['ms']:>9.1f} ms{spread:>20}"
        f"{row['cpu_ms']:>9.1f} ms{row['images_per_second']:>10.1f}"
        f"{row['memory_mb']:>8.0f} MB" + "".join(f"{x:>7.2f}" for x in ratios),
        flush=True,
    )


def _start(method: str, case: str, variant: Variant, arguments) -> subprocess.Popen:
    options = ["--one", method, case, "--device", variant.device]
    for name in ("threads", "steps", "limit"):
        options += [f"--{name}", str(getattr(arguments, name))]
    options += ["--set", *variant.settings]
    return start_process(__file__, options, variant.package, variant.environment)


def _serve_rounds(method: str, case: str, arguments: argparse.Namespace) -> None:
    """Trace the loop, then run a round for every line of standard input."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)
    on_gpu = arguments.device == "gpu"
    if not on_gpu:
        tf.config.set_visible_devices([], "GPU")
        tf.config.experimental.enable_op_determinism()  # the trainer's default there
    side, segments, *batch = map(int, case.split(":"))
    settings = [f"training.batch_size={size}" for size in batch] + arguments.set
    step, facts, per_cycle = training_steps(method, side, segments, settings)
    before = memory_mb()
    stop_above(before + 1e3 * arguments.limit)
    start = time.perf_counter()
    step(1)
    trace = time.perf_counter() - start
    print(json.dumps({"trace": trace, **facts}), flush=True)
    cycles = max(1, arguments.steps // per_cycle)
    for request in sys.stdin:
        if request == "end\n":
            held = memory_mb("VmHWM") - before
            if on_gpu:
                held = tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e6
            print(json.dumps({"memory_mb": held}), flush=True)
            return
        start, start_cpu = time.perf_counter(), time.process_time()
        step(cycles)
        scale = 1e3 / (cycles * per_cycle)
        spent = {
            "ms": scale * (time.perf_counter() - start),
            "cpu_ms": scale * (time.process_time() - start_cpu),
        }
        print(json.dumps(spent), flush=True)


def training_steps(method: str, side: int, segments: int, settings: Sequence[str]):
    """Return a function that runs cycles, facts, and the steps of a cycle.

    The facts are the size of a batch and the number of trained parameters.
    """
    import tensorflow as tf

    from cirs_tf.training.loop import TrainingLoop
    from cirs_tf.training.phases import StepPlan

    built, images = method_and_images(method, side, segments, settings)
    size = len(images)
    batches = tf.data.Dataset.from_tensors({"image": images}).cache().repeat()
    loop = TrainingLoop(built.phases, tf.distribute.get_strategy(), size)
    iterator = iter(batches)
    counts = tuple(phase.steps for phase in built.phases)

    def run(cycles: int) -> None:
        loop.run(iterator, StepPlan(cycles, counts), 0)

    trained = {id(v): v for phase in built.phases for v in phase.variables}
    parameters = sum(math.prod(variable.shape) for variable in trained.values())
    return run, {"batch": size, "parameters": parameters}, sum(counts)


def method_and_images(method: str, side: int, segments: int, settings: Sequence[str]):
    """Return a method and a mini-batch of noise, `[batch, side, side, 3]` float32."""
    import numpy as np

    from cirs_tf.methods.registry import build_method, load_config

    config = load_config(method, [f"segments={segments}", *settings])
    with _precision(config):
        built = build_method(config, side, side)
    _assign_noise(built)
    shape = (config.training.batch_size, side // 8, side // 8, 3)
    small = np.random.default_rng(0).random(shape)
    return built, np.repeat(np.repeat(small, 8, 1), 8, 2).astype(np.float32)


def _precision(config) -> contextlib.AbstractContextManager:
    """Return the scope that a trainer builds a method in; older versions had none."""
    try:
        from cirs_tf.layers.precision import hidden_precision
    except ImportError:
        return contextlib.nullcontext()
    return hidden_precision(config.training.precision)


def _assign_noise(method) -> None:
    """Give color words and templates other values than their first ones, all alike."""
    import numpy as np

    rng = np.random.default_rng(0)
    if hasattr(method, "templates"):
        side, canvas = method.templates.size, method.templates.canvas
        shape = (method.templates.num_objects, canvas, canvas)
        support = rng.random(shape) < 0.5
        method.templates.layer.assign(
            rng.random((*side, 3)), rng.random((*shape, 3)), support
        )
    words = getattr(getattr(method, "_features", None), "embedding", None)
    if words is not None:
        table = rng.integers(0, _WORDS, (words.levels,) * 3)
        vectors = rng.normal(size=(_WORDS, words.dimensions))
        words.assign(table, vectors, rng.random((_WORDS, 3)))


def memory_mb(name: str = "VmRSS") -> float:
    """Return what this process holds, or with `VmHWM` the most that it held."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1e3


def stop_above(limit_mb: float) -> None:
    """End this process, with a line that says so, when it holds more than this."""

    def watch() -> None:
        while (held := memory_mb()) < limit_mb:
            time.sleep(0.01)
        print(json.dumps({"stopped": f"stopped at {held:.0f} MB"}), flush=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main()
