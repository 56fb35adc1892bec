"""What needs no network: `python -m cirs_tf.baselines --data DIR`."""

import argparse
import json
from pathlib import Path

import numpy as np

from cirs_tf.data.manifest import Manifest
from cirs_tf.data.pipeline import load_split
from cirs_tf.errors import ConfigError, DataError, command
from cirs_tf.metrics.segmentation import SegmentationMetric, SegmentationScores
from cirs_tf.proposals.color_kmeans import kmeans_labels


@command
def main(argv: list[str] | None = None) -> None:
    """Parse the command line and print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m cirs_tf.baselines",
        description="Score one segment everywhere, and k-means on RGB, on a split.",
    )
    parser.add_argument("--data", required=True, metavar="DIR", help="from data_gen")
    parser.add_argument("--split", default="test")
    parser.add_argument(
        "--segments", type=int, metavar="K", help="default: the classes"
    )
    parser.add_argument("--seeds", default="0,1,2", help="default: 0,1,2")
    parser.add_argument(
        "--starts",
        type=int,
        default=4,
        metavar="N",
        help="of k-means a seed; the tightest clustering counts (default: 4)",
    )
    parser.add_argument("--json", metavar="FILE", help="write the scores too")
    arguments = parser.parse_args(argv)
    classes = Manifest.read(arguments.data).classes
    segments = arguments.segments or len(classes)
    if not 2 <= segments <= 255:
        raise ConfigError(f"--segments: expected 2 to 255, got {segments}")
    if arguments.starts < 1:
        raise ConfigError(f"--starts: expected at least 1, got {arguments.starts}")
    seeds = _seeds(arguments.seeds)
    train = load_split(arguments.data, "train", with_masks=False)
    split = load_split(arguments.data, arguments.split, with_masks=True)

    everywhere = np.zeros_like(split.masks)
    rows = {"one segment everywhere": [_score(everywhere, split.masks, 1, classes)]}
    rows[f"k-means on RGB, K={segments}"] = [
        _score(
            kmeans_labels(train.images, split.images, segments, seed, arguments.starts),
            split.masks,
            segments,
            classes,
        )
        for seed in seeds
    ]
    print(f"{arguments.split} of {arguments.data}, {len(split.images):,} images\n")
    print(f"{'':28}{'seeds':>6}{'mIoU':>8}{'min':>8}{'max':>8}{'thesis':>8}")
    for name, scores in rows.items():
        mious = [score.miou for score in scores]
        thesis = np.mean([score.miou_thesis for score in scores])
        print(
            f"{name:28}{len(scores):>6}{np.mean(mious):8.3f}{min(mious):8.3f}"
            f"{max(mious):8.3f}{thesis:8.3f}"
        )
    if arguments.json:
        found = {name: [score.miou for score in row] for name, row in rows.items()}
        try:
            Path(arguments.json).write_text(json.dumps(found, indent=2) + "\n")
        except OSError as error:
            message = f"{arguments.json}: cannot be written: {error.strerror}"
            raise DataError(message) from None


def _score(
    labels: np.ndarray, masks: np.ndarray, segments: int, classes: tuple[str, ...]
) -> SegmentationScores:
    metric = SegmentationMetric(segments, len(classes))
    metric.update_state(masks, labels)
    return metric.result()


def _seeds(text: str) -> list[int]:
    try:
        return [int(seed) for seed in text.split(",")]
    except ValueError:
        raise ConfigError(
            f"--seeds: expected integers such as 0,1,2, got {text!r}"
        ) from None


if __name__ == "__main__":
    raise SystemExit(main())
