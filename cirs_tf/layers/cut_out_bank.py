"""Non-trainable bank of cut-outs and background colors, saved in checkpoints."""

import keras
import numpy as np
import tensorflow as tf

BACKGROUNDS = 256


@keras.saving.register_keras_serializable("cirs_tf")
class CutOutBank(keras.layers.Layer):
    """Hold cut-outs of K - 1 classes and background colors; not trainable.

    The input is ignored; returns the stored tensors, by name:

    - `patches` `[K - 1, patches_per_class, canvas, canvas, 4]` uint8: RGB, and 255
      times the share of the pixel that the object covers;
    - `center_bounds` `[K - 1, 2, 2]` float: least and greatest row and column, in
      pixels, of the centers of each class in the images;
    - `backgrounds` `[BACKGROUNDS, 3]` float in [0, 1];
    - `max_parts`, a float scalar: the most objects per image;
    - `quarter_turns`, a float scalar, 1 or 4: how many ways a patch is turned.

    Args:
        num_objects: K - 1.
        patches_per_class: Number of patches of each class.
        canvas: Height and width of a patch in pixels.
    """

    def __init__(self, num_objects: int, patches_per_class: int, canvas: int, **kwargs):
        super().__init__(**kwargs)
        self.num_objects = num_objects
        self.patches_per_class = patches_per_class
        self.canvas = canvas

    def build(self, _) -> None:
        """Create the weights: empty patches, black backgrounds."""
        for name, (shape, dtype, initializer) in self._weights().items():
            weight = self.add_weight(
                name=name,
                shape=shape,
                dtype=dtype,
                initializer=initializer,
                trainable=False,
            )
            setattr(self, name, weight)

    def call(self, _) -> dict[str, tf.Tensor]:
        """Return the stored tensors, by name."""
        return {name: getattr(self, name).value for name in self._weights()}

    def compute_output_spec(self, _) -> dict[str, keras.KerasTensor]:
        """Return shapes and dtypes of the stored tensors, by name."""
        return {
            name: keras.KerasTensor(shape, dtype or self.variable_dtype)
            for name, (shape, dtype, _) in self._weights().items()
        }

    def assign(
        self,
        patches: np.ndarray,
        center_bounds: np.ndarray,
        backgrounds: np.ndarray,
        max_parts: int,
        quarter_turns: int,
    ) -> None:
        """Set the stored tensors.

        Args:
            patches: As `patches` above.
            center_bounds: As `center_bounds` above.
            backgrounds: `[images, 3]` uint8; repeated or cut to `BACKGROUNDS`.
            max_parts: The most objects per image, at least 1.
            quarter_turns: 1 or 4.
        """
        self.patches.assign(patches)
        self.center_bounds.assign(center_bounds)
        rows = np.arange(BACKGROUNDS) % len(backgrounds)
        self.backgrounds.assign(backgrounds[rows].astype(np.float32) / 255)
        self.max_parts.assign(max_parts)
        self.quarter_turns.assign(quarter_turns)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        names = ("num_objects", "patches_per_class", "canvas")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _weights(self) -> dict[str, tuple[tuple, str | None, str]]:
        """Return shape, dtype and initializer of every weight, by name, in order."""
        canvas = (self.canvas, self.canvas)
        patches = (self.num_objects, self.patches_per_class, *canvas, 4)
        return {
            "patches": (patches, "uint8", "zeros"),
            "center_bounds": ((self.num_objects, 2, 2), None, "zeros"),
            "backgrounds": ((BACKGROUNDS, 3), None, "zeros"),
            "max_parts": ((), None, "ones"),
            "quarter_turns": ((), None, "ones"),
        }
