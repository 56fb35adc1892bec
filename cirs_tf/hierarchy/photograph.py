"""From a photograph of any size to its tree of regions."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
from PIL import Image

from cirs_tf.errors import DataError
from cirs_tf.hierarchy import MAX_SIDE, NUM_SUPERPIXELS
from cirs_tf.hierarchy.merging import (
    BACKBONE_WEIGHTS,
    COLOR_WEIGHTS,
    MergeWeights,
    merge_regions,
)
from cirs_tf.hierarchy.region_graph import FeatureExtractor, region_graph
from cirs_tf.hierarchy.region_tree import RegionTree


def region_tree(
    image: np.ndarray,
    num_superpixels: int = NUM_SUPERPIXELS,
    max_side: int = MAX_SIDE,
    features: FeatureExtractor | None = None,
    weights: MergeWeights | None = None,
) -> RegionTree:
    """Return the tree of regions of one photograph; nothing is trained.

    Args:
        image: `[height, width, 3]` uint8.
        num_superpixels: About how many regions the finest level has.
        max_side: The tree of a larger image is that of the image shrunk to so many
            pixels on its longer side; `enlarge` brings regions back to its size.
        features: Maps of a backbone, as of `region_graph`; None: colors alone.
        weights: What makes regions different; None: the defaults for `features`.

    Returns:
        Superpixels of `[height, width]`, or of the shrunk size, and their merging.

    Example:
        >>> image = np.zeros((40, 60, 3), np.uint8)
        >>> image[:, 30:] = 255
        >>> tree = region_tree(image, num_superpixels=20)
        >>> regions = tree.cut_into(2)
        >>> bool((regions == [0] * 30 + [1] * 30).all())
        True
    """
    height, width = image.shape[:2]
    shrink = max_side / max(height, width)
    if shrink < 1:
        size = max(round(width * shrink), 1), max(round(height * shrink), 1)
        resized = Image.fromarray(image).resize(size, Image.Resampling.BOX)
        image = np.asarray(resized)
    graph = region_graph(image, num_superpixels, features=features)
    return merge_regions(graph, weights or _default_weights(features))


def _default_weights(features: FeatureExtractor | None) -> MergeWeights:
    return COLOR_WEIGHTS if features is None else BACKBONE_WEIGHTS


def enlarge(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return `[height, width]` of the nearest of `values` `[smaller, smaller]`."""
    if values.shape == (height, width):
        return values
    rows = (np.arange(height) + 0.5) * values.shape[0] / height
    columns = (np.arange(width) + 0.5) * values.shape[1] / width
    return values[rows.astype(int)[:, None], columns.astype(int)]


def kept_tree(
    image: np.ndarray,
    file: Path,
    num_superpixels: int,
    max_side: int,
    features: FeatureExtractor | None = None,
) -> RegionTree:
    """Return the tree in a file if it is this image's; else compute and write it.

    Args:
        image: `[height, width, 3]` uint8.
        file: `.npz`, replaced where it is of another image or of other settings.
        num_superpixels: As of `region_tree`.
        max_side: As of `region_tree`.
        features: As of `region_tree`.
    """
    weights = dataclasses.asdict(_default_weights(features))
    settings = [num_superpixels, max_side, weights, image.shape]
    digest = hashlib.sha256(json.dumps(settings).encode())
    digest.update(np.ascontiguousarray(image))
    of = digest.hexdigest()
    if file.exists():
        try:
            tree, notes = RegionTree.load(file)
        except DataError:
            notes = {}
        if notes.get("of") == of:
            return tree
    tree = region_tree(image, num_superpixels, max_side, features)
    tree.save(file, of=of)
    return tree
