"""What needs no network: `python -m cirs_tf.baselines --data DIR`."""

import argparse
from pathlib import Path

from cirs_tf.errors import ConfigError, DataError, command
from cirs_tf.runs.arguments import add_renamed


@command
def main(
    argv: list[str] | None = None, prog: str = "python -m cirs_tf.baselines"
) -> None:
    """Parse the command line and print a table.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    arguments = _parser(prog).parse_args(argv)
    # Late, so that help does not wait for TensorFlow.
    from cirs_tf.data.manifest import Manifest
    from cirs_tf.runs.baselines import (
        THRESHOLDS,
        kmeans_scores,
        open_splits,
        threshold_scores,
    )
    from cirs_tf.runs.evaluation import single_segment_scores, write_json
    from cirs_tf.runs.queue import seeds_from

    classes = Manifest.read(arguments.data).classes
    if not classes:
        raise DataError(f"{arguments.data}: has no masks; baselines are scored by them")
    segments = arguments.segments or len(classes)
    if not 2 <= segments <= 255:
        raise ConfigError(f"--segments: expected 2 to 255, got {segments}")
    if arguments.n_init < 1:
        raise ConfigError(f"--n-init: expected at least 1, got {arguments.n_init}")
    seeds = seeds_from(arguments.seeds)
    if max(seeds) >= 2**32:  # of scikit-learn
        raise ConfigError(f"--seeds: expected 0 to {2**32 - 1}, got {max(seeds)}")
    train, split = open_splits(arguments.data, arguments.split)
    rows = {
        "one segment everywhere": [single_segment_scores(split, len(classes))],
    }
    for title, space in (("RGB", "rgb"), ("Lab", "lab")):
        rows[f"k-means on {title}, K={segments}"] = kmeans_scores(
            train, split, segments, len(classes), seeds, arguments.n_init, space
        )
    if segments == 2:
        for name, threshold in THRESHOLDS.items():
            rows[name] = [threshold_scores(split, len(classes), threshold)]
    print(f"{arguments.split} of {arguments.data}, {len(split.images):,} images\n")
    print(f"{'':30}{'seeds':>6}{'mIoU':>8}{'min':>8}{'max':>8}{'thesis':>8}")
    for name, scores in rows.items():
        mious = [score.miou for score in scores]
        thesis = sum(score.miou_thesis for score in scores) / len(scores)
        print(
            f"{name:30}{len(scores):>6}{sum(mious) / len(mious):8.3f}{min(mious):8.3f}"
            f"{max(mious):8.3f}{thesis:8.3f}"
        )
    if arguments.json:
        mious = {name: [score.miou for score in row] for name, row in rows.items()}
        write_json(Path(arguments.json), mious)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Score what needs no network, on a split: one segment everywhere, "
        "k-means on colors and, for two segments, thresholds.",
    )
    add = parser.add_argument
    add("--data", required=True, metavar="DIR", help="from data_gen")
    add("--split", default="test", help="train, val or test (default)")
    add("--segments", type=int, metavar="K", help="default: the number of classes")
    add("--seeds", default="0,1,2", metavar="S,...", help="default: 0,1,2")
    add(
        "--n-init",
        type=int,
        default=4,
        metavar="N",
        help="starts of k-means per seed; the tightest clustering counts (default: 4)",
    )
    add("--json", metavar="FILE", help="write the scores too")
    add_renamed(parser, "--starts", "--n-init")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
