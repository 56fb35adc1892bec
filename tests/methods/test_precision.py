"""Hidden layers in bfloat16, everything else in float32, for every method."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from method_cases import CASES, case_config
from tiny_methods import IMAGES, MASKS, PSEUDO, SIZE, build_tiny

import cirs_tf
from cirs_tf import train
from cirs_tf.config.settings import flatten
from cirs_tf.layers.precision import hidden_layers, hidden_precision
from cirs_tf.training.phases import PretrainingPhase

CHOSEN = (
    "cirs, words",
    "cirs",
    "cirs_aligned",
    "cirs_plus",
    "fixed_camera",
    "cut_and_paste",
    "air",
    "wnet",
    "iic",
    "autoencoder",
    "supervised",
)


def hidden_dtypes(network):
    """Return in what the layers with kernels compute, the last ones' aside."""
    layers = network._flatten_layers(include_self=False)
    kernels = [layer for layer in layers if hasattr(layer, "kernel")]
    return [layer.compute_dtype for layer in kernels]


@pytest.mark.parametrize("name", CHOSEN)
def test_losses_and_gradients_are_nearly_those_of_float32(name, tiny):
    config = case_config(CASES[name], tiny)
    # Dropout draws other bits for other types.
    rates = [key for key in flatten(config) if key.endswith(".dropout")]
    config = case_config(CASES[name], tiny, *(f"{rate}=0" for rate in rates))
    exact = build_tiny(config)
    with hidden_precision("bfloat16"):
        method = build_tiny(config)
    assert keras.config.dtype_policy().name == "float32"
    for key, network in method.networks.items():
        assert {v.dtype for v in network.trainable_variables} <= {"float32"}
        assert {output.dtype for output in tf.nest.flatten(network.output)} <= {
            "float32",
            "uint8",
        }
        network.set_weights(exact.networks[key].get_weights())
    used = sum((hidden_dtypes(net) for net in method.networks.values()), [])
    assert "bfloat16" in used
    phases = [*method.pretraining, *method.phases]
    for phase, other in zip(phases, [*exact.pretraining, *exact.phases], strict=True):
        terms, slopes = terms_and_gradient(phase)
        expected, true_slopes = terms_and_gradient(other)
        for term, value in terms.items():
            assert value.dtype == tf.float32
            np.testing.assert_allclose(value, expected[term], rtol=0.1, atol=0.05)
        norms = np.linalg.norm(slopes), np.linalg.norm(true_slopes)
        # Rounding moves the argmax of segments that are nearly equal, as at first.
        assert slopes @ true_slopes > 0.7 * norms[0] * norms[1], phase.name


def test_a_run_says_it_and_is_loaded_in_float32(command, tmp_path, capsys):
    run = tmp_path / "run"
    argv = [*command, "--epochs", "1", "--set", "training.precision=bfloat16"]
    assert train.main([*argv, "--run", str(run)]) == 0
    said = capsys.readouterr()
    assert "precision    bfloat16, hidden layers\n" in said.out + said.err
    network = cirs_tf.load(run).keras_model
    layers = network._flatten_layers(include_self=False)
    assert {layer.compute_dtype for layer in layers} == {"float32"}


def terms_and_gradient(phase):
    """Return the loss terms of a mini-batch, and the gradient in one vector."""
    masks = PSEUDO if isinstance(phase, PretrainingPhase) else MASKS
    images = tf.constant(IMAGES[:SIZE].astype(np.float32) / 255)
    batch = {"image": images, "mask": tf.constant(masks[:SIZE])}
    with tf.GradientTape() as tape:
        terms = phase.loss(batch)
        loss = tf.reduce_mean(terms["loss"])
    gradients = tape.gradient(loss, [v.value for v in phase.variables])
    parts = [np.ravel(gradient) for gradient in gradients if gradient is not None]
    return {name: tf.reduce_mean(terms[name]) for name in phase.terms}, np.concatenate(
        parts
    )


def test_the_policy_of_the_user_is_put_back():
    keras.config.set_dtype_policy("float64")
    try:
        with pytest.raises(RuntimeError), hidden_precision("bfloat16"):
            with hidden_layers():
                assert keras.config.dtype_policy().name == "mixed_bfloat16"
                raise RuntimeError
        assert keras.config.dtype_policy().name == "float64"
        with hidden_layers():
            assert keras.config.dtype_policy().name == "float64"
    finally:
        keras.config.set_dtype_policy("float32")
