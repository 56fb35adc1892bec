"""Regions of single photographs, `cirs-tf regions`, scored as BSDS500 does.

    python benchmarks/regions_bsds500.py search BSDS500 --every 2 --trials 100
    python benchmarks/regions_bsds500.py table BSDS500

`search` looks for the weights of merging on the training images only, and prints each
improvement and the scale at which a level of 1 covers the annotations best. `table`
scores the defaults, and others' regions, on the validation images. BSDS500: the folder
`data` of the benchmark (images/, groundTruth/).
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np
from skimage.color import rgb2lab
from skimage.segmentation import felzenszwalb
from sklearn.cluster import KMeans
from tqdm import tqdm

from cirs_tf.data.image_files import read_image
from cirs_tf.hierarchy.merging import (
    BACKBONE_WEIGHTS,
    COLOR_WEIGHTS,
    MergeWeights,
    merge_regions,
)
from cirs_tf.hierarchy.region_graph import region_graph
from cirs_tf.hierarchy.region_tree import RegionTree
from cirs_tf.metrics.partition_scores import scores_of_counts
from cirs_tf.metrics.scales import ScaleMetric, ScaleScores
from cirs_tf.models.backbones.pretrained import pretrained_feature_maps
from cirs_tf.postprocessing.regions import connected_regions, merge_small_regions
from data_gen.importers.bsds import read_segmentations

# Mean numbers of regions, at whose levels all images are cut.
REGIONS = (2, 3, 4, 5, 6.5, 8, 10, 12, 15, 19, 24, 32, 45)


# Levels of `table`, as multiples of the default level of 1.
LEVELS = np.geomspace(0.2, 4, 41)
CLUSTERS = (2, 3, 4, 5, 6, 8, 10, 12)
# Layers to try, and the weight that one begins with; maps are about 20 to 40 long.
LAYERS = ("b2", "b4", "b7", "b10")
FEATURE_START = 0.01
FELZENSZWALB = (60, 100, 200, 300, 450, 600, 900, 1300, 2000)


def image_paths(bsds: Path, split: str) -> list[Path]:
    """Return the images of a split."""
    paths = sorted((bsds / "images" / split).glob("*.jpg"))
    if not paths:
        raise SystemExit(f"error: {bsds}: no images/{split}/*.jpg; expected BSDS500")
    return paths


def annotations_of(path: Path) -> list[np.ndarray]:
    """Return one `[height, width]` label map per annotator."""
    truth = path.parents[2] / "groundTruth" / path.parent.name / f"{path.stem}.mat"
    found = read_segmentations(truth.read_bytes(), str(truth))
    return [annotation.astype(np.int64) for annotation in found]


def count_pixels(superpixels: np.ndarray, path: Path) -> list[np.ndarray]:
    """Return, per annotator, how many pixels each two regions share."""
    counts = []
    for annotation in annotations_of(path):
        shape = annotation.max() + 1, superpixels.max() + 1
        pairs = annotation * shape[1] + superpixels
        found = np.bincount(pairs.ravel(), minlength=shape[0] * shape[1])
        counts.append(found.reshape(shape))
    return counts


def score_tree(
    metric: ScaleMetric, tree: RegionTree, counts: list[np.ndarray], levels: np.ndarray
) -> None:
    """Add a tree's cuts; regions are unions of superpixels, and so are their counts."""
    first = np.unique(tree.superpixels, return_index=True)[1]
    by_level = []
    for level in levels:
        region = tree.cut(level).ravel()[first]  # of each superpixel
        one_hot = np.eye(region.max() + 1, dtype=np.int64)[region]
        by_level.append([scores_of_counts(count @ one_hot) for count in counts])
    metric.update_scores(by_level, tree.superpixels.size)


def score(prepared: list, weights: MergeWeights) -> tuple[ScaleScores, np.ndarray]:
    """Return scores over levels, and the levels."""
    trees = [merge_regions(graph, weights) for graph, _ in prepared]
    falling = np.sort(np.concatenate([tree.levels for tree in trees]))[::-1]
    levels = falling[[int(len(trees) * (number - 1)) for number in REGIONS]]
    metric = ScaleMetric()
    for tree, (_, counts) in zip(trees, prepared, strict=True):
        score_tree(metric, tree, counts, levels)
    return metric.result(), levels


def objective(scores: ScaleScores) -> float:
    """Return what is maximized."""
    return (
        scores.covering
        + scores.probabilistic_rand / 2
        - scores.variation_of_information / 8
    )


def changed(weights: MergeWeights, rng: np.random.Generator) -> MergeWeights:
    """Return weights of which one to three differ."""
    values = dataclasses.asdict(weights)
    features = values.pop("features")
    values |= features
    names = [name for name in values if name != "scale"]
    for name in rng.choice(names, rng.integers(1, 4), replace=False):
        if name == "size_exponent":
            values[name] = float(np.clip(values[name] + 0.15 * rng.normal(), 0, 1))
        elif not values[name] or rng.random() < 0.15:
            start = FEATURE_START if name in features else 0.3
            values[name] = 0.0 if values[name] else start
        else:
            values[name] *= float(np.exp(0.5 * rng.normal()))
    found = {name: values.pop(name) for name in features}
    return MergeWeights(**values, features=found)


