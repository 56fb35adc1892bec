"""What does matching segments to classes cost?

    python benchmarks/matching.py [--classes 4 27 182] [--images 1500] [--rounds 5]
        [--json FILE]

*One match*: of a square confusion matrix. *Count*: the matrices of images of noise with
as many classes, blocks of 8 x 8 pixels, of which the segments get four in five right.
*All scores*: everything from labels to every measure. *Memory*: the most that this
allocates.
"""

import argparse
import functools
import itertools
import time
import tracemalloc

import numpy as np
from measuring import machine, spread, take_turns, write_json

_SIDE, _BLOCK = 64, 8  # pixels
_AT_ONCE = 20  # images that are counted at a time, as many as in a batch


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--classes", nargs="+", type=int, default=[4, 27, 182])
    parser.add_argument("--images", type=int, default=1500, help="of noise")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(machine("scipy"), flush=True)
    found = measure(arguments)
    _print(found, arguments.images)
    content = {"machine": machine("scipy"), "arguments": vars(arguments)}
    write_json(arguments.json, content | {"matching": found})


def measure(arguments: argparse.Namespace) -> dict[int, list[dict]]:
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


def _print(found: dict[int, list[dict]], images: int) -> None:
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
