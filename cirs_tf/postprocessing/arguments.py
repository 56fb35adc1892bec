"""Command-line options of postprocessing; no TensorFlow here."""

import argparse

from cirs_tf.errors import ConfigError


def add_postprocessing(parser: argparse.ArgumentParser) -> None:
    """Add `--crf` and `--min-region-size`."""
    add = parser.add_argument
    add("--crf", action="store_true", help="sharpen edges by a dense CRF (extra crf)")
    add(
        "--min-region-size",
        type=int,
        default=0,
        metavar="N",
        help="merge connected regions below N pixels into their neighbors",
    )


def postprocessing_of(arguments: argparse.Namespace) -> tuple[bool, int]:
    """Return whether a CRF is asked for, and the size below which regions merge.

    Raises:
        ConfigError: The size is negative, or the extra `crf` is missing.
    """
    if arguments.min_region_size < 0:
        raise ConfigError(
            f"--min-region-size: expected at least 0, got {arguments.min_region_size}"
        )
    if arguments.crf:
        # Late, so that help does not wait for NumPy.
        from cirs_tf.postprocessing.dense_crf import crf_library

        crf_library()
    return arguments.crf, arguments.min_region_size
