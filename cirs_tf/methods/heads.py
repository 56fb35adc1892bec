"""Several output heads on one segmenter, each trained alone; the best one is S."""

import dataclasses

import keras
import tensorflow as tf

from cirs_tf.config.sections import SegmenterConfig
from cirs_tf.config.settings import Section, between, setting
from cirs_tf.layers.best_head import BestHead
from cirs_tf.models.unet import unet
from cirs_tf.training.phases import Terms

_NAME = "best_head"


@dataclasses.dataclass(frozen=True)
class HeadsSection(Section):
    """The number of heads."""

    heads: int = setting(
        1,
        between(1, 16),
        "Output heads on one U-Net, each trained by the objective as if alone; that of "
        "the lowest training loss is the segmenter.",
    )


def segmenter_with_heads(
    config: SegmenterConfig, heads: int, segments: int, seed: int
) -> tuple[keras.Model, keras.Model]:
    """Build a U-Net with all heads, and S: the same layers, with the best head alone.

    Objectives without labels have local optima, in which two objects share a segment
    and another is split. A head more costs little beside the U-Net, and the objective
    itself tells which head is best.

    Args:
        config: The U-Net.
        heads: Number of heads.
        segments: K.
        seed: Seed of the weights and of dropout.

    Returns:
        Models from `[batch, height, width, 3]` to `[batch, height, width, heads K]`
        and to `[batch, height, width, K]` logits; one and the same for a single head.

    Reference: Ji et al. 2019, who choose among heads by the loss, too.
    """
    if heads == 1:
        network = unet(config, segments, seed)
        return network, network
    network = unet(config, heads * segments, seed, name="heads")
    logits = BestHead(heads, name=_NAME)(network.output)
    return network, keras.Model(network.input, logits, name="segmenter")


def train_heads(segmenter: keras.Model, heads: list[Terms]) -> Terms:
    """Return terms that train each head as if alone, and show the best one's.

    Args:
        segmenter: S, whose choice is brought up to date.
        heads: The terms of every head; `loss` a scalar of the global batch.

    Returns:
        The values of the best head's terms. The gradient of `loss` is that of the sum
        of all heads' losses.
    """
    if len(heads) == 1:
        return heads[0]
    losses = tf.stack([terms["loss"] for terms in heads])
    segmenter.get_layer(_NAME).update(losses)
    terms = terms_of_best_head(segmenter, heads)
    return {**terms, "loss": _value_of(terms["loss"], tf.reduce_sum(losses))}


def terms_of_best_head(segmenter: keras.Model, heads: list[Terms]) -> Terms:
    """Return the terms of the head that S takes.

    Args:
        segmenter: S.
        heads: The terms of every head.
    """
    if len(heads) == 1:
        return heads[0]
    best = segmenter.get_layer(_NAME).best
    return {
        name: tf.gather(tf.stack([terms[name] for terms in heads]), best)
        for name in heads[0]
    }


@tf.custom_gradient
def _value_of(shown: tf.Tensor, minimized: tf.Tensor):
    """Return the value of the first with the gradient of the second."""
    return tf.identity(shown), lambda upstream: (tf.zeros_like(shown), upstream)
