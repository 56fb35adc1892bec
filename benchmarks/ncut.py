"""Does the windowed soft N-cut pay? Time and memory against the dense form.

    python benchmarks/ncut.py [--sides 32 64 96 128 256] [--rounds 5] [--json FILE]

Loss and gradient of one image with four segments. Each form and size runs in a process
of its own, so that its memory is its own. Memory is what the measured calls add to the
peak of a process that has already done the same at 8x8 pixels: TensorFlow itself, about
half a gigabyte, and XLA's compiler, about 0.3 more, are not in it. The dense form is
what a plain reading of the paper gives: a matrix of all pairs of pixels.
"""

import argparse
import json
import resource
import signal
import statistics
import time

from measuring import answer, machine, spread, start_process, write_json

FORMS = ("dense", "window", "window, XLA")
_SMALL = 8  # pixels a side
_MOST_GB = 12  # of the dense form, which takes about 4 matrices of all pairs


def main() -> None:
    """Measure every form at every size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", type=int, nargs="+", default=[32, 64, 96, 128, 256])
    parser.add_argument("--radius", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="also write what was measured")
    parser.add_argument("--one", nargs=2, metavar=("FORM", "SIDE"), help="internal")
    arguments = parser.parse_args()
    if arguments.one:
        form, side = arguments.one
        print(json.dumps(_measure(form, int(side), arguments.radius, arguments.rounds)))
        return
    print(machine())
    print(
        f"radius {arguments.radius}, one image, 4 segments, loss and gradient; "
        f"{arguments.rounds} rounds\n"
    )
    header = "".join(f"{form:>44}" for form in FORMS)
    print(f"{'side':>6}{header}{'dense / XLA: time':>20}{'memory':>9}")
    table = {}
    for side in arguments.sides:
        found = {form: _in_a_process(form, side, arguments) for form in FORMS}
        table[side] = found
        cells = "".join(f"{_cell(found[form]):>44}" for form in FORMS)
        print(f"{side:>6}{cells}{_quotients(found)}", flush=True)
    options = {"radius": arguments.radius, "rounds": arguments.rounds}
    write_json(arguments.json, {"machine": machine(), **options, "sides": table})


def _in_a_process(form: str, side: int, arguments: argparse.Namespace) -> dict:
    if form == "dense" and (gigabytes := 4 * 4 * side**4 / 1e9) > _MOST_GB:
        return {"stopped": f"not tried: about {gigabytes:.0f} GB"}
    options = ["--radius", str(arguments.radius), "--rounds", str(arguments.rounds)]
    process = start_process(__file__, ["--one", form, str(side), *options])
    found = answer(process)
    process.communicate()
    if process.returncode == -signal.SIGKILL:
        return {"stopped": "out of memory"}
    return found


def _cell(found: dict) -> str:
    if "stopped" in found:
        return found["stopped"]
    milliseconds = [1e3 * seconds for seconds in found["seconds"]]
    return f"{spread(milliseconds)} ms {found['megabytes']:>6,.1f} MB"


def _quotients(found: dict) -> str:
    dense, windowed = found["dense"], found["window, XLA"]
    if "stopped" in dense or "stopped" in windowed:
        return f"{'-':>20}{'-':>9}"
    times = statistics.median(dense["seconds"]) / statistics.median(windowed["seconds"])
    # A small image may add nothing to a process's peak.
    added = windowed["megabytes"]
    memory = f"{dense['megabytes'] / added:.1f}" if added else "-"
    return f"{times:>20.1f}{memory:>9}"


def _measure(form: str, side: int, radius: float, rounds: int) -> dict:
    """Return seconds of every round, and megabytes added to the process's peak."""
    small, large = _prepare(form, _SMALL, radius), _prepare(form, side, radius)
    small().numpy()
    before = _peak_memory()
    large().numpy()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        large().numpy()
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "megabytes": _peak_memory() - before}


def _prepare(form: str, side: int, radius: float):
    """Return a function of no arguments: the gradient of the loss of one image."""
    import cirs_tf  # noqa: F401, I001
    import tensorflow as tf

    from cirs_tf.losses.soft_ncut import soft_ncut

    image = tf.random.stateless_uniform((1, side, side, 3), seed=(0, 0))
    logits = tf.random.stateless_normal((1, side, side, 4), seed=(0, 1))
    cut = _dense if form == "dense" else soft_ncut
    cut = tf.function(cut, jit_compile=True if "XLA" in form else None)

    @tf.function
    def gradient() -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = cut(tf.nn.softmax(logits), image, radius, 10 / 255, 4.0)
        return tape.gradient(loss, logits)

    return gradient


def _dense(probabilities, images, radius, sigma_intensity, sigma_position):
    """The same loss with the whole N x N matrix of weights."""
    import tensorflow as tf

    _, height, width, segments = probabilities.shape
    row, column = tf.meshgrid(tf.range(height), tf.range(width), indexing="ij")
    positions = tf.cast(tf.stack([row, column], -1), tf.float32)
    positions = tf.reshape(positions, [-1, 2])
    apart = _squared_distances(positions)
    flat = tf.reshape(images, [height * width, 3])
    weights = tf.exp(
        -_squared_distances(flat) / sigma_intensity**2 - apart / sigma_position**2
    )
    weights = tf.where(apart < radius**2, weights, 0.0)
    p = tf.reshape(probabilities, [height * width, segments])
    association = tf.reduce_sum(p * tf.matmul(weights, p), axis=0)
    degree = tf.reduce_sum(p * tf.reduce_sum(weights, axis=1)[:, None], axis=0)
    return segments - tf.reduce_sum(association / degree)


def _squared_distances(points):
    import tensorflow as tf

    norms = tf.reduce_sum(tf.square(points), axis=1)
    products = tf.matmul(points, points, transpose_b=True)
    return tf.nn.relu(norms[:, None] + norms - 2 * products)


def _peak_memory() -> float:
    """Return the largest resident memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
