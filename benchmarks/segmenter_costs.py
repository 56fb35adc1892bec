"""What does an exported segmenter cost? Time per image and peak memory.

    python benchmarks/segmenter_costs.py EXPORT ... [--sizes HxW ...] [--images N]

Each measurement is a process of its own, so that its peak memory is its own: a
SavedModel is loaded, images of noise are segmented one by one, median after a first
call. *Before*: memory when the model has been loaded.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time

from measuring import machine, write_json


def main() -> None:
    """Measure every export at every size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("exports", nargs="+", metavar="EXPORT")
    parser.add_argument("--sizes", nargs="+", default=["240x320", "360x480"])
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--json", metavar="FILE", help="also write what was measured")
    parser.add_argument("--one", action="store_true", help="internal")
    arguments = parser.parse_args()
    if arguments.one:
        _measure(arguments.exports[0], arguments.sizes[0], arguments.images)
        return
    print(machine())
    rows = []
    print(f"\n{'':40}{'size':>12}{'ms an image':>14}{'before':>10}{'peak':>10}")
    for export in arguments.exports:
        for size in arguments.sizes:
            command = [sys.executable, __file__, export, "--sizes", size, "--one"]
            command += ["--images", str(arguments.images)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            milliseconds, before, peak = map(float, done.stdout.split()[-3:])
            rows.append((export, size, milliseconds, before, peak))
            print(
                f"{export[-38:]:40}{size:>12}{milliseconds:>14.0f}{before:>7.0f} MB"
                f"{peak:>7.0f} MB",
                flush=True,
            )
    columns = ("export", "size", "ms_an_image", "megabytes_before", "megabytes_peak")
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    write_json(arguments.json, {"machine": machine(), "exports": found})


def _measure(export: str, size: str, count: int) -> None:
    """Print milliseconds per image and memory in MB, before and at most."""
    import numpy as np

    from cirs_tf.serving.savedmodel import load_savedmodel

    height, width = map(int, size.split("x"))
    segmenter = load_savedmodel(export)
    before = _peak_memory()
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    segmenter.predict(image)
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        segmenter.predict(image)
        times.append(time.perf_counter() - begin)
    print(1e3 * statistics.median(times), before, _peak_memory())


def _peak_memory() -> float:
    """Return the largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
