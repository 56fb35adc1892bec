"""Feature maps of a frozen DINOv2: its patch tokens, at any image size."""

import importlib
from collections.abc import Sequence

import keras
import tensorflow as tf

_LAST = "layernorm"
# ImageNet's colors in [0, 1], by which the images of DINOv2's training were scaled.
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@keras.saving.register_keras_serializable("cirs_tf")
class PatchMaps(keras.layers.Layer):
    """Images to maps of the patch tokens of a DINOv2's layers.

    `[batch, height, width, 3]` float32 in [0, 1] to a dict of `[batch, rows, columns,
    channels]` float32 by name; rows are height / patch size, rounded, at least 1, and
    columns likewise. Class and register tokens take part and are left out at the end.

    Images are resized to whole patches by bilinear interpolation, and the position
    embeddings to rows and columns by bicubic interpolation, as keras-hub resizes them.
    Its own network is built for images of one size, and square ones.

    Args:
        backbone: A `keras_hub.models.DINOV2Backbone`, of any `image_shape`.
        outputs: Of `stage1` to `stageN`, the outputs of the N transformer layers, and
            `layernorm`, the last of them normalized.

    Raises:
        ValueError: An output is unknown.

    Reference: Oquab et al. 2023, DINOv2; Darcet et al. 2023, for the registers.
    """

    def __init__(self, backbone: keras.Model, outputs: Sequence[str], **kwargs):
        super().__init__(**kwargs)
        known = [*(f"stage{i + 1}" for i in range(backbone.num_layers)), _LAST]
        unknown = [name for name in outputs if name not in known]
        if unknown or not outputs:
            raise ValueError(
                f"expected layers of {known[0]} to {known[-2]} and {_LAST}, "
                f"got {', '.join(unknown) or 'none'}"
            )
        self.backbone, self.outputs = backbone, list(outputs)
        # TensorFlow's checkpoints find no layers that a layer of Keras has in a list.
        for number, layer in enumerate(backbone.encoder.layers):
            setattr(self, f"stage{number + 1}", layer)

    def call(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the maps by name."""
        patch = self.backbone.patch_size
        # The nearest number of patches, one half rounded up.
        grid = tf.maximum((2 * tf.shape(images)[1:3] + patch) // (2 * patch), 1)
        normalized = (images - _MEAN) / tf.constant(_DEVIATION, images.dtype)
        tokens = self._embed(tf.image.resize(normalized, grid * patch), grid)
        tokens, layers = self.backbone.encoder(tokens, training=False)
        if self.backbone.apply_layernorm:
            layers = {key: self.backbone.layernorm(layers[key]) for key in layers}
        layers[_LAST] = self.backbone.layernorm(tokens)
        first = 1 + self.backbone.num_register_tokens
        shape = [-1, grid[0], grid[1], self.backbone.hidden_dim]
        return {
            name: tf.reshape(layers[name][:, first:], shape)  # (B, rows, columns, C)
            for name in self.outputs
        }

    def compute_output_shape(self, input_shape: tuple) -> dict[str, tuple]:
        """Return the shapes of the maps, their sides unknown."""
        shape = (input_shape[0], None, None, self.backbone.hidden_dim)
        return dict.fromkeys(self.outputs, shape)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        backbone = keras.saving.serialize_keras_object(self.backbone)
        return {**super().get_config(), "backbone": backbone, "outputs": self.outputs}

    @classmethod
    def from_config(cls, config: dict) -> "PatchMaps":
        """Build the layer again, with random weights."""
        importlib.import_module("keras_hub")  # registers the backbone's class
        backbone = keras.saving.deserialize_keras_object(config["backbone"])
        return cls(**{**config, "backbone": backbone})

    def _embed(self, images: tf.Tensor, grid: tf.Tensor) -> tf.Tensor:
        """Return `[batch, 1 + registers + patches, channels]` of whole patches."""
        layer = self.backbone.embeddings
        positions = tf.convert_to_tensor(layer.position_embeddings)
        sides = [side // layer.patch_size for side in layer.position_embedding_shape]
        resized = tf.image.resize(
            tf.reshape(positions[:, 1:], [1, *sides, layer.hidden_dim]),
            grid,
            "bicubic",
            antialias=layer.antialias_in_interpolation,
        )
        patches = layer.patch_embeddings(images)
        patches += tf.reshape(resized, [1, -1, layer.hidden_dim])
        leading = tf.convert_to_tensor(layer.cls_token) + positions[:, :1]
        if layer.num_register_tokens:  # they have no position
            registers = tf.convert_to_tensor(layer.register_tokens)
            leading = tf.concat([leading, registers], axis=1)
        leading = tf.repeat(leading, tf.shape(images)[0], axis=0)
        return tf.concat([leading, patches], axis=1)
