import numpy as np
import pytest
import tensorflow as tf
from method_steps import tiny_config

from cirs_tf.losses.soft_ncut import soft_ncut
from cirs_tf.methods.wnet import Wnet

RNG = np.random.default_rng(0)
BATCH = {"image": tf.constant(RNG.random((3, 8, 8, 3)), tf.float32)}
SMALL = ("wnet.radius=2", "wnet.xla=false")


def build(name, tiny, *overrides):
    return Wnet(tiny_config(tiny, name, *SMALL, *overrides), 8, 8)


@pytest.mark.parametrize("name", ["wnet", "thesis/wnet"])
def test_loss_is_the_sum_of_cut_and_reconstruction(tiny, name):
    """Rebuilt in NumPy from the networks' own outputs."""
    method = build(name, tiny)
    options = method.options
    terms = method.validation_terms(BATCH)
    images = BATCH["image"].numpy()
    probabilities = tf.nn.softmax(method.segmenter(images, training=False))
    logits = method.decoder(probabilities, training=False).numpy().astype(float)
    rebuilt = 1 / (1 + np.exp(-logits))
    if name == "wnet":
        error = (images - rebuilt) ** 2
    else:
        error = -images * np.log(rebuilt) - (1 - images) * np.log(1 - rebuilt)
    error = error.mean((1, 2, 3))
    cut = soft_ncut(
        probabilities,
        BATCH["image"],
        options.radius,
        options.sigma_intensity,
        options.sigma_position,
    )
    np.testing.assert_allclose(terms["reconstruction"], error, rtol=1e-5)
    np.testing.assert_allclose(terms["n_cut"], cut, rtol=1e-6)
    weight = 1_000 if name == "wnet" else 64 * 64 * 3 * 40  # the author's sum
    np.testing.assert_allclose(terms["loss"], cut + weight * error, rtol=1e-5)


def test_xla_changes_speed_not_values(tiny):
    compiled = build("wnet", tiny, "wnet.xla=true").validation_terms(BATCH)
    plain = build("wnet", tiny).validation_terms(BATCH)
    np.testing.assert_allclose(compiled["n_cut"], plain["n_cut"], atol=1e-6)


def test_the_cut_trains_the_encoder_alone(tiny):
    method = build("wnet", tiny, "wnet.schedule=alternating")
    cut, rebuild = method.phases
    encoder = {id(v) for v in method.segmenter.trainable_variables}
    decoder = {id(v) for v in method.decoder.trainable_variables}
    assert {id(v) for v in cut.variables} == encoder
    assert {id(v) for v in rebuild.variables} == encoder | decoder
    assert len(build("wnet", tiny, "wnet.schedule=joint").phases) == 1


def test_a_relu_before_the_softmax_leaves_no_negative_logit(tiny):
    with_relu = build("thesis/wnet", tiny).segmenter(BATCH["image"])
    without = build("wnet", tiny).segmenter(BATCH["image"])
    assert with_relu.numpy().min() == 0
    assert without.numpy().min() < 0


def test_images_are_mirrored_one_by_one_in_training_alone(tiny, monkeypatch):
    method = build("wnet", tiny, "wnet.flip=true")
    first = method._mirrored(BATCH)["image"].numpy()
    images = BATCH["image"].numpy()
    seen = set()
    for update in range(12):
        method.phases[0].optimizer.iterations.assign(update)
        shown = method._mirrored(BATCH)["image"].numpy()
        for image, other in zip(images, shown, strict=True):
            same, mirrored = (image == other).all(), (image[:, ::-1] == other).all()
            assert same != mirrored
            seen.add(bool(mirrored))
    assert seen == {False, True}
    method.phases[0].optimizer.iterations.assign(0)
    np.testing.assert_array_equal(method._mirrored(BATCH)["image"], first)
    monkeypatch.setattr(method, "_mirrored", None)
    method.validation_terms(BATCH)  # measures the images as they are
    assert build("wnet", tiny)._mirrored(BATCH) is BATCH
