"""What does an evaluation cost? Its parts from records to scores, and matching alone.

    python benchmarks/evaluation.py RUN [--data DIR] [--split test] [--classes 4 27 182]
        [--rounds 5] [--json FILE]

*One checkpoint* reads, segments and scores the split with one checkpoint; *command* is
`python -m cirs_tf.evaluate`, which does so with every checkpoint of the run that has a
step of its own, scores one segment everywhere, and writes a picture. They take turns,
in this process; imports are not counted. Parts, without what they call of other parts:
*load*, segmenters are built and restored; *read*, records to images; *trace*, the first
batch; *segment*, the others; *count*, confusion matrices; *match*, segments to classes,
of the split and of each image; *score*, all measures from that.

Matching alone: a square confusion matrix (*one match*), the matrices of as many images
of noise with as many classes (*count*), blocks of 8 x 8 pixels, of which the segments
get four in five right, and everything from labels to *all scores*. *Memory*: the most
that this allocates.
"""

import argparse
import contextlib
import functools
import importlib
import io
import itertools
import json
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
from measuring import machine, ratios, spread, take_turns, write_json

# What is timed, as it is looked up where it is called.
TIMED = {
    "load": (
        ("cirs_tf.runs.evaluation", "load_segmenter"),
        ("cirs_tf.training.checkpoints", "CheckpointStore.restore"),
    ),
    "read": (
        ("cirs_tf.runs.open_split", "open_split"),
        ("cirs_tf.data.streamed_split", "RecordArray.__getitem__"),
    ),
    "segment": (("cirs_tf.training.validation", "Predictor.__call__"),),
    "count": (("cirs_tf.metrics.segmentation", "confusion_matrices"),),
    "match": (("cirs_tf.metrics.segmentation", "match_segments"),),
    "score": (
        ("cirs_tf.runs.evaluation", "SegmentationMetric.update_state"),
        ("cirs_tf.runs.evaluation", "SegmentationMetric.result"),
    ),
}
PARTS = ("load", "read", "trace", "segment", "count", "match", "score", "rest")
_SIDE, _BLOCK = 64, 8  # pixels
_AT_ONCE = 20  # images that are counted at a time, as many as in a batch


def main() -> None:
    """Measure the evaluation, then matching, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--data", metavar="DIR", help="another one than the run's")
    parser.add_argument("--split", default="test")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--classes", nargs="*", type=int, default=[4, 27, 182])
    parser.add_argument("--images", type=int, default=1500, help="of noise")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(machine("scipy"), flush=True)
    whole = take_turns(
        {
            "one checkpoint": functools.partial(_parts, _one_checkpoint, arguments),
            "command": functools.partial(_parts, _command, arguments),
        },
        arguments.rounds,
    )
    _print_whole(whole, arguments)
    matching = measure_matching(arguments)
    if matching:
        _print_matching(matching, arguments.images)
    content = {"machine": machine("scipy"), "arguments": vars(arguments)}
    write_json(arguments.json, content | {"whole": whole, "matching": matching})


class PartTimes:
    """Seconds that parts of a program take, without parts that run within them."""

    def __init__(self):
        self.seconds: Counter = Counter()
        self._within: list[float] = []  # of each open part, seconds of others in it

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time of a block."""
        began = time.perf_counter()
        self._within.append(0.0)
        try:
            yield
        finally:
            passed = time.perf_counter() - began
            self.seconds[name] += passed - self._within.pop()
            if self._within:
                self._within[-1] += passed

    def timed(self, name: str, function: Callable) -> Callable:
        """Return a function that counts its time; that of segmenting by its calls."""
        seen = set()

        def wrapper(*args, **keywords):
            called = name
            if name == "segment" and args[0] not in seen:
                seen.add(args[0])  # a predictor traces in its first call
                called = "trace"
            with self.part(called):
                return function(*args, **keywords)

        return wrapper


def _parts(evaluate: Callable[[argparse.Namespace], int], arguments) -> dict:
    """Return the images that an evaluation segments, and seconds of its parts."""
    times = PartTimes()
    with contextlib.ExitStack() as patches:
        for name, places in TIMED.items():
            for module, path in places:
                owner = importlib.import_module(module)
                *owners, attribute = path.split(".")
                for part in owners:
                    owner = getattr(owner, part)
                timed = times.timed(name, getattr(owner, attribute))
                patches.enter_context(mock.patch.object(owner, attribute, timed))
        with times.part("rest"):
            images = evaluate(arguments)
    return {"images": images, **{part: times.seconds[part] for part in PARTS}}


