"""Draw new styles for segmentations: `python -m cirs_tf.generate RUN`."""

import argparse
from pathlib import Path

from cirs_tf.errors import ConfigError, command
from cirs_tf.runs.arguments import add_renamed

SOURCES = ("prior", "posterior")


@command
def main(
    argv: list[str] | None = None, prog: str = "python -m cirs_tf.generate"
) -> None:
    """Parse the command line and write a picture, a row per image.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    arguments = _parser(prog).parse_args(argv)
    for flag, least in (("images", 1), ("samples", 1), ("seed", 0)):
        value = getattr(arguments, flag)
        if value < least:
            raise ConfigError(f"--{flag}: expected at least {least}, got {value}")
    # Late, so that help does not wait for TensorFlow.
    from cirs_tf.atomic_write import atomic_path
    from cirs_tf.data.splits import load_split
    from cirs_tf.runs.restore import open_run, read_config
    from cirs_tf.runs.styles import StyleGenerator, code_lengths, draw_codes
    from cirs_tf.visualization import colorize, column_grid

    run = open_run(arguments.run)
    generator = StyleGenerator(run, arguments.checkpoint)
    name, source = arguments.split, arguments.sample_from
    data = arguments.data or read_config(run).data
    generator.check_size(data)
    images = load_split(data, name, False, arguments.images).images
    labels = generator.segmentation(images)
    mean, log_variance = generator.posterior(images, labels)
    columns = {
        "input": images,
        "segments": colorize(labels),
        "rebuilt": generator.decode(mean, labels),
    }
    samples = draw_codes(mean, log_variance, arguments.samples, arguments.seed, source)
    for position, codes in enumerate(samples, start=1):
        columns[f"style {position}"] = generator.decode(codes, labels)
    picture = column_grid(columns, scale=2 if labels.shape[1] <= 128 else 1)
    file = Path(arguments.out or run.evaluation / f"{name}_styles.png")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(file) as temporary:
            picture.save(temporary, format="PNG")
    except OSError as error:
        raise ConfigError(f"--out {file}: {error.strerror}") from None

    print(
        f"run       {run.path}, checkpoint {generator.checkpoint!r} of step "
        f"{generator.step}"
    )
    print(f"split     {name} of {data}, {len(images):,} images")
    print(f"codes     drawn from the {source}, seed {arguments.seed}")
    lengths = enumerate(code_lengths(mean, log_variance))
    nats = "  ".join(f"{segment}: {length:.1f}" for segment, length in lengths)
    print(f"nats that each segment's code holds   {nats}")
    print(f"picture   {file}")


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Keep the segmentation of images and draw the code of each segment "
        "anew: new styles, from a run of variational AIR (--config air_variational).",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="a run folder")
    add(
        "--checkpoint",
        metavar="NAME",
        help="loss, oracle, last, or a step; default: training.selection",
    )
    add("--split", default="test", help="train, val or test (default)")
    add(
        "--data",
        metavar="DIR",
        help="another data set than the run's own, of images of the same size",
    )
    add("--images", type=int, default=6, metavar="N", help="the first N (default: 6)")
    add("--samples", type=int, default=6, metavar="M", help="per image (default: 6)")
    add(
        "--sample-from",
        choices=SOURCES,
        default="prior",
        help="draw codes from the prior (default), or around the segment's own code",
    )
    add(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="seed of codes (default: 0)",
    )
    add("--out", metavar="FILE.png", help="default: RUN/eval/SPLIT_styles.png")
    add_renamed(parser, "--codes", "--sample-from")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
