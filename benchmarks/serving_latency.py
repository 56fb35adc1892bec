"""How long does a request wait? Latency of a run's segmenter by what serves it.

    python benchmarks/serving_latency.py RUN [--batches 1 32] [--calls 100]
        [--rounds 9] [--json FILE]

The run is exported. Images of noise, of the size of the training images, go in as one
uint8 array and come out as labels: by the signatures `serving_default` and
`serve_native` of the SavedModel; by the Keras model in this process, compiled as other
formats hold it, and by `Segmenter.predict`; by OpenVINO, which is named where it is not
installed. All compute probabilities too. They take turns, so many calls in a row after
some that are not timed.

*p50*, *p99*: medians over the rounds, in brackets the least and the most of a round;
*ratio*: of the p50 to that of `serving_default` in the same round. *Differing*: share
of the pixels whose label is not that of the Keras model.
"""

import argparse
import functools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from export_formats import PREDICTORS
from measuring import machine, ratios, spread, take_turns, write_json

Predict = Callable[[np.ndarray], np.ndarray]
SIGNATURES = ("serving_default", "serve_native")
KERAS = "Keras model"
_UNTIMED = 5  # calls at the start of a turn


def main() -> None:
    """Export, measure every batch size and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 32])
    parser.add_argument("--calls", type=int, default=100, help="of a round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(machine("openvino"), flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        size, served = load_all(arguments.run, Path(folder))
        for batch in arguments.batches:
            rows += _compare(served, batch, size, arguments)
    content = {"machine": machine("openvino"), "arguments": vars(arguments)}
    write_json(arguments.json, content | {"size": size, "rows": rows})


def load_all(path: str, folder: Path) -> tuple[tuple[int, int], dict[str, Predict]]:
    """Return the size of the training images, and what serves the run, by name.

    Args:
        path: The run.
        folder: An empty one, for exports.
    """
    import cirs_tf
    from cirs_tf.errors import CirsError, ConfigError
    from cirs_tf.runs.exporting import export_run
    from cirs_tf.runs.restore import open_run
    from cirs_tf.serving.formats.inference import inference_function

    try:
        run = open_run(path)
        version, restored = export_run(run, folder / "saved_model")
        served = dict(_signatures(version))
        compiled = inference_function(restored.segmenter)
        served[KERAS] = lambda images: compiled(images)["labels"].numpy()
        served["Segmenter.predict"] = cirs_tf.load(path).predict
    except CirsError as error:
        sys.exit(f"error: {error}")
    try:
        file, _ = export_run(run, folder / "openvino", None, "openvino")
        served["OpenVINO"] = PREDICTORS["openvino"](file)
    except ConfigError as error:
        print(f"without OpenVINO: {error}")
    return (restored.height, restored.width), served


def _signatures(version: Path) -> Iterator[tuple[str, Predict]]:
    import tensorflow as tf

    model = tf.saved_model.load(str(version))

    def predict(name: str, images: np.ndarray) -> np.ndarray:
        return model.signatures[name](images=tf.constant(images))["labels"].numpy()

    for name in SIGNATURES:
        yield name, functools.partial(predict, name)


def _compare(served: dict[str, Predict], batch: int, size, arguments) -> list[dict]:
    """Let all take turns with one batch size; print and return their rows."""
    shape = (batch, *size, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    expected = served[KERAS](images)
    measures = {
        name: functools.partial(latencies, predict, images, arguments.calls)
        for name, predict in served.items()
    }
    rounds = take_turns(measures, arguments.rounds)
    first = [np.percentile(times, 50) for times in rounds[SIGNATURES[0]]]
    print(f"\nbatch {batch}, {size[0]}x{size[1]}, {arguments.calls} calls a round")
    print(f"{'':18}{'p50, ms':>26}{'p99, ms':>28}{'ratio':>22}{'differing':>12}")
    rows = []
    for name, every in rounds.items():
        p50, p99 = ([np.percentile(times, q) for times in every] for q in (50, 99))
        differing = float(np.mean(served[name](images) != expected))
        print(
            f"{name:18}{spread(p50, 2):>26}{spread(p99, 2):>28}"
            f"{spread(ratios(p50, first), 2):>22}{differing:>12.6f}",
            flush=True,
        )
        row = {"batch": batch, "name": name, "differing": differing}
        rows.append(row | {"p50_ms": p50, "p99_ms": p99})
    return rows


def latencies(predict: Predict, images: np.ndarray, calls: int) -> list[float]:
    """Return the milliseconds of each of some calls in a row.

    Args:
        predict: Maps images to labels, in memory.
        images: `[batch, height, width, 3]` uint8.
        calls: That are timed.
    """
    for _ in range(_UNTIMED):
        predict(images)
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        predict(images)
        times.append(1e3 * (time.perf_counter() - began))
    return times


if __name__ == "__main__":
    main()
