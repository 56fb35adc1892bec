"""Methods crossed with what holds for all of them: phases, modes, rates, segmenters.

The table says what each configuration asks for; every property is held to it.
"""

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from method_cases import CASES, PRETRAINING_RATE, RATE, Case, case_config
from tiny_methods import (
    IMAGES,
    MASKS,
    PSEUDO,
    SEGMENTS,
    SIDE,
    SIZE,
    build_tiny,
    tiny_config,
)

from cirs_tf.config.settings import flatten
from cirs_tf.errors import ConfigError
from cirs_tf.methods.registry import METHODS, build_method, build_segmenter
from cirs_tf.training.phases import Method, PretrainingPhase


class Built(NamedTuple):
    case: Case
    config: Any
    method: Method
    first_segmenter: list[np.ndarray]


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES)
def built(request, tiny):
    """Return a method whose weights no test changes, batch statistics aside."""
    config = case_config(request.param, tiny)
    method = build_tiny(config)
    given = config.method in ("deep_clustering", "fixed_camera")  # weights of S
    fresh = build_method(config, SIDE, SIDE) if given else method
    segmenter = fresh.networks.get("segmenter")
    first = segmenter.get_weights() if segmenter else []
    return Built(request.param, config, method, first)


def phases_of(method):
    """Return all phases by the names of the table."""
    pretraining = {f"pretraining {p.name}": p for p in method.pretraining}
    return pretraining | {phase.name: phase for phase in method.phases}


def batch_of(phase):
    masks = PSEUDO if isinstance(phase, PretrainingPhase) else MASKS
    images = IMAGES[:SIZE].astype(np.float32) / 255
    return {"image": tf.constant(images), "mask": tf.constant(masks[:SIZE])}


def state(method):
    """Return the values of all variables that are not trained, by identity."""
    variables = [
        v for net in method.networks.values() for v in net.non_trainable_variables
    ]
    return {id(v): (v.path, v.numpy()) for v in variables}


def test_every_method_has_a_row():
    assert {name.split(",")[0] for name in CASES} == set(METHODS)


def test_phases_update_the_networks_and_take_the_steps_configured(built):
    phases = phases_of(built.method)
    assert list(phases) == list(built.case.plans)
    for name, plan in built.case.plans.items():
        phase = phases[name]
        assert phase.steps == plan.steps
        networks = [built.method.networks[network] for network in plan.trains]
        expected = [id(v) for net in networks for v in net.trainable_variables]
        assert sorted(map(id, phase.variables)) == sorted(expected)
        if isinstance(phase, PretrainingPhase):
            assert phase.num_images == built.config.pretraining.images


def test_phases_run_their_networks_in_training_mode_and_reach_them(built):
    """Every moving statistic and every count of draws moves, and no other."""
    for name, plan in built.case.plans.items():
        phase = phases_of(built.method)[name]
        before = state(built.method)
        with tf.GradientTape(persistent=True) as tape:
            loss = tf.reduce_mean(phase.loss(batch_of(phase))["loss"])
        after = state(built.method)
        networks = built.method.networks
        running = [networks[network] for network in plan.trains + plan.runs]
        moving = {id(v) for net in running for v in net.non_trainable_variables}
        for key, (path, value) in before.items():
            moved = (value != after[key][1]).any()
            # The mean of an empty segment's pixels is 0, as at the beginning; the
            # background was taken from the images before.
            stays = path.endswith("moving_mean") or path.startswith("signed/")
            assert moved == (key in moving) or stays, path
        for network in plan.trains:
            values = [v.value for v in networks[network].trainable_variables]
            gradients = tape.gradient(loss, values)
            assert all(gradient is not None for gradient in gradients), network
            assert any(np.any(gradient) for gradient in gradients), network


