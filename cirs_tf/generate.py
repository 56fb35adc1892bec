"""Draw new styles for segmentations: `python -m cirs_tf.generate RUN`."""

import argparse
import os
from pathlib import Path

from PIL import Image

from cirs_tf.data.pipeline import load_split
from cirs_tf.errors import ConfigError, command
from cirs_tf.runs.evaluation import CHECKPOINTS
from cirs_tf.runs.styles import CODES, StyleGenerator, code_lengths, draw_codes
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.visualization import colorize, column_grid


@command
def main(argv: list[str] | None = None) -> None:
    """Parse the command line and write a picture, a row an image."""
    arguments = _parser().parse_args(argv)
    for flag, least in (("images", 1), ("samples", 1), ("seed", 0)):
        value = getattr(arguments, flag)
        if value < least:
            raise ConfigError(f"--{flag}: expected at least {least}, got {value}")
    run = RunFolder.open(arguments.run)
    generator = StyleGenerator(run, arguments.checkpoint)
    name, codes = arguments.split, arguments.codes
    data = arguments.data or run.load_config().data
    generator.check_size(data)
    images = load_split(data, name, False, arguments.images).images
    labels = generator.segmentation(images)
    mean, log_variance = generator.posterior(images, labels)
    columns = {
        "input": images,
        "segments": colorize(labels),
        "rebuilt": generator.decode(mean, labels),
    }
    drawn = draw_codes(mean, log_variance, arguments.samples, arguments.seed, codes)
    for number, one in enumerate(drawn, start=1):
        columns[f"style {number}"] = generator.decode(one, labels)
    file = Path(arguments.out or run.evaluation / f"{name}_styles.png")
    _write(column_grid(columns, scale=2 if labels.shape[1] <= 128 else 1), file)

    print(
        f"run       {run.path}, checkpoint {generator.checkpoint!r} of step "
        f"{generator.step}"
    )
    print(f"split     {name} of {data}, {len(images):,} images")
    print(f"codes     drawn from the {codes}, seed {arguments.seed}")
    lengths = enumerate(code_lengths(mean, log_variance))
    held = "  ".join(f"{k}: {length:.1f}" for k, length in lengths)
    print(f"nats that each segment's code holds   {held}")
    print(f"picture   {file}")


def _write(picture: Image.Image, file: Path) -> None:
    temporary = file.with_name(f".{file.name}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            picture.save(temporary, format="PNG")
            os.replace(temporary, file)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {file}: {error.strerror}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cirs_tf.generate",
        description="Keep the segmentation of images and draw the code of each segment "
        "anew: new styles, from a run of variational AIR (--config air_variational).",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="a run folder")
    add("--checkpoint", choices=CHECKPOINTS, help="default: training.selection")
    add("--split", default="test", help="train, val or test (default)")
    add(
        "--data",
        metavar="DIR",
        help="another data set than the run's own, of images of the same size",
    )
    add("--images", type=int, default=6, metavar="N", help="the first N (default: 6)")
    add("--samples", type=int, default=6, metavar="M", help="an image (default: 6)")
    add(
        "--codes",
        choices=CODES,
        default="prior",
        help="draw from the prior (default), or around the code of the segment itself",
    )
    add("--seed", type=int, default=0, metavar="S", help="of the codes (default: 0)")
    add("--out", metavar="FILE.png", help="default: RUN/eval/SPLIT_styles.png")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
