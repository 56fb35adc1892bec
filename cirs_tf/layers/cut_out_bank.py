"""What is pasted, and before what: held as weights, so that checkpoints keep it."""

import keras
import numpy as np
import tensorflow as tf

BACKGROUNDS = 256


@keras.saving.register_keras_serializable("cirs_tf")
class CutOutBank(keras.layers.Layer):
    """Patches of K - 1 kinds, where each kind's lie, and colours behind; not learned.

    Called with anything; returns what it holds:
    `patches` `[K - 1, members, canvas, canvas, 4]` float in [0, 1] (RGB, share of the
    pixel covered), `middles` `[K - 1, 2, 2]` (least and greatest row and column),
    `backgrounds` `[BACKGROUNDS, 3]` float in [0, 1], and `most`, a scalar: how many
    parts an image holds at most.

    Args:
        kinds: K - 1.
        members: Patches a kind.
        canvas: Height and width of a patch in pixels.
    """

    def __init__(self, kinds: int, members: int, canvas: int, **kwargs):
        super().__init__(**kwargs)
        self.kinds, self.members, self.canvas = kinds, members, canvas

    def build(self, _) -> None:
        """Create the weights: nothing to paste, before black."""
        kept = {"initializer": "zeros", "trainable": False}
        shape = (self.kinds, self.members, self.canvas, self.canvas, 4)
        self.patches = self.add_weight(name="patches", shape=shape, **kept)
        shape = (self.kinds, 2, 2)
        self.middles = self.add_weight(name="middles", shape=shape, **kept)
        shape = (BACKGROUNDS, 3)
        self.backgrounds = self.add_weight(name="backgrounds", shape=shape, **kept)
        kept["initializer"] = "ones"
        self.most = self.add_weight(name="most", shape=(), **kept)
        self.turns = self.add_weight(name="turns", shape=(), **kept)

    def call(self, _) -> dict[str, tf.Tensor]:
        """Return all that is held, by name."""
        return {
            "patches": self.patches.value,
            "middles": self.middles.value,
            "backgrounds": self.backgrounds.value,
            "most": self.most.value,
            "turns": self.turns.value,
        }

    def assign(
        self,
        patches: np.ndarray,
        middles: np.ndarray,
        backgrounds: np.ndarray,
        most: int,
        turns: int,
    ) -> None:
        """Set what is held; colours and shares are uint8, 255 for 1."""
        self.patches.assign(patches.astype(np.float32) / 255)
        self.middles.assign(middles)
        rows = np.arange(BACKGROUNDS) % len(backgrounds)
        self.backgrounds.assign(backgrounds[rows].astype(np.float32) / 255)
        self.most.assign(most)
        self.turns.assign(turns)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        names = ("kinds", "members", "canvas")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
