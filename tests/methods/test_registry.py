"""Every method by its entry: configuration, segmenter, phases."""

import numpy as np
import pytest
import tensorflow as tf
from tiny_methods import INITIALIZATIONS, tiny_config

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
INITIALIZED = {"air", "cirs", "cirs_aligned", "cirs_plus", "cut_and_paste"}
INITIALIZED |= {"deep_clustering", "fixed_camera", "wnet"}
# Method: pretraining phases with its defaults.
PRETRAINED = {
    "cirs_aligned": [("segmenter", 150), ("poses", 400)],
    "cirs_plus": [("segmenter", 150)],
    "wnet": [("segmenter", 150), ("decoder", 150)],
}


@pytest.mark.parametrize("name", METHODS)
def test_configuration_stands_beside_the_method(name):
    entry = entry_of(name)
    assert entry.config_class().method == name
    module = entry.method_class.__module__
    assert entry.config_class.__module__ in (module, f"{module}_config")
    with pytest.raises(ConfigError, match=f"method: expected one of {name}"):
        entry.config_class(method="another")


def test_a_method_that_is_not_known_is_refused():
    with pytest.raises(ConfigError, match="method: expected one of cirs_aligned, fix"):
        load_config(None, ["method=magic"])


@pytest.mark.parametrize("name", METHODS)
def test_phases_give_the_terms_that_they_name(tiny, name):
    # Compiling the cut with XLA takes long.
    overrides = ["wnet.xla=false"] if name == "wnet" else []
    method = build_method(tiny_config(tiny, name, *overrides), SIDE, SIDE)
    if name == "cirs":
        method.assign(INITIALIZATIONS[name])
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


def test_a_method_without_a_segmenter_is_named():
    with pytest.raises(ConfigError, match="autoencoder has no segmenter"):
        build_segmenter(load_config("autoencoder"), 8, 8)


def test_aligned_segments_need_components():
    message = "^pretraining.pseudo_labels: expected components or .* got 'colors'"
    with pytest.raises(ConfigError, match=message):
        load_config("cirs_aligned", ["pretraining.pseudo_labels=colors"])
