"""Every method by its entry: configuration, segmenter, phases."""

import numpy as np
import pytest
import tensorflow as tf
from method_steps import tiny_config

from cirs_tf.errors import ConfigError
from cirs_tf.methods.registry import (
    METHODS,
    build_method,
    build_segmenter,
    entry_of,
    load_config,
)
from cirs_tf.training.phases import Initializes

SIDE, SEGMENTS = 16, 4
RNG = np.random.default_rng(0)
BATCH = {
    "image": tf.constant(RNG.random((4, SIDE, SIDE, 3)), tf.float32),
    "mask": tf.constant(RNG.integers(0, SEGMENTS, (4, SIDE, SIDE)), tf.uint8),
}
WITH_FLOOR = ("cirs", "cirs_aligned", "cirs_plus", "air")
INITIALIZED = {"cirs", "cirs_aligned", "cirs_plus", "cut_and_paste"}
# Method: pretraining phases with its defaults.
PRETRAINED = {
    "cirs_aligned": [("segmenter", 150), ("poses", 400)],
    "cirs_plus": [("segmenter", 150)],
}


@pytest.mark.parametrize("name", METHODS)
def test_configuration_stands_beside_the_method(name):
    entry = entry_of(name)
    assert entry.config_class().method == name
    assert entry.config_class.__module__ == entry.method_class.__module__
    with pytest.raises(ConfigError, match=f"method: expected one of {name}"):
        entry.config_class(method="another")


def test_a_method_that_is_not_known_is_refused():
    with pytest.raises(ConfigError, match="method: expected one of cirs_aligned, cut"):
        load_config(None, ["method=magic"])


@pytest.mark.parametrize("name", METHODS)
def test_segmenter_alone_is_that_of_the_method(tiny, name):
    config = tiny_config(tiny, name, "seed=3")
    networks = build_method(config, SIDE, SIDE).networks
    if name == "autoencoder":
        with pytest.raises(ConfigError, match="autoencoder has no segmenter"):
            build_segmenter(config)
        return
    whole, alone = networks["segmenter"], build_segmenter(config)
    assert [v.name for v in whole.variables] == [v.name for v in alone.variables]
    for a, b in zip(whole.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    other = build_segmenter(tiny_config(tiny, name, "seed=4")).get_weights()
    assert any((a != b).any() for a, b in zip(alone.get_weights(), other, strict=True))


@pytest.mark.parametrize("name", METHODS)
def test_phases_give_the_terms_that_they_name(tiny, name):
    method = build_method(tiny_config(tiny, name), SIDE, SIDE)
    assert isinstance(method, Initializes) == (name in INITIALIZED)
    pretrained = [(phase.name, phase.steps) for phase in method.pretraining]
    assert pretrained == PRETRAINED.get(name, [])
    for phases in (method.pretraining, method.phases):
        names = [phase.name for phase in phases]
        assert len(set(names)) == len(names)
        for phase in phases:
            assert tuple(phase.loss(BATCH)) == phase.terms
            assert phase.terms[0] == "loss"
    assert "loss" in method.validation_terms(BATCH)


@pytest.mark.parametrize("name", METHODS)
def test_validation_is_in_inference_mode(tiny, name):
    """Whatever it measures, the weights stay, running statistics included."""
    method = build_method(tiny_config(tiny, name), SIDE, SIDE)
    before = {key: net.get_weights() for key, net in method.networks.items()}
    terms = [method.validation_terms(BATCH) for _ in range(2)]
    for name_ in terms[0]:
        np.testing.assert_array_equal(terms[0][name_], terms[1][name_])
    for key, network in method.networks.items():
        for a, b in zip(before[key], network.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", WITH_FLOOR)
def test_a_floor_that_k_segments_cannot_reach_is_refused(name):
    weight = f"{name}.usage_weight=0.1"
    message = rf"^{name}.usage_floor: expected at most 1 / segments = 0.25, got 0.26$"
    with pytest.raises(ConfigError, match=message):
        load_config(name, [weight, f"{name}.usage_floor=0.26"])
    assert load_config(name, [weight, f"{name}.usage_floor=0.25"])
    assert load_config(name, ["segments=3", weight, f"{name}.usage_floor=0.3"])
    # It does not matter where it weighs nothing.
    without = [f"{name}.usage_weight=0", "segments=200"]
    assert load_config(name, without).segments == 200


def test_aligned_segments_need_components():
    message = "^pretraining.pseudo_labels: expected components, .* got 'colors'"
    with pytest.raises(ConfigError, match=message):
        load_config("cirs_aligned", ["pretraining.pseudo_labels=colors"])
