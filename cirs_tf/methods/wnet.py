"""W-Net: segments that cut between unlike pixels and still hold the image."""

import dataclasses

import keras
import tensorflow as tf

from cirs_tf.data.image_split import Batch
from cirs_tf.layers.argmax_in_place import argmax_in_place
from cirs_tf.layers.replica_random import replica_seed
from cirs_tf.layers.rgb_to_lab import rgb_to_lab
from cirs_tf.losses.soft_ncut import soft_ncut
from cirs_tf.methods.annealed_noise import add_gumbel_noise
from cirs_tf.methods.augmentation import augment
from cirs_tf.methods.heads import (
    segmenter_with_heads,
    terms_of_best_head,
    train_heads,
)
from cirs_tf.methods.segmenter_pretraining import (
    LearnsPseudoLabels,
    SegmenterPretraining,
)
from cirs_tf.methods.wnet_config import WnetConfig
from cirs_tf.models.unet import unet
from cirs_tf.training.optimizers import adam, learning_rate_schedule
from cirs_tf.training.phases import Phase, PretrainingPhase, Terms
from cirs_tf.training.strategy import batch_mean


class Wnet(LearnsPseudoLabels):
    """Image -> U-Net -> softmax -> U-Net -> image; soft normalized cut on the softmax.

    It looks at one image at a time: the color-clustering method that the thesis
    compares with. S may learn clusters of colors first (`pretraining.pseudo_labels`).

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: Xia and Kulis 2017; thesis 8.
    """

    config_class = WnetConfig
    needs_masks = False
    initialized_by = ("pretraining.", "background.")

    def __init__(self, config: WnetConfig, height: int, width: int):
        self.config = config
        options = self.options = config.wnet
        self._all_heads, self.segmenter = _segmenters(config)
        self.decoder = _decoders(config)
        self.networks = {"segmenter": self.segmenter, "decoder": self.decoder}
        self._compiled_cut = tf.function(
            soft_ncut, jit_compile=options.xla, autograph=False
        )
        self.labels = SegmenterPretraining(
            self.segmenter, config.segments, config.pretraining
        )
        self.pretraining = self.labels.phases
        if self.pretraining:
            self.pretraining = [*self.labels.phases, self._decoder_pretraining()]
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

    def _decoder_pretraining(self) -> PretrainingPhase:
        """Return the phase in which the decoder learns what S has learned.

        As long as it rebuilds nothing yet, its gradients would undo S's segments.
        """
        options, variables = self.config.pretraining, self.decoder.trainable_variables
        return PretrainingPhase(
            "decoder",
            self._reconstruction_alone,
            ("loss",),
            variables,
            adam(variables, options.learning_rate),
            options.steps,
            options.images,
        )

    def _reconstruction_alone(self, batch: Batch) -> Terms:
        probabilities = self._probabilities(batch, training=False)
        (rebuilt,) = self._rebuilt(probabilities, training=True)
        return {"loss": self._error(rebuilt, self._colors(batch))}

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
