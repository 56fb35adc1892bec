"""CIRS: a segmenter trained by how alike its segments are across images."""

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.config import Config
from cirs_tf.data.pipeline import Batch
from cirs_tf.data.transforms import random_shift_flip_turn
from cirs_tf.errors import ConfigError
from cirs_tf.layers.argmax_in_place import argmax_in_place
from cirs_tf.layers.replica_random import replica_seed
from cirs_tf.losses.cirs import cirs_loss
from cirs_tf.losses.min_usage import usage_shortfall
from cirs_tf.methods.schedules import (
    hard_masks,
    learning_rate_schedule,
    masked_images,
    segment_probabilities,
    two_network_phases,
)
from cirs_tf.methods.start import learn, learn_labels, start_labels, start_options
from cirs_tf.models.feature_input import feature_input, feature_input_size
from cirs_tf.models.feature_net import feature_net
from cirs_tf.models.unet import unet
from cirs_tf.training.optimizers import PartAdam, draws
from cirs_tf.training.phases import Terms
from cirs_tf.training.strategy import batch_mean


class Cirs:
    """Image -> S -> softmax -> argmax-in-place -> K masked images -> g -> CIRS loss.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Raises:
        ConfigError: The images are not square but turned, or do not divide into cells.

    Reference: thesis 6 (Figure 5); schedules 7.3 and 7.4.
    """

    needs_masks = False

    def __init__(self, config: Config, height: int, width: int):
        self.config = config
        options = config.cirs
        if options.augmentation != "none" and height != width:
            raise ConfigError(
                f"cirs.augmentation: {options.augmentation} needs square images, got "
                f"{height} x {width} pixels"
            )
        self.segmenter = unet(config.segmenter, config.segments, 2 * config.seed)
        self.feature_net = feature_net(
            config.feature_net,
            *feature_input_size(config.feature_net, height, width),
            config.segments,
            2 * config.seed + 1,
        )
        self.networks = {"segmenter": self.segmenter, "feature_net": self.feature_net}
        terms = ("loss", "within", "between")
        variables = {k: net.trainable_variables for k, net in self.networks.items()}
        if options.freeze_feature_net:
            variables["feature_net"] = []
        own_optimizer = options.feature_learning_rate is not None or options.reset_every
        self.phases = two_network_phases(
            loss=self._train,
            terms=(*terms, "shortfall") if options.usage_weight else terms,
            variables=variables,
            schedule=options.schedule,
            steps=(options.segmenter_steps, options.feature_net_steps),
            rate=learning_rate_schedule(config.training),
            optimizer=self._part_adam if own_optimizer else None,
        )
        # `StartsFromImages` only where there is something to start from.
        if options.start != "none" or options.feature_start_steps:
            self.start_from = self._start_from

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the CIRS loss and its terms in inference mode, scalars."""
        return self._terms(batch["image"], training=False)

    def _train(self, batch: Batch) -> Terms:
        images = batch["image"]
        if self.config.cirs.augmentation != "none":
            images = random_shift_flip_turn(images, self._seed())
        return self._terms(images, training=True)

    def _terms(self, images: tf.Tensor, training: bool) -> Terms:
        options = self.config.cirs
        probabilities = segment_probabilities(self.segmenter, images, training)
        masks = hard_masks(probabilities)  # (B, K, H, W, 1)
        masked = masked_images(images, masks)  # (B, K, H, W, 3)
        features = self._features(masked, masks, training)  # (B, K, F)
        terms = cirs_loss(features, options.alpha_1, options.alpha_2, batch_mean)
        terms = terms._asdict()
        if options.usage_weight:
            if options.usage_of == "masks":
                probabilities = argmax_in_place(probabilities)
            shortfall = usage_shortfall(probabilities, options.usage_floor, batch_mean)
            terms["shortfall"] = shortfall
            terms["loss"] += options.usage_weight * shortfall
        return terms

    def _features(
        self, masked: tf.Tensor, masks: tf.Tensor, training: bool
    ) -> tf.Tensor:
        """Return `[batch, K, features]`: g of every segment and its number."""
        count, segments = tf.shape(masked)[0], masked.shape[1]
        seen = feature_input(self.config.feature_net, masked, masks)
        flat = tf.reshape(seen, tf.concat([[-1], tf.shape(seen)[2:]], axis=0))
        number = tf.tile(tf.range(segments), [count])  # (B * K,)
        features = self.feature_net([flat, number], training=training)
        return tf.reshape(features, [count, segments, -1])

    def _seed(self) -> tf.Tensor:
        """Return another seed at each step and replica, the same after resuming."""
        done = [phase.optimizer.iterations.value for phase in self.phases]
        return replica_seed(self.config.seed, tf.add_n(done))

    def _part_adam(self, variables: list) -> keras.optimizers.Optimizer:
        """Return Adam with a rate of its own for g, and restarts of g."""
        options, rate = self.config.cirs, learning_rate_schedule(self.config.training)
        of_g = options.feature_learning_rate
        places = {id(variable): place for place, variable in enumerate(variables)}
        own = zip(
            self.feature_net.trainable_variables, draws(self.feature_net), strict=True
        )
        part = {places[id(one)]: draw for one, draw in own if id(one) in places}
        of_g = self.config.training.learning_rate if of_g is None else of_g
        seed = self.config.seed
        optimizer = PartAdam(rate, part, of_g, options.reset_every, seed)
        optimizer.build(variables)
        return optimizer

    def _start_from(self, images: np.ndarray) -> str:
        """Teach S first segments, and g to encode images, without a label.

        Args:
            images: `[images, height, width, 3]` uint8.

        Returns:
            A line for the log.

        Raises:
            DataError: `start: components`, and nothing stands out.
        """
        options, how = self.config.cirs, start_options(self.config)
        shown = images[: self.config.cirs_aligned.start_images]
        learned = []
        if options.start != "none":
            labels = start_labels(self.config, shown)
            segments, steps = self.config.segments, options.start_steps
            learn_labels(self.segmenter, shown, labels, segments, steps, **how)
            counts = np.bincount(labels.ravel(), minlength=256)[:segments]
            shares = " ".join(f"{share:.2f}" for share in counts / counts.sum())
            of = f"{options.start} of {len(shown):,} images"
            learned.append(f"{of}, shares {shares}")
        if options.feature_start_steps:
            self._learn_features(shown, options.feature_start_steps, how)
            learned.append(f"g as an encoder of {len(shown):,} images")
        return "start        " + "; ".join(learned)

    def _learn_features(self, images: np.ndarray, steps: int, how: dict) -> None:
        """Train g as the encoder of what it sees of whole images."""
        shape = self.feature_net.inputs[0].shape[1:]
        decoder = keras.layers.Dense(
            int(np.prod(shape)),
            kernel_initializer=keras.initializers.GlorotUniform(self.config.seed),
        )
        decoder.build((None, self.config.feature_net.features))

        def loss(batch: tf.Tensor, *_) -> tf.Tensor:
            whole = batch[:, None]  # (B, 1, H, W, 3)
            masks = tf.ones_like(whole[..., :1])
            seen = feature_input(self.config.feature_net, whole, masks)
            features = self._features(whole, masks, training=True)[:, 0]
            target = tf.reshape(seen, [tf.shape(seen)[0], -1])
            return tf.reduce_mean(tf.square(decoder(features) - target))

        variables = [
            *self.feature_net.trainable_variables,
            *decoder.trainable_variables,
        ]
        labels = np.zeros((len(images), 1), np.uint8)
        learn(loss, variables, images, labels, steps, **how)
