"""DINOv2 as a backbone: its weights from a preset, and what is said where it fails."""

import json
import sys

import numpy as np
import pytest
from tiny_dinov2 import CHANNELS, normalize, write_preset

from cirs_tf.errors import ConfigError, DataError
from cirs_tf.models.backbones.backbone import (
    build_backbone,
    load_backbone_weights,
    weights_origin,
)

IMAGES = np.random.default_rng(0).random((2, 70, 70, 3)).astype(np.float32)
MISSING = (
    "dinov2: keras-hub is not installed: pip install 'cirs-tf[hub]', in an environment "
    "without tensorflow-cpu, since it brings tensorflow"
)


def test_weights_are_those_of_the_preset(tmp_path):
    original = write_preset(tmp_path, num_register_tokens=3)
    backbone = build_backbone("dinov2", ["layernorm"], 0, str(tmp_path))
    tokens = np.array(original({"images": normalize(IMAGES)}))[:, 4:]
    expected = tokens.reshape(2, 5, 5, CHANNELS)
    assert np.abs(backbone(IMAGES)["layernorm"] - expected).max() > 1
    load_backbone_weights(backbone, "dinov2", str(tmp_path))
    np.testing.assert_allclose(backbone(IMAGES)["layernorm"], expected, atol=1e-4)
    assert backbone.trainable_variables == []


def test_the_folder_needs_its_weights_only_to_load_them(tmp_path):
    write_preset(tmp_path)
    (tmp_path / "model.weights.h5").unlink()
    backbone = build_backbone("dinov2", ["stage1"], 0, str(tmp_path))
    with pytest.raises(DataError, match=f"dinov2: weights {tmp_path}: .*model.weights"):
        load_backbone_weights(backbone, "dinov2", str(tmp_path))


def test_origin_and_licence():
    for preset in ("dinov2_small", "dinov2_with_registers_giant"):
        assert weights_origin("dinov2", preset) == (
            f"{preset} of keras-hub, DINOv2 trained on images without labels "
            "(Apache-2.0)"
        )
    said = weights_origin("dinov2", "some/dinov2_small")
    assert said == "dinov2 of keras-hub, weights of dinov2_small"


def test_names_with_a_known_licence_are_those_of_keras_hub():
    presets = pytest.importorskip("keras_hub").models.DINOV2Backbone.presets
    assert len(presets) > 4
    assert all("Apache" in weights_origin("dinov2", name) for name in presets)


@pytest.mark.parametrize("weights", ["pretrained", "random", "dinov2_tiny"])
def test_weights_that_say_no_size(weights):
    pytest.importorskip("keras_hub")
    with pytest.raises(ConfigError, match=f"such as dinov2_small, .* got '{weights}'"):
        build_backbone("dinov2", ["layernorm"], 0, weights)


def test_what_cannot_be_read_is_one_line(tmp_path):
    write_preset(tmp_path / "good")
    with pytest.raises(ConfigError, match="^dinov2: .*stage2 and layernorm, got b10$"):
        build_backbone("dinov2", ["b10"], 0, str(tmp_path / "good"))
    (tmp_path / "empty").mkdir()
    config = json.loads((tmp_path / "good" / "config.json").read_text())
    config["registered_name"] = "keras_hub>BertBackbone"
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "config.json").write_text(json.dumps(config))
    for name, reason in (("empty", "config.json"), ("bert", "BertBackbone")):
        with pytest.raises(DataError, match=f"^dinov2: weights .*: .*{reason}"):
            build_backbone("dinov2", ["layernorm"], 0, str(tmp_path / name))


def test_without_the_extra_the_line_to_type_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)  # as if it were not there
    with pytest.raises(ConfigError) as caught:
        build_backbone("dinov2", ["layernorm"], 0, "dinov2_small")
    assert str(caught.value) == MISSING
