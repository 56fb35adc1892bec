"""CIRS: a segmenter trained by how alike its segments are across images."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.data.image_split import Batch
from cirs_tf.layers.replica_random import replica_seed
from cirs_tf.layers.segment_masks import SegmentMasks
from cirs_tf.losses.cirs import cirs_bounds, cirs_loss
from cirs_tf.losses.min_usage import min_usage_penalty
from cirs_tf.methods.annealed_noise import add_gumbel_noise
from cirs_tf.methods.augmentation import augment
from cirs_tf.methods.cirs_config import CirsConfig
from cirs_tf.methods.heads import segmenter_with_heads, train_heads
from cirs_tf.methods.segment_features import SegmentFeatures
from cirs_tf.methods.segmenter_pretraining import (
    LearnsPseudoLabels,
    SegmenterPretraining,
)
from cirs_tf.methods.two_networks import two_network_phases
from cirs_tf.methods.word_features import WordFeatures
from cirs_tf.training.optimizers import (
    ResettingAdam,
    adam,
    learning_rate_schedule,
    weight_samplers,
)
from cirs_tf.training.phases import SUMMARY, Initialization, Terms
from cirs_tf.training.strategy import batch_mean


class Cirs(LearnsPseudoLabels):
    """Image -> S -> softmax -> argmax-in-place -> K masked images -> g -> CIRS loss.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Raises:
        ConfigError: The images are not square but to be rotated, or do not divide into
            cells.

    Reference: thesis 6 (Figure 5); schedules 7.3 and 7.4. Several heads, of which one
    is chosen by its loss: Ji et al. 2019. Gumbel noise: Jang et al. 2017.
    """

    config_class = CirsConfig
    needs_masks = False
    initialized_by = ("words.", "pretraining.", "background.")

    def __init__(self, config: CirsConfig, height: int, width: int):
        options = config.cirs
        options.check_size(height, width)
        self.config = config
        self._all_heads, self.segmenter = _segmenters(config)
        self._features = _features(config, height, width)
        self.feature_net = self._features.network
        self.networks = {"segmenter": self.segmenter, "feature_net": self.feature_net}
        self._segment_masks = SegmentMasks()
        self._compiled_masks = tf.function(
            self._masks_of_each, jit_compile=options.xla, autograph=False
        )
        self.labels = SegmenterPretraining(
            self.segmenter, config.segments, config.pretraining
        )
        self.pretraining = list(self.labels.phases)
        terms = ("loss", "within", "between")
        variables = {k: net.trainable_variables for k, net in self.networks.items()}
        if options.freeze_feature_net:
            variables["feature_net"] = []
        self.phases = two_network_phases(
            loss=self._train,
            terms=(*terms, "min_usage_penalty") if options.usage_weight else terms,
            variables=variables,
            schedule=options.schedule,
            steps=(options.segmenter_steps, options.feature_net_steps),
            make_optimizer=self._optimizer,
            watched=variables["segmenter"],
        )
        if options.feature_net_pretraining_steps:
            self._add_feature_net_pretraining()

    @staticmethod
    def build_segmenter(config: CirsConfig) -> keras.Model:
        """Build S alone.

        Args:
            config: The run.
        """
        return _segmenters(config)[1]

    def initialize(self, images: np.ndarray) -> Initialization:
        """Find color words and pseudo-labels, what is configured of them.

        Args:
            images: `[images, height, width, 3]` uint8.

        Raises:
            DataError: The images have too few colors, or nothing to propose.
        """
        labels = super().initialize(images)
        if not isinstance(self._features, WordFeatures):
            return labels
        words = self._features.initialize(images)
        found = [str(part[SUMMARY]) for part in (labels, words) if SUMMARY in part]
        return {**labels, **words, SUMMARY: np.array("; ".join(found))}

    def assign(self, initialization: Initialization) -> None:
        """Set words and the weights of segments.

        Args:
            initialization: From `initialize`.
        """
        super().assign(initialization)
        if isinstance(self._features, WordFeatures):
            self._features.assign(initialization)

    def pictures(self, images: np.ndarray) -> dict[str, Image.Image]:
        """Draw the color words, where g has some.

        Args:
            images: `[images, height, width, 3]` uint8.
        """
        if isinstance(self._features, WordFeatures):
            return self._features.pictures(images)
        return {}

    def diagnostics(self, batch: Batch) -> Terms:
        """Return norms of segments' mean features, in inference mode, and bounds.

        Where features are bounded, also the largest values of `within` and `between`.

        Args:
            batch: Images.
        """
        logits = self.segmenter(batch["image"], training=False)
        masks = self._segment_masks(tf.nn.softmax(logits))
        features = self._features(batch["image"], masks, training=False)
        norms = tf.norm(tf.reduce_mean(features, axis=0), axis=-1)  # (K,)
        found = {
            f"mean_feature_norm/{segment}": norm
            for segment, norm in enumerate(tf.unstack(norms))
        }
        square = self._features.largest_mean_square
        if square is not None:
            within, between = cirs_bounds(
                masks.shape[1], features.shape[-1], square, self.config.cirs.between
            )
            found |= {
                "bound/within": tf.constant(within),
                "bound/between": tf.constant(between),
            }
        return found

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the CIRS loss and its terms in inference mode, scalars."""
        logits = self.segmenter(batch["image"], training=False)
        (terms,) = self._terms_of_each(batch["image"], [logits], training=False)
        return terms

    def _train(self, batch: Batch) -> Terms:
        options = self.config.cirs
        # Another seed at each step and replica, the same after resuming.
        seed = replica_seed(self.config.seed, tf.add_n(self._updates))
        images = augment(batch["image"], options.augmentation, seed)
        logits = self._all_heads(images, training=True)
        logits = add_gumbel_noise(logits, options, self._updates, self.config.seed)
        parts = tf.split(logits, options.heads, axis=-1)
        heads = self._terms_of_each(images, parts, training=True)
        return train_heads(self.segmenter, heads)

    def _terms_of_each(
        self, images: tf.Tensor, logits: Sequence[tf.Tensor], training: bool
    ) -> list[Terms]:
        """Return the terms of several segmentations of the same images."""
        probabilities, masks = self._compiled_masks(tuple(logits))
        features = self._features.of_each(images, masks, training)
        return list(map(self._terms, probabilities, features))

    def _masks_of_each(
        self, logits: tuple[tf.Tensor, ...]
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """Return probabilities and masks `[batch, K, H, W, 1]` of each."""
        probabilities = [tf.nn.softmax(each) for each in logits]
        return probabilities, [self._segment_masks(each) for each in probabilities]

    def _terms(self, probabilities: tf.Tensor, features: tf.Tensor) -> Terms:
        """Return the terms of `[batch, H, W, K]` and `[batch, K, F]`."""
        options = self.config.cirs
        terms = cirs_loss(
            features, options.alpha_1, options.alpha_2, batch_mean, options.between
        )
        terms = terms._asdict()
        if options.usage_weight:
            if options.usage_of == "masks":
                probabilities = self._segment_masks.argmax_in_place(probabilities)
            penalty = min_usage_penalty(probabilities, options.usage_floor, batch_mean)
            terms["min_usage_penalty"] = penalty
            terms["loss"] += options.usage_weight * penalty
        return terms

    @property
    def _updates(self) -> list[tf.Tensor]:
        """The counts of updates of all phases, that of S first."""
        return [phase.optimizer.iterations.value for phase in self.phases]

    def _optimizer(self, variables: list) -> keras.optimizers.Optimizer:
        """Return Adam, with a rate or resets of its own for g where configured."""
        options, training = self.config.cirs, self.config.training
        rate = learning_rate_schedule(training)
        if options.feature_learning_rate is None and not options.reset_every:
            return adam(variables, rate)
        index = {id(variable): position for position, variable in enumerate(variables)}
        samplers = zip(
            self.feature_net.trainable_variables,
            weight_samplers(self.feature_net),
            strict=True,
        )
        group = {index[id(v)]: sample for v, sample in samplers if id(v) in index}
        group_rate = learning_rate_schedule(training, options.feature_learning_rate)
        optimizer = ResettingAdam(
            rate, group, group_rate, options.reset_every, self.config.seed
        )
        optimizer.build(variables)
        return optimizer

    def _add_feature_net_pretraining(self) -> None:
        """Let g learn to encode whole images; the decoder is for that alone."""
        decoder = self._features.build_decoder(self.config.seed)
        phase = self._features.pretraining_phase(
            decoder,
            self.config.cirs.feature_net_pretraining_steps,
            self.config.pretraining,
        )
        self.pretraining.append(phase)
        # A checkpoint within pretraining must hold it.
        self.networks["feature_decoder"] = decoder


def _segmenters(config: CirsConfig) -> tuple[keras.Model, keras.Model]:
    """Return S with all heads, and with the best one."""
    heads = config.cirs.heads
    return segmenter_with_heads(
        config.segmenter, heads, config.segments, 2 * config.seed
    )


def _features(
    config: CirsConfig, height: int, width: int
) -> SegmentFeatures | WordFeatures:
    """Return g, of the configured kind."""
    if config.feature_net.kind == "words":
        return WordFeatures(config.words, config.segments, config.seed)
    return SegmentFeatures(
        config.feature_net, height, width, config.segments, 2 * config.seed + 1
    )
