"""Losses are weighted sums of their terms, in value and in gradient.

A term is weighted by what the configuration says, and moves the networks that it
should.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_methods import IMAGES, SIDE, SIZE, build_tiny, tiny_config

from cirs_tf.methods.registry import load_config

BATCH = {"image": tf.constant(IMAGES[:SIZE].astype(np.float32) / 255)}
S, G, AUTOENCODERS = {"segmenter"}, {"feature_net"}, {"autoencoders"}
POSES, TEMPLATES = {"poses"}, {"templates"}


class Row(NamedTuple):
    """One method with weights unlike its defaults.

    Attributes:
        source: Name of an installed configuration.
        overrides: Settings besides the weights.
        weights: By key within the method's section.
        loss: The formula, from weights `w` and terms `t`; linear in the terms.
        reaches: Names of the networks that each term moves.
    """

    source: str
    overrides: tuple[str, ...]
    weights: dict[str, float]
    loss: Callable
    reaches: dict[str, set[str]]


# So near to 1 / K that some segment is below it.
FLOOR = "usage_floor=0.249"
ROWS = {
    "cirs, words": Row(
        "cirs",
        (f"cirs.{FLOOR}", "cirs.heads=1"),
        {"alpha_1": 0.7, "alpha_2": 1.3, "usage_weight": 3.0},
        lambda w, t: (
            w["alpha_1"] * t["within"]
            - w["alpha_2"] * t["between"]
            + w["usage_weight"] * t["min_usage_penalty"]
        ),
        {"within": S, "between": S, "min_usage_penalty": S},
    ),
    "cirs": Row(
        "thesis/cirs_balanced",
        (f"cirs.{FLOOR}",),
        {"alpha_1": 0.7, "alpha_2": 1.3, "usage_weight": 3.0},
        lambda w, t: (
            w["alpha_1"] * t["within"]
            - w["alpha_2"] * t["between"]
            + w["usage_weight"] * t["min_usage_penalty"]
        ),
        {"within": S | G, "between": S | G, "min_usage_penalty": S},
    ),
    "cirs, shares of masks": Row(
        "thesis/cirs_balanced",
        (f"cirs.{FLOOR}", "cirs.usage_of=masks"),
        {"usage_weight": 3.0},
        lambda w, t: (
            t["within"] - t["between"] + w["usage_weight"] * t["min_usage_penalty"]
        ),
        {"within": S | G, "between": S | G, "min_usage_penalty": S},
    ),
    "air, words": Row(
        "air",
        (f"air.{FLOOR}", "air.hidden=[16]", "air.target=words", "air.heads=1"),
        {"usage_weight": 3.0},
        lambda w, t: t["error"] + w["usage_weight"] * t["min_usage_penalty"],
        {"error": S | AUTOENCODERS, "min_usage_penalty": S},
    ),
    "cirs_aligned": Row(
        "cirs_aligned",
        (f"cirs_aligned.{FLOOR}", "cirs_aligned.template_freeze_steps=0")
        + ("cirs_aligned.xla=false",),
        {
            "pseudo_label_weight": 0.4,
            "outline_weight": 0.6,
            "pose_weight": 0.3,
            "usage_weight": 0.2,
        },
        lambda w, t: (
            t["error"]
            + w["pseudo_label_weight"] * t["pseudo_label_loss"]
            + w["outline_weight"] * t["outline"]
            + w["pose_weight"] * t["pose"]
            + w["usage_weight"] * t["min_usage_penalty"]
        ),
        {
            "error": S | POSES | TEMPLATES,
            "pseudo_label_loss": S,
            "outline": POSES | TEMPLATES,
            "pose": POSES,
            "min_usage_penalty": S,
        },
    ),
    "cirs_plus": Row(
        "cirs_plus",
        (f"cirs_plus.{FLOOR}", "cirs_plus.hidden=[16]"),
        {
            "cirs_weight": 0.5,
            "alpha_1": 0.7,
            "alpha_2": 1.3,
            "pseudo_label_weight": 0.4,
            "usage_weight": 0.2,
        },
        lambda w, t: (
            t["error"]
            + w["cirs_weight"] * w["alpha_1"] * t["within"]
            - w["cirs_weight"] * w["alpha_2"] * t["between"]
            + w["pseudo_label_weight"] * t["pseudo_label_loss"]
            + w["usage_weight"] * t["min_usage_penalty"]
        ),
        {
            "error": S | AUTOENCODERS,
            "within": S | AUTOENCODERS,
            "between": S | AUTOENCODERS,
            "pseudo_label_loss": S,
            "min_usage_penalty": S,
        },
    ),
    "air": Row(
        "air_variational",
        (f"air.{FLOOR}", "air.hidden=[16]"),
        {"usage_weight": 3.0, "kl_weight": 5.0},
        # The divergence is per image value: three of each pixel.
        lambda w, t: (
            t["error"]
            + w["usage_weight"] * t["min_usage_penalty"]
            + w["kl_weight"] / (3 * SIDE * SIDE) * t["kl"]
        ),
        {
            "error": S | AUTOENCODERS,
            "kl": S | AUTOENCODERS,
            "min_usage_penalty": S,
        },
    ),
    "wnet": Row(
        "wnet",
        ("wnet.schedule=joint", "wnet.radius=2", "wnet.xla=false"),
        {"reconstruction_weight": 3.0},
        lambda w, t: t["n_cut"] + w["reconstruction_weight"] * t["reconstruction"],
        {"n_cut": S, "reconstruction": S | {"decoder"}},
    ),
}
CHANGES = [
    (name, key, factor)
    for name, row in ROWS.items()
    for key in row.weights
    for factor in (0, 2)
]


def built(tiny, row, weights):
    section = load_config(row.source).method
    settings = [f"{section}.{key}={value}" for key, value in weights.items()]
    settings.append("seed=3")  # with it, no segment is empty at first
    return build_tiny(tiny_config(tiny, row.source, *row.overrides, *settings))


def means(terms):
    """Return the mean of each term over the batch; 0 for one that is not there."""
    values = {name: float(tf.reduce_mean(value)) for name, value in terms.items()}
    return defaultdict(float, values)


@pytest.fixture(scope="module")
def first_terms(tiny):
    """Return the terms of each row in the first step, by its name."""
    terms = {}
    for name, row in ROWS.items():
        (phase,) = built(tiny, row, row.weights).phases
        terms[name] = means(phase.loss(BATCH))
    return terms


@pytest.mark.parametrize(("name", "key", "factor"), CHANGES)
def test_a_weight_changes_the_loss_by_its_term_alone(
    tiny, first_terms, name, key, factor
):
    row, before = ROWS[name], first_terms[name]
    weights = row.weights | {key: factor * row.weights[key]}
    method = built(tiny, row, weights)
    terms = means(method.phases[0].loss(BATCH))
    if (key, factor) == ("pose_weight", 0):
        # Nothing is rendered, so that batch statistics are others, too.
        assert terms["pose"] == 0
        before = terms
    change = row.loss(weights, before) - row.loss(row.weights, before)
    assert abs(change) > 1e-4 or before is terms
    expected = row.loss(row.weights, before) + change
    assert terms["loss"] == pytest.approx(expected, rel=1e-5)
    for term in terms.keys() - {"loss"}:
        assert terms[term] == pytest.approx(before[term], rel=1e-5)
    validation = means(method.validation_terms(BATCH))
    expected = row.loss(weights, validation)
    assert validation["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.fixture
def float64():
    """In float32, terms that come back through the network one by one add up worse."""
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_gradient_is_the_weighted_sum_and_terms_reach_their_networks(tiny, row):
    method = built(tiny, row, row.weights)
    (phase,) = method.phases
    assert set(phase.terms) == {"loss", *row.reaches}
    variables = [variable.value for variable in phase.variables]
    with tf.GradientTape(persistent=True) as tape:
        terms = phase.loss(BATCH)
        terms = {name: tf.reduce_mean(value) for name, value in terms.items()}
    loss = float(row.loss(row.weights, terms))
    assert float(terms["loss"]) == pytest.approx(loss, rel=1e-6)
    gradients = {
        name: tape.gradient(term, variables, unconnected_gradients="zero")
        for name, term in terms.items()
    }
    for index, total in enumerate(gradients["loss"]):
        parts = {name: values[index].numpy() for name, values in gradients.items()}
        expected = row.loss(row.weights, parts)
        largest = max(np.abs(part).max() for part in parts.values())
        # Networks take their inputs, and give gradients to them, in float32.
        # A bias before a normalization has none but rounding errors, below 1e-12.
        atol = max(1e-6 * largest, 1e-12)
        np.testing.assert_allclose(total, expected, rtol=0, atol=atol)
    position = {id(variable): index for index, variable in enumerate(phase.variables)}
    for term, expected in row.reaches.items():
        reached = {
            name
            for name, network in method.networks.items()
            for variable in network.trainable_variables
            if np.any(gradients[term][position[id(variable)]])
        }
        assert reached == expected, term


def test_both_losses_of_w_net_in_turns_are_the_terms_of_the_joint_one(
    tiny, first_terms
):
    row = ROWS["wnet"]
    in_turns = row._replace(overrides=(*row.overrides, "wnet.schedule=alternating"))
    for index, name in enumerate(("n_cut", "reconstruction")):
        # Built anew for dropout's first draws.
        phase = built(tiny, in_turns, {"reconstruction_weight": 3}).phases[index]
        loss = means(phase.loss(BATCH))["loss"] / (3 if index else 1)
        assert loss == pytest.approx(first_terms["wnet"][name], rel=1e-5)