def _one_checkpoint(arguments: argparse.Namespace) -> int:
    from cirs_tf.runs.evaluation import evaluate_run
    from cirs_tf.runs.restore import open_run

    run = open_run(arguments.run)
    found = evaluate_run(run, arguments.split, arguments.data, others=False)
    return len(found.labels)


def _command(arguments: argparse.Namespace) -> int:
    command = importlib.import_module("cirs_tf.evaluate")
    argv = [arguments.run, "--split", arguments.split]
    argv += ["--data", arguments.data] if arguments.data else []
    with tempfile.TemporaryDirectory() as folder:
        numbers = Path(folder) / "numbers.json"
        argv += ["--out", folder, "--json", str(numbers)]
        with contextlib.redirect_stdout(io.StringIO()):
            if status := command.main(argv):
                sys.exit(status)
        return json.loads(numbers.read_text())["images"]


def _print_whole(whole: dict[str, list[dict]], arguments: argparse.Namespace) -> None:
    (images,) = {found["images"] for rounds in whole.values() for found in rounds}
    print(f"\n{images} images of {arguments.split}\n{'':18}", end="")
    print("".join(f"{name:>28}" for name in whole))
    seconds = {
        name: [sum(found[part] for part in PARTS) for found in rounds]
        for name, rounds in whole.items()
    }
    rates = [
        spread((images / total for total in all_of), 0) for all_of in seconds.values()
    ]
    print(f"{'images/s':18}" + "".join(f"{rate:>28}" for rate in rates))
    for part in PARTS:
        cells = ""
        for name, rounds in whole.items():
            own = [100 * found[part] for found in rounds]
            cells += f"{spread(ratios(own, seconds[name])) + ' %':>28}"
        print(f"{part:18}{cells}", flush=True)


def measure_matching(arguments: argparse.Namespace) -> dict[int, list[dict]]:
    """Return seconds of one match, of counting and of scoring, by classes."""
    measures = {}
    for classes in arguments.classes:
        pair = labels_of_noise(arguments.images, classes)
        measures[classes] = functools.partial(_matching, classes, *pair)
    found = take_turns(measures, arguments.rounds)
    for classes, rounds in found.items():
        tracemalloc.start()
        measures[classes]()
        rounds[-1]["memory_mb"] = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
    return found


def labels_of_noise(images: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return classes and segments, `[images, 64, 64]` uint8 each.

    Args:
        images: How many.
        classes: Of either, at most 256.
    """
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, classes, (images, _SIDE // _BLOCK, _SIDE // _BLOCK))
    masks = blocks.repeat(_BLOCK, 1).repeat(_BLOCK, 2).astype(np.uint8)
    segments = rng.permutation(classes).astype(np.uint8)[masks]
    noise = rng.integers(0, classes, masks.shape, np.uint8)
    return masks, np.where(rng.random(masks.shape) < 0.2, noise, segments)


def _matching(classes: int, masks: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    from cirs_tf.data.image_split import row_slices
    from cirs_tf.metrics.confusion import confusion_matrices
    from cirs_tf.metrics.matching import match_segments
    from cirs_tf.metrics.segmentation import SegmentationMetric

    some = confusion_matrices(masks[:_AT_ONCE], labels[:_AT_ONCE], classes, classes)
    confusion = some.sum(axis=0)
    times = [time.perf_counter()]
    match_segments(confusion)
    times.append(time.perf_counter())
    for rows in row_slices(len(masks), _AT_ONCE):
        confusion_matrices(masks[rows], labels[rows], classes, classes)
    times.append(time.perf_counter())
    metric = SegmentationMetric(classes, classes)
    for rows in row_slices(len(masks), _AT_ONCE):
        metric.update_state(masks[rows], labels[rows])
    metric.result()
    times.append(time.perf_counter())
    names = ("match", "count", "score")
    passed = [end - begin for begin, end in itertools.pairwise(times)]
    return dict(zip(names, passed, strict=True))


def _print_matching(found: dict[int, list[dict]], images: int) -> None:
    print(f"\n{images} images of noise")
    print(f"{'K':>4}{'one match, ms':>28}{'count, images/s':>28}", end="")
    print(f"{'all scores, images/s':>28}{'memory':>11}")
    for classes, rounds in found.items():
        match = spread((1e3 * times["match"] for times in rounds), 3)
        rates = [
            spread((images / times[name] for times in rounds), 0)
            for name in ("count", "score")
        ]
        print(
            f"{classes:>4}{match:>28}{rates[0]:>28}{rates[1]:>28}"
            f"{rounds[-1]['memory_mb']:>8,.0f} MB"
        )


if __name__ == "__main__":
    main()