def search(bsds: Path, every: int, trials: int, seed: int, backbone: bool) -> None:
    """Change the weights at random, and keep what is better."""
    paths = image_paths(bsds, "train")[::every]
    features = pretrained_feature_maps(LAYERS) if backbone else None
    prepared = []
    for path in tqdm(paths, disable=None):
        graph = region_graph(read_image(path), features=features)
        prepared.append((graph, count_pixels(graph.superpixels, path)))
    rng = np.random.default_rng(seed)
    best = dataclasses.replace(
        BACKBONE_WEIGHTS if backbone else COLOR_WEIGHTS, scale=1.0
    )
    if backbone:
        every_layer = {**dict.fromkeys(LAYERS, 0.0), **best.features}
        best = dataclasses.replace(best, features=every_layer)
    scores, levels = score(prepared, best)
    for trial in range(trials + 1):
        if trial:
            weights = changed(best, rng)
            found, at = score(prepared, weights)
            if objective(found) <= objective(scores):
                continue
            best, scores, levels = weights, found, at
        print(
            f"{trial:4} covering {scores.covering:.4f} "
            f"PRI {scores.probabilistic_rand:.4f} "
            f"VI {scores.variation_of_information:.4f} {best} "
            f"scale={1 / levels[scores.scale]:.3f}",
            flush=True,
        )


def felzenszwalb_cuts(image: np.ndarray) -> list[np.ndarray]:
    """Return label maps of Felzenszwalb and Huttenlocher at several scales."""
    return [
        felzenszwalb(image, scale, sigma=0.8, min_size=max(scale, 60))
        for scale in FELZENSZWALB
    ]


def kmeans_cuts(image: np.ndarray) -> list[np.ndarray]:
    """Return regions of k-means on the image's own colors, small ones merged."""
    colors = rgb2lab(image).reshape(-1, 3)
    maps = []
    for clusters in CLUSTERS:
        kmeans = KMeans(clusters, n_init=2, random_state=0).fit(colors[::31])
        labels = kmeans.predict(colors).reshape(image.shape[:2])
        maps.append(connected_regions(merge_small_regions(labels, 200)))
    return maps


def table(bsds: Path) -> None:
    """Score regions of the validation images."""
    paths = image_paths(bsds, "val")
    print(
        f"{len(paths)} images\n{'':28}{'ODS':>24}{'OIS':>24}\n{'':28}"
        + f"{'covering':>10}{'PRI':>7}{'VI':>7}" * 2
        + f"{'s/image':>9}{'scale':>7}"
    )
    features = pretrained_feature_maps(list(BACKBONE_WEIGHTS.features))
    features(np.zeros((321, 481, 3), np.uint8))  # compile
    means_only = MergeWeights(1, 0, 0, 0, 0)
    for name, weights, extractor, levels in (
        ("regions", BACKBONE_WEIGHTS, features, LEVELS),
        ("regions, level 1", BACKBONE_WEIGHTS, features, np.ones(1)),
        ("regions, colors alone", COLOR_WEIGHTS, None, LEVELS),
        ("the same, level 1", COLOR_WEIGHTS, None, np.ones(1)),
        ("SLIC, mean colors merged", means_only, None, np.geomspace(0.02, 2, 41)),
    ):
        metric, seconds = ScaleMetric(), 0.0
        for path in tqdm(paths, disable=None, leave=False):
            image = read_image(path)
            began = time.perf_counter()
            tree = merge_regions(region_graph(image, features=extractor), weights)
            seconds += time.perf_counter() - began
            counts = count_pixels(tree.superpixels, path)
            score_tree(metric, tree, counts, levels)
        print_row(name, metric, seconds / len(paths))
    for name, segmenter in (
        ("Felzenszwalb", felzenszwalb_cuts),
        ("k-means in Lab, K 2 to 12", kmeans_cuts),
        ("one region", lambda image: [np.zeros(image.shape[:2], int)]),
    ):
        metric, seconds = ScaleMetric(), 0.0
        for path in tqdm(paths, disable=None, leave=False):
            image = read_image(path)
            began = time.perf_counter()
            maps = segmenter(image)
            seconds += time.perf_counter() - began
            metric.update_state(annotations_of(path), maps)
        print_row(name, metric, seconds / len(paths))


def print_row(name: str, metric: ScaleMetric, seconds: float) -> None:
    """Print the scores of all scales."""
    found = metric.result()
    print(
        f"{name:28}"
        f"{found.covering:10.3f}{found.probabilistic_rand:7.3f}"
        f"{found.variation_of_information:7.3f}"
        f"{found.covering_ois:10.3f}{found.probabilistic_rand_ois:7.3f}"
        f"{found.variation_of_information_ois:7.3f}"
        f"{seconds:9.2f}{found.scale:7}",
        flush=True,
    )


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=["search", "table"])
    parser.add_argument("bsds", type=Path)
    parser.add_argument("--every", type=int, default=2, help="search: every Nth image")
    parser.add_argument("--trials", type=int, default=100, help="search")
    parser.add_argument("--seed", type=int, default=0, help="search")
    parser.add_argument("--backbone", action="store_true", help="search: with features")
    arguments = parser.parse_args()
    if arguments.task == "table":
        table(arguments.bsds)
    else:
        search(
            arguments.bsds,
            arguments.every,
            arguments.trials,
            arguments.seed,
            arguments.backbone,
        )


if __name__ == "__main__":
    main()
