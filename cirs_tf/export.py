"""Export a run's segmenter for serving: `python -m cirs_tf.export RUN --out DIR`."""

import argparse

from cirs_tf.callable_module import make_callable
from cirs_tf.data.image_files import MAX_PIXELS
from cirs_tf.errors import ConfigError, command


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
    parser.add_argument(
        "--names",
        metavar="NAME,...",
        help="a name for each segment, in their order, kept in the model's description",
    )
    parser.add_argument(
        "--max-pixels",
        type=int,
        default=MAX_PIXELS,
        metavar="N",
        help="larger files are refused by the signature serve_bytes (default: "
        "%(default)s)",
    )
    arguments = parser.parse_args(argv)
    if arguments.max_pixels < 1:
        raise ConfigError(
            f"--max-pixels: expected at least 1, got {arguments.max_pixels}"
        )
    names = arguments.names.split(",") if arguments.names else []
    # Late, so that help does not wait for TensorFlow.
    from cirs_tf.runs.restore import load_segmenter, open_run

    restored = load_segmenter(open_run(arguments.run), arguments.checkpoint)
    version = restored.export(
        arguments.out,
        segment_names=tuple(name.strip() for name in names),
        max_pixels=arguments.max_pixels,
    )
    print(
        f"{version}: segmenter of checkpoint {restored.checkpoint!r} "
        f"(step {restored.step})"
    )
    if restored.origin:
        print(f"backbone  {restored.origin}")


if __name__ == "__main__":
    raise SystemExit(main())
make_callable(__name__)
