"""Train several seeds and pick one without labels: `python -m cirs_tf.sweep`."""

import argparse
from pathlib import Path

from cirs_tf.errors import ConfigError, command
from cirs_tf.runs.arguments import (
    EPILOG,
    add_settings,
    config_of,
    overrides_of,
    source_of,
)


@command
def main(argv: list[str] | None = None, prog: str = "python -m cirs_tf.sweep") -> int:
    """Parse the command line, train what is missing, score, and say which to export.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    arguments = _parser(prog).parse_args(argv)
    overrides, source = overrides_of(arguments), source_of(arguments)
    if given := [text for text in overrides if text.startswith("seed=")]:
        raise ConfigError(f"--set {given[0]}: a sweep takes --seeds")
    config = config_of(arguments)
    # Late, so that help and slips of the finger do not wait for TensorFlow.
    import tensorflow as tf

    from cirs_tf.config.files import resolve
    from cirs_tf.config.settings import path_override
    from cirs_tf.default_data import default_data
    from cirs_tf.runs.queue import seeds_from
    from cirs_tf.runs.sweep import sweep

    # Each run compiles networks of its own, which TensorFlow takes for a mistake.
    tf.get_logger().setLevel("ERROR")
    if config.data is None:
        config = resolve(config, overrides=[path_override("data", default_data())])
    name = Path(source).stem
    result = sweep(
        config,
        seeds_from(arguments.seeds),
        Path(arguments.out or f"runs/sweep-{name}"),
        arguments.criterion,
        name,
        export_command=prog.replace("sweep", "export"),
    )
    if result.stopped_by is not None:
        print("stopped; the same command goes on")
        return 128 + result.stopped_by
    return 0


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Train several seeds (finished runs are reused, interrupted ones "
        "resumed), score every kept checkpoint on unlabeled validation images and "
        "pick one. No mask is read.",
        epilog=EPILOG,
    )
    add_settings(parser)
    add = parser.add_argument
    add("--seeds", default="0-4", metavar="S,...", help="such as 0,1,2; default: 0-4")
    add("--out", metavar="DIR", help="folder of the runs; default: runs/sweep-METHOD")
    add(
        "--criterion",
        choices=("loss", "agreement", "equivariance"),
        default="loss",
        help="lowest validation loss (default), highest agreement with other seeds, or "
        "highest equivariance under mirroring",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
