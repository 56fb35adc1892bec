import re

import numpy as np
import pytest
import tensorflow as tf
from skimage.color import rgb2lab
from tiny_methods import tiny_config

from cirs_tf.errors import ConfigError
from cirs_tf.losses.soft_ncut import soft_ncut
from cirs_tf.methods.wnet import Wnet

RNG = np.random.default_rng(0)
BATCH = {"image": tf.constant(RNG.random((3, 8, 8, 3)), tf.float32)}
SMALL = ("wnet.radius=2", "wnet.xla=false")
# One at a time is put back where it is tested.
WITHOUT_CHANGES = (
    "segmenter.logit_scale=null",
    "wnet.color_space=rgb",
    "wnet.hard_segments=false",
    "wnet.heads=1",
    "wnet.gumbel_scale=0",
    "pretraining.pseudo_labels=none",
)


def build(name, tiny, *overrides):
    config = tiny_config(tiny, name, *SMALL, *WITHOUT_CHANGES, *overrides)
    return Wnet(config, 8, 8)


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


def test_noise_is_added_in_training_and_fades(tiny):
    method = build("wnet", tiny, "wnet.gumbel_scale=1", "wnet.gumbel_steps=4")
    (plain,) = method._probabilities(BATCH, training=False)
    (noisy,) = method._probabilities(BATCH, training=True)
    assert np.abs(noisy - plain).max() > 0.1
    method.phases[0].optimizer.iterations.assign(4)
    (faded,) = method._probabilities(BATCH, training=True)
    quiet = build("wnet", tiny)._probabilities(BATCH, training=True)
    np.testing.assert_allclose(faded, quiet[0], atol=1e-5)


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


def test_in_lab_the_decoder_gives_lab_itself(tiny):
    """Rebuilt with scikit-image; a decoder in [0, 1] could give no negative a*."""
    method = build("wnet", tiny, "wnet.color_space=lab", "wnet.hard_segments=true")
    terms = method.validation_terms(BATCH)
    colors = (rgb2lab(BATCH["image"].numpy()) / 100).astype(np.float32)
    logits = method.segmenter(BATCH["image"], training=False)
    segments = np.eye(logits.shape[-1], dtype=np.float32)[np.argmax(logits, axis=-1)]
    rebuilt = method.decoder(segments, training=False).numpy()
    assert rebuilt.min() < 0
    error = ((colors - rebuilt) ** 2).mean((1, 2, 3))
    np.testing.assert_allclose(terms["reconstruction"], error, rtol=1e-4)
    options = method.options
    cut = soft_ncut(
        tf.nn.softmax(logits),
        tf.constant(colors),
        options.radius,
        options.sigma_intensity,
        options.sigma_position,
    )
    np.testing.assert_allclose(terms["n_cut"], cut, rtol=1e-4)


def test_heads_are_free_where_nothing_is_pretrained(tiny):
    some = ("pretraining.pseudo_labels=colors", "pretraining.steps=0", "wnet.heads=2")
    assert build("wnet", tiny, *some).pretraining == []


@pytest.mark.parametrize("xla", ["true", "false"])
def test_a_single_image_is_measured(tiny, xla):
    method = build("wnet", tiny, f"wnet.xla={xla}")
    terms = tf.function(method.validation_terms, autograph=False)
    alone = terms({"image": BATCH["image"][:1]})
    beside = terms(BATCH)
    for name, value in alone.items():
        np.testing.assert_allclose(value, beside[name][:1], rtol=1e-5)


def test_hard_segments_teach_the_encoder_all_the_same(tiny):
    method = build("wnet", tiny, "wnet.hard_segments=true")
    with tf.GradientTape() as tape:
        (rebuilt,) = method._rebuilt(method._probabilities(BATCH, False), False)
        error = tf.reduce_mean(method._error(rebuilt, BATCH["image"]))
    slopes = tape.gradient(error, method.segmenter.trainable_variables)
    assert any(slope is not None and np.abs(slope).max() > 0 for slope in slopes)


def test_a_head_is_scored_by_its_own_segments_and_decoder(tiny):
    method = build("wnet", tiny, "wnet.heads=3")
    terms = method._terms_of_heads(BATCH, training=False)
    assert len(terms) == 3
    best = method.segmenter.get_layer("best_head")
    images = BATCH["image"].numpy()
    for head in range(3):
        best.mean_losses.assign(-np.eye(3)[head])
        shown = method.validation_terms(BATCH)
        probabilities = tf.nn.softmax(method.segmenter(images, training=False))
        decoder = method.decoder.get_layer(f"decoder_{head}")
        logits = decoder(probabilities, training=False).numpy().astype(float)
        error = ((images - 1 / (1 + np.exp(-logits))) ** 2).mean((1, 2, 3))
        np.testing.assert_allclose(shown["reconstruction"], error, rtol=1e-4)
        np.testing.assert_allclose(terms[head]["loss"], shown["loss"], rtol=1e-5)
    errors = [term["reconstruction"].numpy() for term in terms]
    assert not np.allclose(errors[0], errors[1])


def test_segments_are_normalized_and_colors_are_not(tiny):
    method = build("wnet", tiny, "segmenter.logit_scale=8")
    logits = method.segmenter(BATCH["image"], training=True)
    rebuilt = method.decoder(tf.nn.softmax(logits), training=True).numpy()
    logits = logits.numpy()
    np.testing.assert_allclose(logits.std((0, 1, 2)), 8, rtol=0.05)
    assert not np.allclose(rebuilt.std((0, 1, 2)), 8, rtol=0.1)


def test_the_decoder_learns_first_what_the_encoder_has_learned(tiny):
    method = build("wnet", tiny, "pretraining.pseudo_labels=lab_colors")
    segmenter, decoder = method.pretraining
    assert (segmenter.name, decoder.name) == ("segmenter", "decoder")
    assert {id(v) for v in decoder.variables} == {
        id(v) for v in method.decoder.trainable_variables
    }
    before = [v.numpy() for v in method.segmenter.weights]
    with tf.GradientTape() as tape:
        loss = decoder.loss(BATCH)["loss"]
    assert loss.shape == (3,)
    assert all(v is not None for v in tape.gradient(loss, decoder.variables))
    for weight, value in zip(method.segmenter.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)  # running statistics, too
    assert build("wnet", tiny).pretraining == []


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["wnet.schedule=alternating", "wnet.heads=2"],
            "wnet.heads: expected 1 with alternating, got 2",
        ),
        (
            ["pretraining.pseudo_labels=colors", "wnet.heads=2"],
            "wnet.heads: expected 1 with pretraining.pseudo_labels, which none "
            "switches off, got 2",
        ),
        (
            ["wnet.reconstruction=bce", "wnet.color_space=lab"],
            "wnet.reconstruction: expected mse with lab, got 'bce'",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(tiny, overrides, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        build("wnet", tiny, *overrides)
