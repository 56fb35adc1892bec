"""CIRS: a segmenter trained by how alike its segments are across images."""

import dataclasses
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.config.sections import (
    SCHEDULES,
    BackgroundConfig,
    Config,
    PretrainingConfig,
    SegmenterConfig,
)
from cirs_tf.config.settings import (
    ANY,
    POSITIVE,
    SHARE,
    WEIGHT,
    Section,
    at_least,
    between,
    one_of,
    section,
    setting,
)
from cirs_tf.data.pipeline import Batch
from cirs_tf.data.transforms import random_shift_flip_turn
from cirs_tf.errors import ConfigError
from cirs_tf.layers.best_head import BestHead
from cirs_tf.layers.replica_random import replica_seed
from cirs_tf.layers.segment_masks import SegmentMasks
from cirs_tf.losses.cirs import cirs_loss
from cirs_tf.losses.min_usage import min_usage_penalty
from cirs_tf.methods.segment_features import FeatureNetConfig, SegmentFeatures
from cirs_tf.methods.segmenter_pretraining import (
    LearnsPseudoLabels,
    SegmenterPretraining,
)
from cirs_tf.methods.two_networks import two_network_phases
from cirs_tf.methods.word_features import WordFeatures, WordsConfig
from cirs_tf.models.unet import unet
from cirs_tf.training.optimizers import (
    ResettingAdam,
    adam,
    learning_rate_schedule,
    weight_samplers,
)
from cirs_tf.training.phases import SUMMARY, Initialization, Terms
from cirs_tf.training.strategy import batch_mean


@dataclasses.dataclass(frozen=True)
class CirsSection(Section):
    """The CIRS objective (thesis 5), its schedule (thesis 7.4), and extensions.

    Everything below the schedule is off by default; `configs/cirs.yaml` turns on what
    makes the method work.
    """

    key: ClassVar[str] = "cirs"

    alpha_1: float = setting(1.0, WEIGHT, "Weight of the variance within segments.")
    alpha_2: float = setting(1.0, WEIGHT, "Weight of the distance between segments.")
    schedule: str = setting(
        "joint",
        one_of(*SCHEDULES),
        "S and g in one step, or S for segmenter_steps, then g for feature_net_steps.",
    )
    segmenter_steps: int = setting(1, at_least(1), "Mini-batches per cycle for S.")
    feature_net_steps: int = setting(1, at_least(1), "Mini-batches per cycle for g.")
    heads: int = setting(
        1,
        between(1, 16),
        "Output heads on one U-Net, each trained by the objective as if alone; that of "
        "the lowest training loss is the segmenter.",
    )
    gumbel_scale: float = setting(
        0.0,
        WEIGHT,
        "Scale of Gumbel noise on the logits in training, at first.",
    )
    gumbel_steps: int | None = setting(
        None,
        at_least(1),
        "Updates of S over which that scale falls linearly to 0; null: it stays.",
    )
    augmentation: str = setting(
        "none",
        one_of(
            "none",
            "shift_flip_rotate",
            renamed={"shift_flip_turn": "shift_flip_rotate"},
        ),
        "Training images as they are; or cyclically shifted, flipped and rotated by "
        "quarter turns at random, so that no place in the image stays the same.",
    )
    usage_weight: float = setting(
        0.0, WEIGHT, "Weight of the penalty for segments below usage_floor."
    )
    usage_floor: float = setting(
        0.05, SHARE, "Minimum share of the pixels per segment, at most 1 / segments."
    )
    usage_of: str = setting(
        "probabilities",
        one_of("probabilities", "masks"),
        "Whether shares are those of the softmax or of the one-hot masks.",
    )
    feature_learning_rate: float | None = setting(
        None, POSITIVE, "Learning rate of g; null: that of S."
    )
    reset_every: int = setting(
        0,
        at_least(0),
        "Updates of g from one reset to the next: its weights are drawn anew and its "
        "optimizer slots emptied; 0: never.",
    )
    freeze_feature_net: bool = setting(
        False, ANY, "Whether g keeps its first weights (compare thesis 11)."
    )
    feature_net_pretraining_steps: int = setting(
        0,
        at_least(0),
        "Mini-batches of pretraining in which g learns to encode whole images for a "
        "linear decoder (compare thesis 11).",
    )

    def check(self) -> None:
        """Refuse to freeze a network that something else trains."""
        rate = self.feature_learning_rate
        trains = self.schedule == "alternating" or rate is not None or self.reset_every
        self.require(
            "freeze_feature_net",
            not (self.freeze_feature_net and trains),
            "false where schedule, feature_learning_rate or reset_every train g",
        )