def test_validation_terms_move_nothing_and_are_repeated(built):
    batch = batch_of(None)
    method = built.method
    variables = [v for net in method.networks.values() for v in net.variables]
    before = [variable.numpy() for variable in variables]
    first, second = (method.validation_terms(batch) for _ in range(2))
    assert "loss" in first
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_segmenter_alone_has_layers_and_weights_of_the_methods_own(built):
    if "segmenter" not in built.method.networks:
        with pytest.raises(ConfigError, match="has no segmenter"):
            build_segmenter(built.config, SIDE, SIDE)
        return
    alone = build_segmenter(built.config, SIDE, SIDE)
    layers, own = alone.layers, built.method.networks["segmenter"].layers
    assert [type(layer) for layer in layers] == [type(layer) for layer in own]
    for ours, first in zip(alone.get_weights(), built.first_segmenter, strict=True):
        np.testing.assert_array_equal(ours, first)
    other = build_segmenter(dataclasses.replace(built.config, seed=4), SIDE, SIDE)
    same = all(map(np.array_equal, other.get_weights(), alone.get_weights()))
    # Neither the cleaned difference nor a threshold has a weight that is drawn.
    nothing_drawn = "fixed_camera.segmenter=difference" in built.case.overrides
    assert same == (nothing_drawn or built.config.method == "threshold")


def cosine(update):
    """Half a cosine over 8 updates, to a fiftieth: 1, 0.51, 0.02, by hand."""
    return 0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * min(update, 8) / 8))


def rates_of(plan, phase, method):
    """Return the first learning rate of each variable of a phase, by identity."""
    rate = PRETRAINING_RATE if isinstance(phase, PretrainingPhase) else RATE
    rates = {id(variable): rate for variable in phase.variables}
    for network, own_rate in plan.rates.items():
        for variable in method.networks[network].trainable_variables:
            rates[id(variable)] = own_rate
    return rates


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_learning_rates_decay_to_a_fiftieth_but_for_pretraining(tiny, case):
    """Updates of Kingma and Ba's algorithm 1 for gradients of 1, epsilon aside."""
    method = build_tiny(case_config(case, tiny, "training.decay_steps=8"))
    for name, phase in phases_of(method).items():
        rates = rates_of(case.plans[name], phase, method)
        for applied, update in enumerate((0, 4, 8, 12), start=1):
            phase.optimizer.iterations.assign(update)
            before = [variable.numpy() for variable in phase.variables]
            ones = [tf.ones(variable.shape) for variable in phase.variables]
            phase.optimizer.apply(ones, phase.variables)
            mean = (1 - 0.9**applied) / (1 - 0.9 ** (update + 1))
            square = (1 - 0.999**applied) / (1 - 0.999 ** (update + 1))
            share = 1 if isinstance(phase, PretrainingPhase) else cosine(update)
            for variable, value in zip(phase.variables, before, strict=True):
                expected = rates[id(variable)] * share * mean / square**0.5
                # 1 - 0.999 has 4 digits left in float32.
                np.testing.assert_allclose(
                    value - variable.numpy(), expected, rtol=1e-3, err_msg=name
                )


def test_learning_rates_stay_without_decay_steps(built):
    for name, phase in phases_of(built.method).items():
        optimizer, iterations = phase.optimizer, phase.optimizer.iterations
        group = getattr(optimizer, "group_learning_rate", None)
        expected = set(rates_of(built.case.plans[name], phase, built.method).values())
        for update in (0, 1000):
            iterations.assign(update)
            rates = {float(optimizer.learning_rate), group} - {None}
            assert expected <= rates
        iterations.assign(0)


FLOORS = {
    f"{method}.usage_floor": method
    for method in METHODS
    for key in flatten(METHODS[method].config_class())
    if key.endswith("usage_floor")
}


def test_methods_with_a_usage_floor():
    assert set(FLOORS.values()) == {"cirs", "air", "cirs_plus", "cirs_aligned"}


@pytest.mark.parametrize(("key", "method"), FLOORS.items(), ids=FLOORS.values())
def test_usage_floor_above_what_k_segments_can_reach_is_refused(tiny, key, method):
    weight = f"{method}.usage_weight=1"
    floor = 1 / SEGMENTS
    config = tiny_config(tiny, method, weight, f"{key}={floor}")
    assert flatten(config)[key] == floor
    message = f"^{key}: expected at most 1 / segments = 0.25, got 0.26$"
    with pytest.raises(ConfigError, match=message):
        tiny_config(tiny, method, weight, f"{key}=0.26")
    tiny_config(tiny, method, f"{method}.usage_weight=0", f"{key}=0.26")
    with pytest.raises(ConfigError, match="1 / segments = 0.1667"):
        tiny_config(tiny, method, weight, f"{key}={floor}", "segments=6")
