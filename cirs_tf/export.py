"""Export a run's segmenter for serving: `python -m cirs_tf.export RUN --out DIR`."""

import argparse

from cirs_tf.callable_module import make_callable
from cirs_tf.errors import command


@command
def main(argv: list[str] | None = None, prog: str = "python -m cirs_tf.export") -> None:
    """Parse the command line and write a SavedModel.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    parser = argparse.ArgumentParser(
        prog=prog, description="Write a SavedModel that TensorFlow Serving loads."
    )
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--out", required=True, metavar="MODEL_DIR")
    parser.add_argument(
        "--checkpoint",
        metavar="NAME",
        help="loss, oracle, last, or the step of one that is kept; default: the run's "
        "training.selection",
    )
    arguments = parser.parse_args(argv)
    # Late, so that help does not wait for TensorFlow.
    from cirs_tf.runs.restore import load_segmenter, open_run

    restored = load_segmenter(open_run(arguments.run), arguments.checkpoint)
    version = restored.export(arguments.out)
    print(
        f"{version}: segmenter of checkpoint {restored.checkpoint!r} "
        f"(step {restored.step})"
    )
    if restored.origin:
        print(f"backbone  {restored.origin}")


if __name__ == "__main__":
    raise SystemExit(main())
make_callable(__name__)
