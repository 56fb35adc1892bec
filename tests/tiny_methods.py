"""Every method on the smallest networks, and images, masks and pseudo-labels for it."""

import numpy as np
import tensorflow as tf

from cirs_tf.methods.registry import build_method, load_config
from cirs_tf.training.phases import PSEUDO_LABELS

RNG = np.random.default_rng(0)
SIDE, SEGMENTS, SIZE = 8, 4, 8
IMAGES = RNG.integers(0, 256, (24, SIDE, SIDE, 3), dtype=np.uint8)
MASKS = RNG.integers(0, SEGMENTS, (24, SIDE, SIDE), dtype=np.uint8)
# Some images are unsure nearly everywhere, so that replicas count unlike pixels.
UNSURE = RNG.random(MASKS.shape) < RNG.random((24, 1, 1))
PSEUDO = np.where(UNSURE, 255, np.minimum(MASKS, 3)).astype(np.uint8)
CANVAS = 4  # 2 round(0.625 * 8 / 2)
DRAWN = RNG.integers(0, 256, (SEGMENTS - 1, 2, CANVAS, CANVAS, 4), dtype=np.uint8)
NUM_WORDS = 16
WORDS = {
    "word_table": RNG.integers(0, NUM_WORDS, (32, 32, 32), dtype=np.int32),
    "word_vectors": RNG.normal(size=(NUM_WORDS, SEGMENTS - 1)).astype(np.float32),
    "word_colors": RNG.random((NUM_WORDS, 3)).astype(np.float32),
}
TINY_DEEP_CLUSTERING = (
    "deep_clustering.weights=random",
    "deep_clustering.layers=[b0]",
    "deep_clustering.stride=4",
    "deep_clustering.components=4",
    "deep_clustering.clusterings=2",
    "deep_clustering.clusters=6",
    "deep_clustering.edge_radius=1",
)
INITIALIZATIONS = {
    "air": WORDS,
    "cirs": {PSEUDO_LABELS: PSEUDO, **WORDS},
    "cirs_plus": {PSEUDO_LABELS: PSEUDO},
    "wnet": {PSEUDO_LABELS: PSEUDO},
    "cirs_aligned": {
        PSEUDO_LABELS: PSEUDO,
        "background": RNG.random((SIDE, SIDE, 3)),
        "template_colors": RNG.random((SEGMENTS - 1, CANVAS, CANVAS, 3)),
        "template_support": RNG.random((SEGMENTS - 1, CANVAS, CANVAS)) < 0.7,
    },
    "deep_clustering": {
        "kernel_b0": 0.2 * RNG.normal(size=(16, 4)),
        "bias_b0": RNG.normal(size=4),
        "centers": RNG.normal(size=(2, 6, 4)),
        "segment_of": RNG.integers(0, SEGMENTS, (2, 6)),
    },
    "fixed_camera": {
        "background": RNG.random((SIDE, SIDE, 3)),
        "threshold": np.array(0.8),
        "kinds": RNG.normal(size=(SEGMENTS - 1, 4)),
    },
    "cut_and_paste": {
        "patches": DRAWN,
        "center_bounds": np.tile([[2.0], [6.0]], (SEGMENTS - 1, 1, 2)),
        "backgrounds": RNG.integers(0, 256, (5, 3), dtype=np.uint8),
        "max_parts": np.array(3),
        "quarter_turns": np.array(4),
    },
}


def tiny_config(tiny, source, *overrides):
    """Return a configuration, from those of the tiny settings that its method has.

    Args:
        tiny: Settings of the smallest networks, as `section.name=value`.
        source: Name of an installed configuration.
        *overrides: Further settings; the last one wins.
    """
    config = load_config(source)
    usable = [setting for setting in tiny if hasattr(config, setting.partition(".")[0])]
    if config.method == "deep_clustering":
        usable += TINY_DEEP_CLUSTERING
    return load_config(source, [*usable, *overrides])


def initialization_of(config):
    """Return what a method would take from the images, {} if nothing.

    Args:
        config: From `tiny_config`.
    """
    given = INITIALIZATIONS.get(config.method, {})
    if config.method != "cirs_aligned":
        return given
    objects = config.segments - 1
    labels = np.where(PSEUDO == 255, 255, np.minimum(PSEUDO, objects))
    return {
        **given,
        PSEUDO_LABELS: labels.astype(np.uint8),
        "template_colors": given["template_colors"][:objects],
        "template_support": given["template_support"][:objects],
    }


def build_tiny(config, strategy=None):
    """Build a method and assign what it would take from the images, if anything.

    Args:
        config: From `tiny_config`.
        strategy: Where to build it; None: one device.
    """
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        method = build_method(config, SIDE, SIDE)
        if config.method in INITIALIZATIONS:
            method.assign(initialization_of(config))
    return method