@dataclasses.dataclass(frozen=True)
class CirsConfig(Config):
    """The whole configuration of CIRS."""

    method: str = setting("cirs", one_of("cirs"), "The system to train.")
    segmenter: SegmenterConfig = section(SegmenterConfig)
    feature_net: FeatureNetConfig = section(FeatureNetConfig)
    pretraining: PretrainingConfig = section(PretrainingConfig)
    background: BackgroundConfig = section(BackgroundConfig)
    cirs: CirsSection = section(CirsSection)

    words: WordsConfig = section(WordsConfig)

    def check(self) -> None:
        """Refuse a usage floor that K segments cannot reach, and training words."""
        self.check_usage_floor(self.cirs)
        options = self.cirs
        trains = options.schedule == "alternating" or options.reset_every
        trains = trains or options.feature_learning_rate is not None
        trains = trains or options.feature_net_pretraining_steps
        self.feature_net.require(
            "kind",
            not (self.feature_net.kind == "words" and trains),
            "dense or conv where cirs.schedule, feature_learning_rate, reset_every or "
            "feature_net_pretraining_steps train g",
        )


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

    def __init__(self, config: CirsConfig, height: int, width: int):
        options = config.cirs
        if options.augmentation != "none" and height != width:
            raise ConfigError(
                f"cirs.augmentation: {options.augmentation} needs square images, got "
                f"{height} x {width} pixels"
            )
        self.config = config
        self._all_heads, self.segmenter = _segmenters(config)
        self._features = _features(config, height, width)
        self.feature_net = self._features.network
        self.networks = {"segmenter": self.segmenter, "feature_net": self.feature_net}
        self._segment_masks = SegmentMasks()
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
        """Return the norm of each segment's mean feature, in inference mode.

        Args:
            batch: Images.
        """
        logits = self.segmenter(batch["image"], training=False)
        masks = self._segment_masks(tf.nn.softmax(logits))
        features = self._features(batch["image"], masks, training=False)
        norms = tf.norm(tf.reduce_mean(features, axis=0), axis=-1)  # (K,)
        return {
            f"mean_feature_norm/{segment}": norm
            for segment, norm in enumerate(tf.unstack(norms))
        }

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the CIRS loss and its terms in inference mode, scalars."""
        logits = self.segmenter(batch["image"], training=False)
        return self._terms(batch["image"], logits, training=False)

    def _train(self, batch: Batch) -> Terms:
        options = self.config.cirs
        images = batch["image"]
        if options.augmentation != "none":
            images = random_shift_flip_turn(images, self._seed())
        logits = self._all_heads(images, training=True)
        if options.gumbel_scale:
            logits += self._gumbel_noise(logits)
        if options.heads == 1:
            return self._terms(images, logits, training=True)
        heads = [
            self._terms(images, part, training=True)
            for part in tf.split(logits, options.heads, axis=-1)
        ]
        losses = tf.stack([terms["loss"] for terms in heads])
        choice = self.segmenter.get_layer("best_head")
        choice.update(losses)
        # Each head trains as if alone; what is reported is the chosen one's.
        chosen = {
            name: tf.gather(tf.stack([terms[name] for terms in heads]), choice.best)
            for name in heads[0]
        }
        return {**chosen, "loss": _value_of(chosen["loss"], tf.reduce_sum(losses))}

    def _terms(self, images: tf.Tensor, logits: tf.Tensor, training: bool) -> Terms:
        options = self.config.cirs
        probabilities = tf.nn.softmax(logits)
        masks = self._segment_masks(probabilities)  # (B, K, H, W, 1)
        features = self._features(images, masks, training)  # (B, K, F)
        terms = cirs_loss(features, options.alpha_1, options.alpha_2, batch_mean)
        terms = terms._asdict()
        if options.usage_weight:
            if options.usage_of == "masks":
                probabilities = self._segment_masks.argmax_in_place(probabilities)
            penalty = min_usage_penalty(probabilities, options.usage_floor, batch_mean)
            terms["min_usage_penalty"] = penalty
            terms["loss"] += options.usage_weight * penalty
        return terms

    def _gumbel_noise(self, logits: tf.Tensor) -> tf.Tensor:
        """Return noise of the scale of this update, another draw each time."""
        options = self.config.cirs
        scale = tf.constant(options.gumbel_scale, logits.dtype)
        if options.gumbel_steps:
            updates = tf.cast(self.phases[0].optimizer.iterations.value, logits.dtype)
            scale *= tf.nn.relu(1 - updates / options.gumbel_steps)
        seed = tf.random.experimental.stateless_fold_in(self._seed(), 1)
        uniform = tf.random.stateless_uniform(
            tf.shape(logits), seed, 1e-7, 1.0, logits.dtype
        )
        return -scale * tf.math.log(-tf.math.log(uniform))

    def _seed(self) -> tf.Tensor:
        """Return another seed at each step and replica, the same after resuming."""
        updates = [phase.optimizer.iterations.value for phase in self.phases]
        return replica_seed(self.config.seed, tf.add_n(updates))

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
    """Return a U-Net with all heads, and S: the same layers, the best head alone."""
    heads = config.cirs.heads
    network = unet(config.segmenter, heads * config.segments, 2 * config.seed)
    if heads == 1:
        return network, network
    logits = BestHead(heads, name="best_head")(network.output)
    return network, keras.Model(network.input, logits, name="segmenter")


def _features(
    config: CirsConfig, height: int, width: int
) -> SegmentFeatures | WordFeatures:
    """Return g, of the configured kind."""
    if config.feature_net.kind == "words":
        return WordFeatures(config.words, config.segments, config.seed)
    return SegmentFeatures(
        config.feature_net, height, width, config.segments, 2 * config.seed + 1
    )


@tf.custom_gradient
def _value_of(shown: tf.Tensor, minimized: tf.Tensor):
    """Return the value of the first with the gradient of the second."""
    return tf.identity(shown), lambda upstream: (tf.zeros_like(shown), upstream)
