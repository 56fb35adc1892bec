import numpy as np
import pytest
import tensorflow as tf
from tiny_methods import tiny_config

from cirs_tf.methods.air import Air

BATCH = {
    "image": tf.constant(np.random.default_rng(0).random((4, 8, 8, 3)), tf.float32)
}


def air(tiny, *overrides):
    plain = ("air.norm=none", "air.dropout=0", "segmenter.norm=none")
    return Air(tiny_config(tiny, "air", *plain, *overrides), 8, 8)


def test_loss_is_the_error_of_the_remasked_sum(tiny):
    """Rebuilt in NumPy from the two networks' own outputs."""
    method = air(tiny)
    images = BATCH["image"].numpy()
    logits = method.segmenter(images).numpy()
    masks = np.eye(4, dtype=np.float32)[logits.argmax(-1)].transpose(0, 3, 1, 2)
    masks = masks[..., None]
    rebuilt = method.autoencoders(images[:, None] * masks).numpy()
    error = ((images - (rebuilt * masks).sum(1)) ** 2).mean((1, 2, 3))
    terms = method.validation_terms(BATCH)
    np.testing.assert_allclose(terms["error"], error, rtol=1e-6)
    np.testing.assert_allclose(terms["loss"], error.mean(), rtol=1e-6)


def test_the_floor_adds_to_the_loss(tiny):
    floor = ("air.usage_weight=0.5", "air.usage_floor=0.25")
    method = air(tiny, *floor)
    logits = method.segmenter(BATCH["image"]).numpy()
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    penalty = np.maximum(0, 0.25 - shares.mean((0, 1, 2))).sum() / 0.25
    assert penalty > 0.01
    terms = method.validation_terms(BATCH)
    np.testing.assert_allclose(terms["min_usage_penalty"], penalty, rtol=1e-4)
    expected = np.mean(terms["error"]) + 0.5 * penalty
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-5)


def gradient(method):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(method.phases[0].loss(BATCH)["loss"])
    kernel = method.segmenter.get_layer("logits").kernel.value
    return tape.gradient(loss, kernel).numpy()


def test_remasking_passes_a_gradient_only_when_told(tiny):
    """With autoencoders that ignore their input, no other path leads to S."""
    for remask, error in [
        (False, "combined"),
        (True, "combined"),
        (True, "per_segment"),
    ]:
        flag = f"air.remask_gradient={str(remask).lower()}"
        method = air(tiny, flag, f"air.error={error}")
        code = method.autoencoders.get_layer("code")
        code.kernel.assign(tf.zeros_like(code.kernel.value))
        assert np.abs(gradient(method)).any() == remask


@pytest.mark.parametrize("schedule", ["joint", "alternating"])
def test_every_variable_belongs_to_one_phase(tiny, schedule):
    method = air(tiny, f"air.schedule={schedule}")
    trained = [id(v) for phase in method.phases for v in phase.variables]
    networks = method.networks.values()
    everything = [id(v) for net in networks for v in net.trainable_variables]
    assert sorted(trained) == sorted(everything)
    assert len(method.phases) == (1 if schedule == "joint" else 2)


def test_the_divergence_of_the_codes_adds_to_the_loss(tiny):
    """Rebuilt in NumPy from the autoencoders' own outputs."""
    method = air(tiny, "air.variational=true", "air.kl_weight=3")
    images = BATCH["image"].numpy()
    labels = method.segmenter(images).numpy().argmax(-1)
    masks = np.eye(4, dtype=np.float32)[labels].transpose(0, 3, 1, 2)[..., None]
    outputs = method.autoencoders(images[:, None] * masks)
    mean, logs = (output.numpy() for output in outputs[1:])
    kl = 0.5 * (np.exp(logs) + np.square(mean) - 1 - logs).sum(axis=(1, 2))
    terms = method.validation_terms(BATCH)
    np.testing.assert_allclose(terms["kl"], kl, rtol=1e-5)  # float32 sums
    expected = np.mean(terms["error"]) + 3 * kl.mean() / (8 * 8 * 3)
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-5)
    names = ("loss", "error", "min_usage_penalty", "kl")
    assert method.phases[0].terms == names


def test_without_it_codes_and_terms_are_those_of_the_thesis(tiny):
    method = air(tiny, "air.kl_weight=3")
    names = ("loss", "error", "min_usage_penalty")
    assert method.phases[0].terms == names
    assert method.validation_terms(BATCH).keys() == set(names)
    assert len(method.autoencoders.outputs) == 1


def test_the_divergence_reaches_the_encoders_alone(tiny):
    """Every variable but those that the divergence does not depend on."""
    method = air(tiny, "air.variational=true", "segmenter.dropout=0")
    variables = [v.value for v in method.autoencoders.trainable_variables]
    with tf.GradientTape() as tape:
        kl = tf.reduce_sum(method.phases[0].loss(BATCH)["kl"])
    gradients = tape.gradient(kl, variables)
    decoders = method.autoencoders.get_layer("decoders").trainable_variables
    of_decoders = {id(v.value) for v in decoders}
    for variable, gradient_ in zip(variables, gradients, strict=True):
        assert (gradient_ is None) == (id(variable) in of_decoders)
