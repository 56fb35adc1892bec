"""A segmenter of frozen features: backbone, projection, votes of clusterings."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import keras

from cirs_tf.layers.center_votes import CenterVotes
from cirs_tf.layers.guided_filter import GuidedFilter
from cirs_tf.layers.padding import CropToSize, PadToMultiple
from cirs_tf.layers.resize_like import ResizeLike
from cirs_tf.models.backbones.backbone import RANDOM, build_backbone

_MULTIPLE = 32  # the largest stride of a backbone: places of all layers coincide
_SMALLEST_SHARE = 1e-4  # of votes, before the logarithm


class DeepSegmenter(NamedTuple):
    """A segmenter and its parts, which share their weights.

    Attributes:
        segmenter: `[batch, height, width, 3]` float in [0, 1] to `[batch, height,
            width, K]` logits, whose softmax is the share of the votes.
        backbone: Frozen.
        layer_maps: Images to what each layer says at every place of the grid, a dict of
            `[batch, ceil(height / stride), ceil(width / stride), channels]`.
        features: Images to the projected features, `[batch, rows, columns, features]`.
        projections: By layer, dense layers with kernel and bias.
        votes: The centers and their segments.
    """

    segmenter: keras.Model
    backbone: keras.Model
    layer_maps: keras.Model
    features: keras.Model
    projections: Mapping[str, keras.layers.Dense]
    votes: CenterVotes


def deep_segmenter(
    backbone: str,
    layers: Sequence[str],
    segments: int,
    *,
    stride: int,
    components: int,
    clusterings: int,
    clusters: int,
    edge_radius: int,
    edge_epsilon: float,
    seed: int,
    weights: str = RANDOM,
) -> DeepSegmenter:
    """Build a segmenter of any image size, with random backbone and no centers yet.

    Args:
        backbone: As of `build_backbone`.
        layers: Those of the backbone whose maps are used.
        segments: K.
        stride: Pixels from one place of the grid to the next.
        components: Of each layer, at most its channels.
        clusterings: How many vote.
        clusters: Centers of each.
        edge_radius: Of the guided filter, in pixels of the image; 0: none.
        edge_epsilon: Of the guided filter.
        seed: Seed of the backbone's weights.
        weights: As of `build_backbone`; they are not loaded.
    """
    network = build_backbone(backbone, layers, seed, weights)
    images = keras.Input((None, None, 3), name="images")
    padded = PadToMultiple(_MULTIPLE)(images)
    maps = network(padded)
    grids = {name: ResizeLike(stride)(maps[name], padded) for name in layers}
    projections = {
        name: keras.layers.Dense(
            min(components, grids[name].shape[-1]),
            kernel_initializer="zeros",
            trainable=False,
            name=f"project_{name}",
        )
        for name in layers
    }
    projected = [projections[name](grids[name]) for name in layers]
    features = projected[0]
    if len(projected) > 1:
        features = keras.layers.Concatenate()(projected)
    votes = CenterVotes(clusterings, clusters, segments, name="votes")
    shares = CropToSize()(ResizeLike()(votes(features), padded), images)
    if edge_radius:
        shares = GuidedFilter(edge_radius, edge_epsilon)(shares, images)
    logits = keras.ops.log(keras.ops.maximum(shares, _SMALLEST_SHARE))
    # Of the image itself, without its padding.
    crop, places = CropToSize(), images[:, ::stride, ::stride]
    return DeepSegmenter(
        keras.Model(images, logits, name="segmenter"),
        network,
        keras.Model(images, {name: crop(grids[name], places) for name in layers}),
        keras.Model(images, crop(features, places)),
        projections,
        votes,
    )
