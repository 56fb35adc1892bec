"""Networks of keras.applications as backbones, beside the networks themselves."""

import keras
import numpy as np
import pytest

from cirs_tf.errors import ConfigError, DataError
from cirs_tf.models.backbones.backbone import (
    build_backbone,
    load_backbone_weights,
    weights_origin,
)

LAYERS = ["block_1_expand_relu", "block_3_expand_relu"]
IMAGES = np.random.default_rng(0).random((2, 64, 96, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def original():
    keras.utils.set_random_seed(3)
    return keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )


def test_maps_are_those_of_the_network_itself(original, tmp_path):
    file = tmp_path / "some.weights.h5"
    original.save_weights(file)
    backbone = build_backbone("MobileNetV2", LAYERS, seed=0)
    load_backbone_weights(backbone, "MobileNetV2", str(file))
    said = weights_origin("MobileNetV2", str(file))
    assert said == f"MobileNetV2 of keras.applications, weights of {file.name}"
    outputs = [original.get_layer(name).output for name in LAYERS]
    prepared = IMAGES * 2 - 1  # MobileNetV2's input is in [-1, 1]
    expected = keras.Model(original.input, outputs)(prepared, training=False)
    found = backbone(IMAGES, training=True)
    assert list(found) == LAYERS
    for name, values in zip(LAYERS, expected, strict=True):
        np.testing.assert_allclose(found[name], values, atol=1e-4)
    assert backbone.trainable_variables == []


@pytest.mark.parametrize(
    ("name", "layer", "prepared"),
    [
        ("MobileNetV3Small", "expanded_conv_1_add", IMAGES * 255),
        ("EfficientNetB0", "block2a_project_bn", IMAGES * 255),
    ],
)
def test_other_families(name, layer, prepared, tmp_path):
    keras.utils.set_random_seed(1)
    build = getattr(keras.applications, name)
    whole = build(include_top=False, weights=None, input_shape=(None, None, 3))
    names = [each.name for each in whole.layers]
    layer = layer if layer in names else names[30]
    whole.save_weights(tmp_path / "some.weights.h5")
    expected = keras.Model(whole.input, whole.get_layer(layer).output)(prepared)
    backbone = build_backbone(name, [layer], seed=0)
    load_backbone_weights(backbone, name, str(tmp_path / "some.weights.h5"))
    np.testing.assert_allclose(backbone(IMAGES)[layer], expected, atol=1e-3)


def test_random_weights_are_those_of_the_seed():
    one, same, other = (
        build_backbone("MobileNetV2", LAYERS, seed).get_weights() for seed in (0, 0, 1)
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])
    maps = build_backbone("MobileNet", ["conv_dw_3_relu"], 0)(IMAGES)
    assert 0.1 < np.std(maps["conv_dw_3_relu"]) < 10


def test_what_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="MobilNet: expected .*MobileNetV2"):
        build_backbone("MobilNet", LAYERS, 0)
    with pytest.raises(ConfigError, match="MobileNetV2: .*out_relu, got block_99"):
        build_backbone("MobileNetV2", ["block_99"], 0)
    with pytest.raises(ConfigError, match="with maps, got logits"):
        build_backbone("efficientnet_lite0", ["b0", "logits"], 0)
    backbone = build_backbone("MobileNetV2", LAYERS, 0)
    missing = str(tmp_path / "missing.weights.h5")
    with pytest.raises(DataError, match="MobileNetV2: weights .*missing"):
        load_backbone_weights(backbone, "MobileNetV2", missing)
    with pytest.raises(ConfigError, match="pretrained or random, got 'x.h5'"):
        load_backbone_weights(backbone, "efficientnet_lite0", "x.h5")
