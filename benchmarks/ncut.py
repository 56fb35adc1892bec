"""Does the windowed soft N-cut pay? Time and peak memory against the dense form.

    python benchmarks/ncut.py [--sides 32 64 96 128] [--radius 5] [--repeats 5]

Each measurement is a process of its own, so that its peak memory is its own: loss and
gradient of one image with four segments, median of the repeats after a first call.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time

from measuring import machine

FORMS = ("dense", "window", "window, XLA")


def main() -> None:
    """Measure every form at every size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", type=int, nargs="+", default=[32, 64, 96, 128])
    parser.add_argument("--radius", type=float, default=5.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--one", nargs=2, metavar=("FORM", "SIDE"), help="internal")
    arguments = parser.parse_args()
    if arguments.one:
        form, side = arguments.one
        _measure(form, int(side), arguments.radius, arguments.repeats)
        return
    print(machine())
    print(f"radius {arguments.radius}, one image, 4 segments, loss and gradient\n")
    header = "".join(f"{form:>26}" for form in FORMS)
    print(f"{'side':>6}{header}{'dense / XLA':>14}")
    for side in arguments.sides:
        cells, times = "", {}
        for form in FORMS:
            found = _in_a_process(form, side, arguments)
            if found is None:
                cells += f"{'out of memory':>26}"
                continue
            times[form], memory = found
            cells += f"{1e3 * times[form]:>14.1f} ms {memory:>6.0f} MB"
        both = {"dense", "window, XLA"} <= times.keys()
        ratio = f"{times['dense'] / times['window, XLA']:.1f}" if both else "-"
        print(f"{side:>6}{cells}{ratio:>14}", flush=True)


def _in_a_process(
    form: str, side: int, arguments: argparse.Namespace
) -> tuple[float, float] | None:
    command = [sys.executable, __file__, "--one", form, str(side)]
    command += ["--radius", str(arguments.radius)]
    command += ["--repeats", str(arguments.repeats)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return None
    seconds, memory = done.stdout.split()[-2:]
    return float(seconds), float(memory)


def _measure(form: str, side: int, radius: float, repeats: int) -> None:
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

    gradient()
    before = _peak_memory()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        gradient().numpy()
        times.append(time.perf_counter() - start)
    print(statistics.median(times), max(before, _peak_memory()))


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
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
