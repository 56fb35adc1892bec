"""What is pasted, and before what: held as weights, so that checkpoints keep it."""

import keras
import numpy as np
import tensorflow as tf

BACKGROUNDS = 256


@keras.saving.register_keras_serializable("cirs_tf")
class CutOutBank(keras.layers.Layer):
    """Patches of K - 1 kinds, where each kind's lie, and colors behind; not learned.

    Called with anything; returns what it holds:
    `patches` `[K - 1, members, canvas, canvas, 4]` uint8 (RGB, and 255 times the share
    of the pixel that is covered), `middles` `[K - 1, 2, 2]` (least and greatest row and
    column),
    `backgrounds` `[BACKGROUNDS, 3]` float in [0, 1], and two scalars: `max_parts` an
    image, and in how many `quarter_turns` they are shown, 1 or 4.

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
        self.patches = self.add_weight(
            name="patches", shape=shape, dtype="uint8", **kept
        )
        shape = (self.kinds, 2, 2)
        self.middles = self.add_weight(name="middles", shape=shape, **kept)
        shape = (BACKGROUNDS, 3)
        self.backgrounds = self.add_weight(name="backgrounds", shape=shape, **kept)
        kept["initializer"] = "ones"
        self.max_parts = self.add_weight(name="max_parts", shape=(), **kept)
        self.quarter_turns = self.add_weight(name="quarter_turns", shape=(), **kept)

    def call(self, _) -> dict[str, tf.Tensor]:
        """Return all that is held, by name."""
        return {
            "patches": self.patches.value,
            "middles": self.middles.value,
            "backgrounds": self.backgrounds.value,
            "max_parts": self.max_parts.value,
            "quarter_turns": self.quarter_turns.value,
        }

    def assign(
        self,
        patches: np.ndarray,
        middles: np.ndarray,
        backgrounds: np.ndarray,
        max_parts: int,
        quarter_turns: int,
    ) -> None:
        """Set what is held; colors and shares are uint8, 255 for 1."""
        self.patches.assign(patches)
        self.middles.assign(middles)
        rows = np.arange(BACKGROUNDS) % len(backgrounds)
        self.backgrounds.assign(backgrounds[rows].astype(np.float32) / 255)
        self.max_parts.assign(max_parts)
        self.quarter_turns.assign(quarter_turns)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        names = ("kinds", "members", "canvas")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
