"""Maps of DINOv2's patch tokens, beside keras-hub's own network and NumPy."""

import keras
import numpy as np
import pytest
from tiny_dinov2 import CHANNELS, PATCH, normalize, write_preset

from cirs_tf.layers.patch_maps import PatchMaps

NAMES = ["layernorm", "stage2", "stage1"]
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"num_register_tokens": 3, "antialias_in_interpolation": True},
        {"apply_layernorm": True, "use_swiglu_ffn": True},
    ],
)
def test_maps_are_the_patch_tokens_of_keras_hub(settings, tmp_path):
    backbone = write_preset(tmp_path, **settings)
    # keras-hub interpolates the position embeddings of 5 x 5 patches when it loads.
    same = type(backbone).from_preset(str(tmp_path), image_shape=(42, 42, 3))
    images = RNG.random((2, 42, 42, 3)).astype(np.float32)
    prepared = {"images": normalize(images)}
    expected = keras.Model(same.inputs, same.pyramid_outputs)(prepared)
    expected = {**expected, "layernorm": same(prepared)}
    maps = PatchMaps(backbone, NAMES)(images)
    assert list(maps) == NAMES
    first = 1 + settings.get("num_register_tokens", 0)
    for name in NAMES:
        tokens = np.array(expected[name])[:, first:]
        wanted = tokens.reshape(2, 3, 3, CHANNELS)
        assert wanted.std() > 0.1
        np.testing.assert_allclose(maps[name], wanted, atol=1e-4)


def bilinear(images, rows, columns):
    """Return images resized between the middles of pixels, along one axis at a time."""
    for axis, size in ((1, rows), (2, columns)):
        old = images.shape[axis]
        places = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0, old - 1)
        low = np.minimum(places.astype(int), old - 2)
        share = (places - low).reshape([-1 if i == axis else 1 for i in range(4)])
        one, other = (np.take(images, low + i, axis) for i in (0, 1))
        images = (1 - share) * one + share * other
    return images


@pytest.mark.parametrize("registers", [0, 2])
def test_sides_that_are_no_multiples_and_differ(registers, tmp_path):
    backbone = write_preset(tmp_path, num_register_tokens=registers)
    images = RNG.random((2, 30, 62, 3)).astype(np.float32)
    # keras-hub's network is square, but its first layer can be built of any shape.
    layer = backbone.embeddings
    config = {**layer.get_config(), "image_shape": (28, 56), "name": "wide"}
    wide = type(layer)(**config)
    wide.build((None, 28, 56, 3))
    wide.patch_embeddings.set_weights(layer.patch_embeddings.get_weights())
    store = {}
    layer.save_own_variables(store)
    wide.load_own_variables(store)
    prepared = normalize(bilinear(images.astype(np.float64), 28, 56))
    tokens = backbone.layernorm(backbone.encoder(wide(prepared))[0])
    expected = np.array(tokens)[:, 1 + registers :].reshape(2, 2, 4, CHANNELS)
    found = PatchMaps(backbone, ["layernorm"])(images)["layernorm"]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"),
    [(1, 6, 1, 1), (20, 21, 1, 2), (34, 35, 2, 3), (5 * PATCH, 70, 5, 5)],
)
def test_the_nearest_number_of_patches_at_least_one(
    height, width, rows, columns, tmp_path
):
    layer = PatchMaps(write_preset(tmp_path), ["stage1"])
    maps = layer(np.zeros((1, height, width, 3), np.float32))
    assert maps["stage1"].shape == (1, rows, columns, CHANNELS)
    shapes = layer.compute_output_shape((None, height, width, 3))
    assert shapes == {"stage1": (None, None, None, CHANNELS)}


def test_dropout_of_training_is_left_out(tmp_path):
    backbone = write_preset(tmp_path, dropout_rate=0.5, drop_path_rate=0.5)
    layer = PatchMaps(backbone, ["layernorm"])
    images = RNG.random((1, 28, 28, 3)).astype(np.float32)
    one, other = (layer(images, training=True)["layernorm"] for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("outputs", "named"), [(["stage1", "stage3", "b4"], "stage3, b4"), ([], "none")]
)
def test_layers_that_it_does_not_have(outputs, named, tmp_path):
    backbone = write_preset(tmp_path)
    expected = f"stage1 to stage2 and layernorm, got {named}$"
    with pytest.raises(ValueError, match=expected):
        PatchMaps(backbone, outputs)
