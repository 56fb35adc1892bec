"""Classes across photographs: clusters of a frozen backbone's features that vote."""

import dataclasses
import math
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.config.sections import Config, TrainingConfig
from cirs_tf.config.settings import (
    ANY,
    NAMES,
    POSITIVE,
    Section,
    at_least,
    between,
    one_of,
    section,
    setting,
)
from cirs_tf.data.image_split import Batch, as_float
from cirs_tf.methods.segmenter_pretraining import data_errors
from cirs_tf.models.backbones.backbone import (
    EFFICIENTNET_LITE0,
    load_backbone_weights,
    weights_origin,
)
from cirs_tf.models.deep_segmenter import DeepSegmenter, deep_segmenter
from cirs_tf.proposals.evenly_spaced import evenly_spaced
from cirs_tf.proposals.feature_clusters import (
    merged_clusterings,
    principal_components,
)
from cirs_tf.training.phases import SUMMARY, Initialization, Phase, Terms


@dataclasses.dataclass(frozen=True)
class DeepClusteringSection(Section):
    """The backbone, and how its features are clustered."""

    key: ClassVar[str] = "deep_clustering"

    backbone: str = setting(
        "efficientnet_lite0",
        ANY,
        "Frozen network: efficientnet_lite0; one of keras.applications, such as "
        "MobileNetV2; or dinov2, with the extra `hub`.",
    )
    weights: str = setting(
        "pretrained",
        ANY,
        "pretrained: ImageNet's, from the extra `pretrained`, or, for "
        "keras.applications, downloaded by Keras; random; or a file of weights for "
        "keras.applications. Of dinov2: a preset of keras-hub, such as dinov2_small, "
        "or the folder of one.",
    )
    layers: tuple[str, ...] = setting(
        ("b10", "b14"),
        NAMES,
        "Names of the backbone's layers whose maps are used; of dinov2, stage1 to "
        "stageN and layernorm.",
    )
    components: int = setting(
        32, at_least(1), "Principal components of each layer's features."
    )
    stride: int = setting(
        8, between(1, 32), "Pixels from one place that is clustered to the next."
    )
    clusterings: int = setting(
        10, at_least(1), "How often the features are clustered; each has a vote."
    )
    clusters: int = setting(
        60, at_least(2), "Centers of each clustering; all are merged to K segments."
    )
    images: int = setting(
        3_000,
        at_least(1),
        "Unlabeled training images used, evenly spaced among all.",
    )
    places: int = setting(
        60_000, at_least(2), "Places of these images, drawn at random, in all."
    )
    edge_radius: int = setting(
        12,
        at_least(0),
        "Radius in pixels of the guided filter that draws votes to the edges of the "
        "image; 0: none.",
    )
    edge_epsilon: float = setting(
        1e-3,
        POSITIVE,
        "Variance of luminance, in [0, 1], below which the guided filter smooths.",
    )

    def check(self) -> None:
        """Require different layers, and such as the default backbone has."""
        known = [f"b{number}" for number in range(16)]
        self.require(
            "layers", len(set(self.layers)) == len(self.layers), "different names"
        )
        self.require(
            "layers",
            self.backbone != EFFICIENTNET_LITE0 or set(self.layers) <= set(known),
            f"some of {known[0]} to {known[-1]}",
        )


@dataclasses.dataclass(frozen=True)
class DeepClusteringConfig(Config):
    """The whole configuration of deep clustering."""

    method: str = setting(
        "deep_clustering", one_of("deep_clustering"), "The system to train."
    )
    training: TrainingConfig = section(TrainingConfig, batch_size=8)
    deep_clustering: DeepClusteringSection = section(DeepClusteringSection)


