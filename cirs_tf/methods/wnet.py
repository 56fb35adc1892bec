"""W-Net: segments that cut between unlike pixels and still hold the image."""

import dataclasses
from typing import ClassVar

import keras
import tensorflow as tf

from cirs_tf.config.sections import SCHEDULES, Config, SegmenterConfig
from cirs_tf.config.settings import (
    ANY,
    POSITIVE,
    WEIGHT,
    one_of,
    section,
    setting,
)
from cirs_tf.data.image_split import Batch
from cirs_tf.layers.argmax_in_place import argmax_in_place
from cirs_tf.layers.replica_random import replica_seed
from cirs_tf.layers.rgb_to_lab import rgb_to_lab
from cirs_tf.losses.soft_ncut import soft_ncut
from cirs_tf.methods.annealed_noise import NoiseSection, add_gumbel_noise
from cirs_tf.methods.augmentation import augment
from cirs_tf.methods.heads import (
    HeadsSection,
    segmenter_with_heads,
    terms_of_best_head,
    train_heads,
)
from cirs_tf.models.unet import unet
from cirs_tf.training.optimizers import adam, learning_rate_schedule
from cirs_tf.training.phases import Phase, Terms
from cirs_tf.training.strategy import batch_mean


@dataclasses.dataclass(frozen=True)
class WnetSection(HeadsSection, NoiseSection):
    """W-Net: a soft normalized cut, and a reconstruction from the segments.

    Every head has a decoder of its own.
    """

    key: ClassVar[str] = "wnet"

    radius: float = setting(
        5.0, POSITIVE, "Pixels further apart are not compared by the cut; in pixels."
    )
    sigma_intensity: float = setting(
        10 / 255,
        POSITIVE,
        "Width of the cut's weight over colors, as color_space has them.",
    )
    sigma_position: float = setting(
        4.0, POSITIVE, "Width of the cut's weight over positions, in pixels."
    )
    color_space: str = setting(
        "rgb",
        one_of("rgb", "lab"),
        "Colors that are cut and rebuilt: RGB in [0, 1]; or L*a*b* / 100, where "
        "distances are nearer to those that people see.",
    )
    reconstruction: str = setting(
        "mse", one_of("mse", "bce"), "Squared error, or binary cross-entropy."
    )
    reconstruction_weight: float = setting(
        1.0,
        WEIGHT,
        "Weight of the reconstruction beside the cut. Both are means, the former over "
        "values; an author who sums it over pixels, channels and the mini-batch has "
        "their product as weight.",
    )
    hard_segments: bool = setting(
        False,
        ANY,
        "Whether the decoder sees the argmax of the segments (in place, straight "
        "through) instead of their probabilities, which hold a color without segments.",
    )
    flip: bool = setting(
        False, ANY, "Whether training images are mirrored, each with probability 1/2."
    )
    schedule: str = setting(
        "alternating",
        one_of(*SCHEDULES),
        "joint minimizes the sum of cut and reconstruction; alternating updates the "
        "encoder by the cut, then both networks by the reconstruction, in turns.",
    )
    xla: bool = setting(
        True,
        ANY,
        "Whether the cut is compiled with XLA: quicker steps, a slower start.",
    )


@dataclasses.dataclass(frozen=True)
class WnetConfig(Config):
    """The whole configuration of W-Net."""

    method: str = setting("wnet", one_of("wnet"), "The system to train.")
    segmenter: SegmenterConfig = section(SegmenterConfig)
    wnet: WnetSection = section(WnetSection)

    def check(self) -> None:
        """Refuse what does not go together."""
        options = self.wnet
        joint = options.schedule == "joint"
        options.require("heads", joint or options.heads == 1, "1 with alternating")
        rgb = options.color_space == "rgb"
        options.require(
            "reconstruction", rgb or options.reconstruction == "mse", "mse with lab"
        )


