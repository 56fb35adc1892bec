"""What does an evaluation cost? Its parts, from records to scores.

    python benchmarks/evaluation.py RUN [--data DIR] [--split test] [--rounds 5]
        [--json FILE]

*One checkpoint* reads, segments and scores the split with one checkpoint; *command* is
`python -m cirs_tf.evaluate`, which does so with every checkpoint of the run that has a
step of its own, scores one segment everywhere, and writes a picture. They take turns,
in this process; imports are not counted. Parts, without what they call of other parts:
*load*, segmenters are built and restored; *read*, records to images; *trace*, the first
batch; *segment*, the others; *count*, confusion matrices; *match*, segments to classes,
of the split and of each image; *score*, all measures from that.
"""

import argparse
import contextlib
import functools
import importlib
import io
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

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


def main() -> None:
    """Measure the evaluation and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--data", metavar="DIR", help="another one than the run's")
    parser.add_argument("--split", default="test")
    parser.add_argument("--rounds", type=int, default=5)
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
    content = {"machine": machine("scipy"), "arguments": vars(arguments)}
    write_json(arguments.json, content | {"whole": whole})


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


if __name__ == "__main__":
    main()