class DeepClustering:
    """Image -> frozen backbone -> principal components -> votes -> guided filter.

    Everything that it learns, the components and the centers, comes from unlabeled
    images before the first step; it has no phases.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: docs/methods/deep_clustering.md; a frozen g is thesis 11.
    """

    config_class = DeepClusteringConfig
    needs_masks = False
    initialized_by = ("segments", "deep_clustering.")

    def __init__(self, config: DeepClusteringConfig, height: int, width: int):
        self.config, self.options = config, config.deep_clustering
        self.parts = _build(config)
        self.segmenter = self.parts.segmenter
        self.networks = {"segmenter": self.segmenter}
        self.pretraining = []
        self.phases: list[Phase] = []

    @staticmethod
    def build_segmenter(config: DeepClusteringConfig) -> keras.Model:
        """Build S alone, its backbone with random weights.

        Args:
            config: The run.
        """
        return _build(config).segmenter

    @staticmethod
    def weights_origin(config: DeepClusteringConfig) -> str:
        """Return what the backbone's weights are, in one line.

        Args:
            config: The run.
        """
        options = config.deep_clustering
        return weights_origin(options.backbone, options.weights)

    def initialize(self, images: np.ndarray) -> Initialization:
        """Cluster the features of unlabeled images, some at a time.

        Args:
            images: `[images, height, width, 3]` uint8.

        Returns:
            By layer, `kernel_LAYER` and `bias_LAYER` of its projection; `centers` and
            `segment_of` of `CenterVotes.assign`; `summary`.

        Raises:
            ConfigError, DataError: The backbone's weights are not there, or the images
                are too few or too plain.
        """
        options = self.options
        chosen = evenly_spaced(len(images), options.images)
        per_image = math.ceil(options.places / len(chosen))
        sampled = self.sample_places(images, chosen, per_image)
        initialization, projected = {}, []
        with data_errors("deep_clustering"):
            for name, features in sampled.items():
                projection = principal_components(features, options.components)
                initialization[f"kernel_{name}"] = projection.matrix
                initialization[f"bias_{name}"] = projection.offset
                projected.append(features @ projection.matrix + projection.offset)
            clusterings = merged_clusterings(
                np.concatenate(projected, axis=1),
                options.clusterings,
                options.clusters,
                self.config.segments,
                self.config.seed,
            )
        summary = (
            f"{self.weights_origin(self.config)}; {options.clusterings} x "
            f"{options.clusters} clusters of {len(projected[0]):,} places in "
            f"{len(chosen):,} images"
        )
        return {
            **initialization,
            "centers": clusterings.centers,
            "segment_of": clusterings.group_of,
            SUMMARY: np.array(summary),
        }

    def assign(self, initialization: Initialization) -> None:
        """Set the weights of the backbone, the projections and the votes.

        Args:
            initialization: From `initialize`.
        """
        self._load_backbone()
        for name, layer in self.parts.projections.items():
            layer.set_weights(
                [initialization[f"{part}_{name}"] for part in ("kernel", "bias")]
            )
        self.parts.votes.assign(initialization["centers"], initialization["segment_of"])

    def validation_terms(self, batch: Batch) -> Terms:
        """Return how far features are from the centers, and how far votes part.

        Returns:
            `loss`, the squared distance to the nearest center, mean over places and
            clusterings, as a share of the variance that the layers have before they
            are projected; `disagreement`, 1 -
            the largest share of the votes, mean over places. Each `[batch]`.
        """
        features = self.parts.features(batch["image"], training=False)
        votes = self.parts.votes
        nearest = tf.reduce_min(votes.distances(features), axis=-1)  # (B, h, w, R)
        variance = len(self.options.layers)  # each layer's is 1
        largest = tf.reduce_max(votes(features), axis=-1)
        return {
            "loss": tf.reduce_mean(nearest, axis=[1, 2, 3]) / variance,
            "disagreement": 1 - tf.reduce_mean(largest, axis=[1, 2]),
        }

    def _load_backbone(self) -> None:
        options = self.options
        load_backbone_weights(self.parts.backbone, options.backbone, options.weights)

    def sample_places(
        self, images: np.ndarray, chosen: np.ndarray, per_image: int
    ) -> dict[str, np.ndarray]:
        """Look at images with the backbone, some at a time.

        Args:
            images: `[images, height, width, 3]` uint8.
            chosen: Indices of those that are looked at.
            per_image: Places of each, drawn at random; all where there are fewer.

        Returns:
            By layer `[places, channels]` float32, those of the first image first.

        Raises:
            ConfigError, DataError: The backbone's weights are not there.
        """
        self._load_backbone()
        options, rng = self.options, np.random.default_rng(self.config.seed)
        size = self.config.training.batch_size
        maps_of = tf.function(
            self.parts.layer_maps, reduce_retracing=True, autograph=False
        )
        parts: dict[str, list[np.ndarray]] = {name: [] for name in options.layers}
        for start in range(0, len(chosen), size):
            maps = maps_of(as_float(images[chosen[start : start + size]]))
            places = math.prod(next(iter(maps.values())).shape[1:3])
            taken = min(per_image, places)
            for row in range(len(next(iter(maps.values())))):
                where = rng.choice(places, taken, replace=False)
                for name in options.layers:
                    flat = tf.reshape(maps[name][row], [places, -1])
                    parts[name].append(tf.gather(flat, where).numpy())
        return {name: np.concatenate(part) for name, part in parts.items()}


def _build(config: DeepClusteringConfig) -> DeepSegmenter:
    options = config.deep_clustering
    return deep_segmenter(
        options.backbone,
        options.layers,
        config.segments,
        stride=options.stride,
        components=options.components,
        clusterings=options.clusterings,
        clusters=options.clusters,
        edge_radius=options.edge_radius,
        edge_epsilon=options.edge_epsilon,
        seed=config.seed,
        weights=options.weights,
    )