class Wnet:
    """Image -> U-Net -> softmax -> U-Net -> image; soft normalized cut on the softmax.

    It looks at one image at a time: the color-clustering method that the thesis
    compares with.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: Xia and Kulis 2017; thesis 8.
    """

    config_class = WnetConfig
    needs_masks = False

    def __init__(self, config: WnetConfig, height: int, width: int):
        options = self.options = config.wnet
        self._all_heads, self.segmenter = _segmenters(config)
        self.decoder = _decoders(config)
        self.networks = {"segmenter": self.segmenter, "decoder": self.decoder}
        self._compiled_cut = tf.function(
            soft_ncut, jit_compile=options.xla, autograph=False
        )
        self.pretraining = []
        self.seed = config.seed
        encoder = self.segmenter.trainable_variables
        both = encoder + self.decoder.trainable_variables
        rate = learning_rate_schedule(config.training)
        if options.schedule == "joint":
            terms = ("loss", "n_cut", "reconstruction")
            self.phases = [Phase("joint", self._train, terms, both, adam(both, rate))]
        else:
            cut, rebuild = self._n_cut, self._reconstruction
            self.phases = [
                Phase("n_cut", cut, ("loss",), encoder, adam(encoder, rate)),
                Phase("reconstruction", rebuild, ("loss",), both, adam(both, rate)),
            ]

    @staticmethod
    def build_segmenter(config: WnetConfig) -> keras.Model:
        """Build S alone.

        Args:
            config: The run.
        """
        return _segmenters(config)[1]

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the sum of both losses, and each, in inference mode, `[batch]`."""
        heads = self._terms_of_heads(batch, training=False)
        return terms_of_best_head(self.segmenter, heads)

    def _train(self, batch: Batch) -> Terms:
        heads = self._terms_of_heads(self._mirrored(batch), training=True)
        if len(heads) > 1:  # compared by their means over the global batch
            heads = [
                {name: batch_mean(term) for name, term in terms.items()}
                for terms in heads
            ]
        return train_heads(self.segmenter, heads)

    def _terms_of_heads(self, batch: Batch, training: bool) -> list[Terms]:
        colors = self._colors(batch)
        probabilities = self._probabilities(batch, training)
        rebuilt = self._rebuilt(probabilities, training)
        terms = []
        for of_head, image in zip(probabilities, rebuilt, strict=True):
            cut = self._cut_loss(of_head, colors)
            error = self._error(image, colors)
            loss = cut + self.options.reconstruction_weight * error
            terms.append({"loss": loss, "n_cut": cut, "reconstruction": error})
        return terms

    def _n_cut(self, batch: Batch) -> Terms:
        batch = self._mirrored(batch)
        (probabilities,) = self._probabilities(batch, training=True)
        return {"loss": self._cut_loss(probabilities, self._colors(batch))}

    def _reconstruction(self, batch: Batch) -> Terms:
        batch = self._mirrored(batch)
        probabilities = self._probabilities(batch, training=True)
        (rebuilt,) = self._rebuilt(probabilities, training=True)
        error = self._error(rebuilt, self._colors(batch))
        return {"loss": self.options.reconstruction_weight * error}

    @property
    def _updates(self) -> list[tf.Tensor]:
        """The counts of updates of all phases, that of the cut first."""
        return [phase.optimizer.iterations.value for phase in self.phases]

    def _mirrored(self, batch: Batch) -> Batch:
        """Return the images, some of them mirrored; others after every update."""
        if not self.options.flip:
            return batch
        seed = replica_seed(self.seed, tf.add_n(self._updates))
        return {**batch, "image": augment(batch["image"], "flip", seed)}

    def _colors(self, batch: Batch) -> tf.Tensor:
        """Return the images `[batch, height, width, 3]` as they are cut and rebuilt."""
        images = tf.cast(batch["image"], tf.float32)
        return rgb_to_lab(images) / 100 if self._in_lab else images

    @property
    def _in_lab(self) -> bool:
        return self.options.color_space == "lab"

    def _probabilities(self, batch: Batch, training: bool) -> list[tf.Tensor]:
        """Return the softmax of each head, `[batch, height, width, K]`."""
        logits = self._all_heads(batch["image"], training=training)
        if training:
            logits = add_gumbel_noise(logits, self.options, self._updates, self.seed)
        heads = tf.split(logits, self.options.heads, axis=-1)
        return [tf.nn.softmax(of_head) for of_head in heads]

    def _rebuilt(
        self, probabilities: list[tf.Tensor], training: bool
    ) -> list[tf.Tensor]:
        """Return what the decoders make of each head's segments: logits, or L*a*b*."""
        segments = tf.concat(probabilities, axis=-1)
        if self.options.hard_segments:
            segments = tf.concat(list(map(argmax_in_place, probabilities)), axis=-1)
        rebuilt = self.decoder(segments, training=training)
        return tf.split(rebuilt, self.options.heads, axis=-1)

    def _cut_loss(self, probabilities: tf.Tensor, colors: tf.Tensor) -> tf.Tensor:
        options = self.options
        return self._compiled_cut(
            probabilities,
            tf.cast(colors, probabilities.dtype),
            options.radius,
            options.sigma_intensity,
            options.sigma_position,
        )

    def _error(self, rebuilt: tf.Tensor, colors: tf.Tensor) -> tf.Tensor:
        """Return the mean error of each image, `[batch]`."""
        colors = tf.cast(colors, rebuilt.dtype)
        if self.options.reconstruction == "bce":
            error = tf.nn.sigmoid_cross_entropy_with_logits(colors, rebuilt)
        else:
            found = rebuilt if self._in_lab else keras.ops.sigmoid(rebuilt)
            error = tf.square(colors - found)
        return tf.reduce_mean(error, axis=[1, 2, 3])


def _segmenters(config: WnetConfig) -> tuple[keras.Model, keras.Model]:
    """Return S with all heads, and with the best one."""
    heads, segments = config.wnet.heads, config.segments
    return segmenter_with_heads(config.segmenter, heads, segments, 2 * config.seed)


def _decoders(config: WnetConfig) -> keras.Model:
    """Return the second U-Net, from the segments of all heads to an image of each."""
    heads, segments = config.wnet.heads, config.segments
    seed = heads * (2 * config.seed + 1)
    # Its outputs are colors, whose lengths mean something.
    network = dataclasses.replace(config.segmenter, logit_scale=None)
    if heads == 1:
        return unet(network, 3, seed, inputs=segments, name="decoder")
    inputs = keras.Input((None, None, heads * segments), name="segments")
    rebuilt = [
        unet(network, 3, seed + head, segments, f"decoder_{head}")(part)
        for head, part in enumerate(keras.ops.split(inputs, heads, axis=-1))
    ]
    return keras.Model(inputs, keras.ops.concatenate(rebuilt, axis=-1), name="decoder")
