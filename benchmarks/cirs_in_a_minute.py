"""What does `--model cirs` reach in a minute?

    python benchmarks/cirs_in_a_minute.py [--data DIR] [--steps 300] [--seeds 0,1,2]

Trains the default configuration for so many mini-batches, in which the learning rate
falls, and prints the mIoU of the label-free checkpoint on the test split and the
seconds of it all: imports aside, from the data set on disk to the last checkpoint.
Expected: above 0.85. Exit status 1 where a seed is below.
"""

import argparse
import tempfile
import time
from pathlib import Path

from measuring import machine, write_json

import cirs_tf
from cirs_tf.default_data import default_data

EXPECTED = 0.85


def main() -> int:
    """Train every seed and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="default: the fruit set")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--json", metavar="FILE", help="also write what was measured")
    arguments = parser.parse_args()
    data = arguments.data or default_data()
    settings = {
        "training.steps_per_epoch": arguments.steps,
        "training.decay_steps": arguments.steps,
        "training.validation_images": 100,
        "cirs.gumbel_steps": 3 * arguments.steps // 5,
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in map(int, arguments.seeds.split(",")):
            began = time.perf_counter()
            run = cirs_tf.train(
                "cirs",
                data=data,
                run=Path(folder) / str(seed),
                epochs=1,
                seed=seed,
                settings=settings,
            )
            seconds = time.perf_counter() - began
            miou = cirs_tf.evaluate(run, split="test").chosen.scores.miou
            rows.append((seed, miou, seconds))
    print(f"{machine()}\n\n{'seed':>4} {'mIoU':>7} {'seconds':>8}")
    for seed, miou, seconds in rows:
        print(f"{seed:4} {miou:7.3f} {seconds:8.0f}")
    columns = ("seed", "miou", "seconds")
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    write_json(arguments.json, {"machine": machine(), "seeds": found})
    return int(min(miou for _, miou, _ in rows) < EXPECTED)


if __name__ == "__main__":
    raise SystemExit(main())
