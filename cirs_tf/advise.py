"""Which method, how many segments: `python -m cirs_tf.advise --data DIR`."""

import argparse
from pathlib import Path

from cirs_tf.errors import ConfigError, command


@command
def main(argv: list[str] | None = None, prog: str = "python -m cirs_tf.advise") -> None:
    """Parse the command line, look at images, and print what was seen and a command.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    arguments = _parser(prog).parse_args(argv)
    if arguments.images < 2:
        raise ConfigError(f"--images: expected at least 2, got {arguments.images}")
    if not 0 <= arguments.seed < 2**31:
        raise ConfigError(f"--seed: expected 0 or more, got {arguments.seed}")
    # Late, so that help does not wait for TensorFlow.
    from cirs_tf.advice.image_sample import sample_images
    from cirs_tf.advice.report import advise
    from cirs_tf.runs.evaluation import write_json

    sample = sample_images(arguments.data, arguments.images)
    advice = advise(sample, arguments.data, arguments.seed, prog.removesuffix("advise"))
    print(advice.text)
    if arguments.json:
        write_json(Path(arguments.json), advice.as_json())


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Look at unlabeled images and say which method fits them, how "
        "many segments recur, and which command to type. No mask is read.",
    )
    add = parser.add_argument
    add("--data", required=True, metavar="DIR", help="a data set or a folder of images")
    add("--images", type=int, default=200, metavar="N", help="looked at (default: 200)")
    add("--seed", type=int, default=0, metavar="N", help="of halves and clusterings")
    add("--json", metavar="FILE", help="write what was found too")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
