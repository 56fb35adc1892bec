"""What does a set that does not fit in memory cost? Speed and memory of training.

    python benchmarks/streaming.py --data DIR [--repeats N] [--budget-share F]
        [--turns N] [--epochs N] [--steps-per-epoch N]

A set of N times the training records of DIR is written to a temporary folder, and
trained with every decoded image in memory, and streamed with a budget of 1 / F of its
decoded size.

Before every turn and epoch the files are taken out of the system's cache (Linux), so
that they are read from the disk again.

Speed: in one process the two kinds take turns, some mini-batches each, so that what
else runs on the machine disturbs both alike. The first ones of a turn are not timed:
until they are done, what is read ahead for the other kind has come to rest. Memory: of
a process of its own for each kind, when the first step is about to run, after every
epoch, and the most of all samples, one a second.
"""

import argparse
import dataclasses
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from measuring import machine, write_json

KINDS = ("memory", "records")
CONFIG = "thesis/cirs_balanced"
_UNTIMED = 8  # mini-batches at the start of a turn; more than are made ahead
_TIMED = 12


def main() -> None:
    """Measure speed, then memory, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--repeats", type=int, default=14, metavar="N")
    parser.add_argument("--budget-share", type=int, default=20, metavar="F")
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument(
        "--steps-per-epoch", type=int, default=10, help="where memory is measured"
    )
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--json", metavar="FILE", help="where the numbers go, too")
    parser.add_argument("--one", choices=("speed", *KINDS), help=argparse.SUPPRESS)
    parser.add_argument("--cache-mb", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        measure = _speed if arguments.one == "speed" else _memory_of
        print(json.dumps(measure(arguments)))
        return
    with tempfile.TemporaryDirectory() as folder:
        decoded = _enlarge(Path(arguments.data), Path(folder), arguments.repeats)
        budget = int(decoded / arguments.budget_share)
        measured = functools.partial(_in_own_process, arguments, folder, budget)
        found = {name: measured(name) for name in ("speed", *KINDS)}
    settings = " ".join([CONFIG, *arguments.settings])
    print(machine())
    print(f"{decoded:,.0f} MB decoded, budget {budget:,} MB, {settings}\n")
    _print_table(found)
    about = {"machine": machine(), "settings": settings}
    about |= {"decoded_mb": decoded, "budget_mb": budget}
    write_json(arguments.json, about | found)


def _in_own_process(arguments, folder: str, budget: int, name: str) -> dict:
    """Return what this file measures with `--one`."""
    command = [sys.executable, __file__, "--data", folder, "--one", name]
    command += ["--cache-mb", str(10**6 if name == "memory" else budget)]
    command += ["--turns", str(arguments.turns), "--epochs", str(arguments.epochs)]
    command += ["--steps-per-epoch", str(arguments.steps_per_epoch)]
    for setting in arguments.settings:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def _print_table(found: dict) -> None:
    speeds = found["speed"]
    print(f"{'':10}{'images/s':>10}{'lowest':>9}{'highest':>9}", end="")
    print(f"{'before':>11}{'epoch 2':>11}{'last':>11}{'peak':>11}")
    for kind in KINDS:
        turns, memory = speeds[kind], found[kind]
        shown = (memory["before"], memory["epochs"][1], memory["epochs"][-1])
        columns = "".join(f"{value:8,.0f} MB" for value in (*shown, memory["peak"]))
        print(
            f"{kind:10}{statistics.median(turns):>10.1f}{min(turns):>9.1f}"
            f"{max(turns):>9.1f}{columns}"
        )
    pairs = zip(*(speeds[kind] for kind in KINDS), strict=True)
    ratios = [streamed / in_memory for in_memory, streamed in pairs]
    print(
        f"\nstreamed / in memory: {statistics.median(ratios):.2f} of the speed, "
        f"median of {len(ratios)} pairs of turns ({min(ratios):.2f} to "
        f"{max(ratios):.2f})"
    )


def _enlarge(data: Path, out: Path, repeats: int) -> float:
    """Write a set with the training records of another, repeated; return its MB."""
    import tensorflow as tf

    from cirs_tf.data.manifest import Manifest, Split, describe_file

    manifest = Manifest.read(data)
    files = [str(data / shard.file) for shard in manifest.split("train").shards]
    records = list(tf.data.TFRecordDataset(files).as_numpy_iterator())
    shards = []
    for number in range(repeats):
        path = out / f"train-{number:05d}-of-{repeats:05d}.tfrecord"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(record)
        shards.append(describe_file(path, len(records)))
    for shard in manifest.split("val").shards:
        (out / shard.file).symlink_to((data / shard.file).resolve())
    splits = {"train": Split(tuple(shards), False), "val": manifest.split("val")}
    dataclasses.replace(manifest, splits=splits).write(out)
    return len(records) * repeats * manifest.height * manifest.width * 3 / 1e6


def _config(arguments, *settings: str):
    from cirs_tf.methods.registry import load_config

    shared = [f"data={arguments.data}", "training.strategy=single"]
    return load_config(CONFIG, [*shared, *arguments.settings, *settings])


def _speed(arguments) -> dict[str, list[float]]:
    """Return images per second of every turn, by kind."""
    import tensorflow as tf

    from cirs_tf.data.batches import training_dataset
    from cirs_tf.data.splits import open_split
    from cirs_tf.methods.registry import build_method
    from cirs_tf.training.loop import TrainingLoop
    from cirs_tf.training.phases import plan_steps
    from cirs_tf.training.strategy import distributed_iterator

    config = _config(arguments)
    size = config.training.batch_size
    strategy = tf.distribute.get_strategy()
    iterators = {}
    for kind in KINDS:
        split = open_split(arguments.data, "train", False, cache=kind)
        batches = functools.partial(training_dataset, split, config.seed)
        iterators[kind] = distributed_iterator(strategy, batches, size, 0)
    method = build_method(config, *split.images.shape[1:3])
    loop = TrainingLoop(method.phases, strategy, size)
    cycle = [phase.steps for phase in method.phases]
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for turn in range(arguments.turns + 1):
        for kind in KINDS if turn % 2 else KINDS[::-1]:
            _drop_from_cache(arguments.data)
            loop.run(iterators[kind], plan_steps(cycle, 0, _UNTIMED), 0)
            began = time.perf_counter()
            loop.run(iterators[kind], plan_steps(cycle, 0, _TIMED), 0)
            found[kind].append(_TIMED * size / (time.perf_counter() - began))
    return {kind: speeds[1:] for kind, speeds in found.items()}  # it was compiled


def _memory_of(arguments) -> dict:
    """Train as the command does; return memory in MB."""
    from cirs_tf.runs.session import train
    from cirs_tf.training.trainer import Trainer

    config = _config(
        arguments,
        f"training.cache_mb={arguments.cache_mb}",
        f"training.epochs={arguments.epochs}",
        f"training.steps_per_epoch={arguments.steps_per_epoch}",
        "training.validation_images=40",
    )
    samples, epochs, before = [], [], []
    done = threading.Event()

    def sample() -> None:
        while not done.wait(1):
            samples.append(_memory())

    fit, end_epoch = Trainer.fit, Trainer._end_epoch

    def watched_fit(self, stop):
        before.append(_memory())
        return fit(self, stop)

    def watched_end(self, *values):
        end_epoch(self, *values)
        epochs.append(_memory())
        _drop_from_cache(arguments.data)

    Trainer.fit, Trainer._end_epoch = watched_fit, watched_end
    _drop_from_cache(arguments.data)
    threading.Thread(target=sample, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        train(config, folder)
    done.set()
    return {
        "before": before[0],
        "epochs": epochs,
        "peak": max(samples),
        "every_second": samples,
    }


def _drop_from_cache(folder: str) -> None:
    """Let the system forget the files of a set that it has read."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in Path(folder).glob("*.tfrecord"):
        with path.open("rb") as file:
            os.fsync(file.fileno())  # what is not written yet would stay
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _memory() -> float:
    """Return the memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
