"""Do drawing and reading keep up? Images per second of the way from scenes to batches.

    python benchmarks/data_path.py --data DIR [--workers 1 2 4] [--method cirs]
        [--rounds 5] [--json FILE]

*Drawing*: fruit images of 64 x 64 by that many processes, *drawn* alone and *written*,
with PNGs, records and contact sheet, as `python -m data_gen` does it; starting the
processes is included.

*Reading*: batches of the training images of DIR as the compiled loop takes them, and
nothing done with them, by both ways that `training.cache` names. A *first epoch* opens
the split, its files not in the page cache (Linux), and for `memory` decodes all of it;
a *cached* one is the next. *Training*: what the compiled step of the method consumes,
in a process of step_cost.py that takes turns with the reading and has the same number
of threads. The ratio is that of the same round; we aim at 10.
"""

import argparse
import functools
import itertools
import os
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from measuring import (
    ROOT,
    answer,
    cpus,
    machine,
    ratios,
    spread,
    start_process,
    take_turns,
    write_json,
)

CACHES = ("memory", "records")
EPOCHS = ("first", "cached")
TRAINING = "training"
_AT_ONCE = 128  # images that a worker draws at a time, as data_gen has them drawn


def main() -> None:
    """Measure drawing, then reading beside training, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--images", type=int, default=4000, help="to draw")
    parser.add_argument("--method", default="cirs")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--threads", type=int, default=cpus())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20, help="of training in a round")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(f"{machine()}, {arguments.threads} threads", flush=True)
    import cirs_tf  # noqa: F401, I001  # its import keeps TensorFlow quiet
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)
    drawing = measure_drawing(arguments)
    _print_drawing(drawing, arguments)
    reading = measure_reading(arguments)
    _print_reading(reading)
    content = {"machine": machine(), "arguments": vars(arguments)}
    write_json(arguments.json, content | {"drawing": drawing, "reading": reading})


def measure_drawing(arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Return images per second of every round, by `drawn` or `written` and workers."""
    from data_gen.draw_dataset import Drawing
    from data_gen.options import default_options

    options = default_options(train=arguments.images, val=0, test=0)
    sampler = Drawing.prepare(options).sampler
    measures = {}
    for workers in arguments.workers:
        measures[f"drawn {workers}"] = functools.partial(
            _drawn, sampler, options, workers
        )
        measures[f"written {workers}"] = functools.partial(_written, options, workers)
    return take_turns(measures, arguments.rounds)


def _drawn(sampler, options, workers: int) -> float:
    from cirs_tf.data.image_split import row_slices
    from data_gen.worker_pool import draw_in_order

    slices = row_slices(options.train, _AT_ONCE)
    ranges = [("train", rows.start, rows.stop) for rows in slices]
    began = time.perf_counter()
    with closing(draw_in_order(sampler, options.seed, ranges, workers)) as results:
        for _ in results:
            pass
    return options.train / (time.perf_counter() - began)


def _written(options, workers: int) -> float:
    from data_gen.draw_dataset import draw

    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        draw(options, Path(folder) / "set", workers=workers)
        return options.train / (time.perf_counter() - began)


def _print_drawing(found: dict[str, list[float]], arguments) -> None:
    print(f"\n{arguments.images} images, images/s")
    print(f"{'workers':>7}{'drawn':>28}{'written':>28}")
    for workers in arguments.workers:
        cells = [spread(found[f"{name} {workers}"], 0) for name in ("drawn", "written")]
        print(f"{workers:>7}{cells[0]:>28}{cells[1]:>28}", flush=True)


def measure_reading(arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Return images per second of every round, by cache and epoch, and of training."""
    from cirs_tf.data.manifest import Manifest
    from cirs_tf.methods.registry import load_config

    config = load_config(arguments.method, arguments.set)
    size, side = config.training.batch_size, Manifest.read(arguments.data).height
    options = ["--one", arguments.method, f"{side}:{config.segments}:{size}"]
    options += ["--threads", str(arguments.threads), "--steps", str(arguments.steps)]
    script = ROOT / "benchmarks" / "step_cost.py"
    process = start_process(script, [*options, "--set", *arguments.set])
    if "stopped" in (said := answer(process)):
        sys.exit(f"the training step: {said['stopped']}")
    measures = {
        cache: functools.partial(epochs, arguments.data, cache, size)
        for cache in CACHES
    }
    measures[TRAINING] = lambda: {"step": 1e3 * size / answer(process, "step")["ms"]}
    rounds = take_turns(measures, arguments.rounds)
    process.communicate()
    return {
        f"{name} {part}": [found[part] for found in every]
        for name, every in rounds.items()
        for part in every[0]
    }


def epochs(data: str, cache: str, batch_size: int) -> dict[str, float]:
    """Return images per second of a first epoch and of the next one.

    Args:
        data: Folder of the data set.
        cache: `memory` or `records`.
        batch_size: Images a batch.
    """
    import tensorflow as tf

    from cirs_tf.data.batches import training_dataset
    from cirs_tf.data.splits import open_split
    from cirs_tf.training.strategy import distributed_iterator

    leave_page_cache(Path(data))
    began = time.perf_counter()
    split = open_split(data, "train", False, cache=cache)
    steps = len(split.images) // batch_size
    batches = functools.partial(training_dataset, split, 0)
    iterator = distributed_iterator(
        tf.distribute.get_strategy(), batches, batch_size, 0
    )
    times = [began]
    for _ in EPOCHS:
        _taken()(iterator, tf.constant(steps)).numpy()
        times.append(time.perf_counter())
    durations = [end - start for start, end in itertools.pairwise(times)]
    return {
        epoch: steps * batch_size / seconds
        for epoch, seconds in zip(EPOCHS, durations, strict=True)
    }


@functools.cache
def _taken():
    """Return a compiled function that takes some batches, in the form of the loop."""
    import tensorflow as tf

    @tf.function(autograph=False, reduce_retracing=True)
    def take(iterator, steps: tf.Tensor) -> tf.Tensor:
        def body(done, seen):
            return done + 1, seen + next(iterator)["image"][0, 0, 0, 0]

        start = tf.constant(0), tf.constant(0.0)
        return tf.while_loop(lambda done, _: done < steps, body, start)[1]

    return take


def leave_page_cache(folder: Path) -> None:
    """Let the system forget the contents of files, where it can (Linux).

    Args:
        folder: Of the files, which have been written long ago.
    """
    if not hasattr(os, "posix_fadvise"):
        return
    for path in folder.glob("*.tfrecord"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _print_reading(found: dict[str, list[float]]) -> None:
    print(f"\n{'':16}{'images/s':>32}{'of training':>26}")
    training = found[f"{TRAINING} step"]
    for name, rates in found.items():
        of_training = spread(ratios(rates, training))
        print(f"{name:16}{spread(rates, 0):>32}{of_training:>26}")


if __name__ == "__main__":
    main()
