"""Where does a training step spend its time?

    python benchmarks/step_parts.py [METHOD ...] [--side 64] [--segments 4]
        [--threads 1] [--rounds 7] [--set KEY=VALUE ...] [--json FILE]

Of a step of a method's first phase on images of noise: S alone, S with a gradient, the
loss, the loss with its gradient, and all of it with Adam's update. Each is compiled,
they take turns, and each holds the one before it but for the second, so that
differences tell what is added.
"""

import argparse
import statistics
import time
from collections.abc import Callable

from measuring import machine, spread, take_turns, write_json
from step_cost import METHODS, method_and_images

PARTS = ("S", "S, gradient", "loss", "loss, gradient", "step")


def main() -> None:
    """Measure every method and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("methods", nargs="*", default=METHODS, metavar="METHOD")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--segments", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", metavar="FILE", help="also write what was measured")
    arguments = parser.parse_args()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)
    print(machine(), f"{arguments.threads} threads", sep=", ", end="\n\n")
    print(f"{'ms':14}", *(f"{part:>26}" for part in PARTS))
    found = {}
    for method in arguments.methods:
        parts = parts_of(method, arguments)
        measures = {name: timed(part) for name, part in parts.items()}
        rounds = take_turns(measures, arguments.rounds)
        found[method] = rounds
        whole = statistics.median(rounds["step"])
        print(f"{method:14}", *(f"{spread(rounds[part]):>26}" for part in PARTS))
        shares = (statistics.median(rounds[part]) / whole for part in PARTS)
        print(f"{'':14}", *(f"{share:>26.0%}" for share in shares), flush=True)
    write_json(arguments.json, {"machine": machine(), "ms": found})


def timed(part: Callable[[], object]) -> Callable[[], float]:
    """Return a function that runs a part and returns its milliseconds."""

    def measure() -> float:
        start = time.perf_counter()
        part()
        return 1e3 * (time.perf_counter() - start)

    return measure


def parts_of(method: str, arguments: argparse.Namespace) -> dict[str, Callable]:
    """Return the compiled parts of a method's step, by name."""
    import tensorflow as tf

    built, images = method_and_images(
        method, arguments.side, arguments.segments, arguments.set
    )
    phase, batch = built.phases[0], {"image": tf.constant(images)}
    segmenter = built.networks["segmenter"]
    variables = [variable.value for variable in phase.variables]
    own = [variable.value for variable in segmenter.trainable_variables]

    def run(function: Callable) -> Callable:
        return tf.function(function, autograph=False)

    def loss():
        return tf.reduce_mean(phase.loss(batch)["loss"])

    def gradient():
        with tf.GradientTape() as tape:
            value = loss()
        return tape.gradient(value, variables)

    def segmenter_gradient():
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(tf.square(segmenter(batch["image"], training=True)))
        return tape.gradient(value, own)

    def step():
        phase.optimizer.apply(gradient(), phase.variables)

    functions = (
        lambda: segmenter(batch["image"], training=True),
        segmenter_gradient,
        loss,
        gradient,
        step,
    )
    return dict(zip(PARTS, map(run, functions), strict=True))


if __name__ == "__main__":
    main()
