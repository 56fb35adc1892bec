"""IIC: segments that a pixel shares with its neighbors and its transformed twin."""

import dataclasses
from typing import ClassVar

import keras
import tensorflow as tf

from cirs_tf.config.sections import Config
from cirs_tf.config.settings import (
    ANY,
    RATE,
    Section,
    at_least,
    one_of,
    section,
    setting,
)
from cirs_tf.data.image_split import Batch
from cirs_tf.data.transforms import flip_where, random_flips, random_jitter
from cirs_tf.errors import ConfigError
from cirs_tf.layers.replica_random import replica_seed
from cirs_tf.losses.mutual_information import (
    displaced_joints,
    negative_mutual_information,
)
from cirs_tf.models.iic_net import iic_networks, iic_segmenter
from cirs_tf.training.optimizers import Rate, adam, learning_rate_schedule
from cirs_tf.training.phases import Phase, Terms
from cirs_tf.training.strategy import batch_mean


@dataclasses.dataclass(frozen=True)
class IicSection(Section):
    """Invariant information clustering for segmentation (Ji et al. 2019)."""

    key: ClassVar[str] = "iic"

    width: int = setting(
        16, at_least(1), "Channels of the first convolution; 64 in the paper's code."
    )
    over_clustering: int = setting(
        3, at_least(1), "Outputs of the over-clustering head, as a multiple of K."
    )
    reach: int = setting(
        1,
        at_least(0),
        "Largest displacement between a pixel and its twin, in pixels.",
    )
    jitter: float = setting(0.2, RATE, "Strength of the change of colors, in [0, 1).")
    flip: bool = setting(True, ANY, "Whether twins may be mirrored.")


@dataclasses.dataclass(frozen=True)
class IicConfig(Config):
    """The whole configuration of IIC."""

    method: str = setting("iic", one_of("iic"), "The system to train.")
    iic: IicSection = section(IicSection)


class Iic:
    """Image and its flipped, recolored twin -> head -> mutual information.

    Two heads on one trunk are trained in turns: the main one with K outputs, and one
    with several times as many (over-clustering), which only serves to train the trunk.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Raises:
        ConfigError: `iic.reach` leaves the images.

    Reference: Ji et al. 2019.
    """

    config_class = IicConfig
    needs_masks = False

    def __init__(self, config: IicConfig, height: int, width: int):
        self.options = config.iic
        if config.iic.reach >= min(height, width):
            raise ConfigError(
                f"iic.reach: expected less than the {min(height, width)} pixels of the "
                f"images' shorter side, got {config.iic.reach}"
            )
        self.seed = config.seed
        over_segments = self.options.over_clustering * config.segments
        self.segmenter, self.over_segmenter = iic_networks(
            self.options.width, config.segments, over_segments, 2 * config.seed
        )
        self.networks = {
            "segmenter": self.segmenter,
            "over_segmenter": self.over_segmenter,
        }
        self.pretraining = []
        rate = learning_rate_schedule(config.training)
        self.phases = [
            self._phase("over", self.over_segmenter, rate),
            self._phase("main", self.segmenter, rate),
        ]

    @staticmethod
    def build_segmenter(config: IicConfig) -> keras.Model:
        """Build trunk and main head alone.

        Args:
            config: The run.
        """
        return iic_segmenter(config.iic.width, config.segments, 2 * config.seed)

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the main head's loss for untransformed twins, a scalar."""
        return self._loss(self.segmenter, batch["image"], None, training=False)

    def _phase(self, name: str, network: keras.Model, rate: Rate) -> Phase:
        variables = network.trainable_variables
        optimizer = adam(variables, rate)

        def loss(batch: Batch) -> Terms:
            # Counted by the optimizer, so a resumed run draws what it would have drawn.
            seed = replica_seed(self.seed, optimizer.iterations.value)
            return self._loss(network, batch["image"], seed, training=True)

        return Phase(name, loss, ("loss",), variables, optimizer)

    def _loss(
        self,
        network: keras.Model,
        images: tf.Tensor,
        seed: tf.Tensor | None,
        training: bool,
    ) -> Terms:
        flipped = tf.zeros(tf.shape(images)[0], tf.bool)
        twins = images
        if seed is not None:
            flip_seed, jitter_seed = tf.unstack(
                tf.random.experimental.stateless_split(seed, 2)
            )
            if self.options.flip:
                flipped = random_flips(tf.shape(images)[0], flip_seed)
            twins = random_jitter(images, self.options.jitter, jitter_seed)
        twins = flip_where(twins, flipped)
        first = tf.nn.softmax(network(images, training=training))
        second = tf.nn.softmax(network(twins, training=training))
        second = flip_where(second, flipped)
        joints = displaced_joints(first, second, self.options.reach)
        # Every replica has as many images: the mean of means is that of all.
        return {"loss": negative_mutual_information(batch_mean(joints[None]))}
