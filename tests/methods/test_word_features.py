"""The frozen feature network of color words, and CIRS on it."""

import numpy as np
import pytest
import tensorflow as tf
from method_steps import initialize, train
from tiny_methods import IMAGES, INITIALIZATIONS, SEGMENTS, SIDE, SIZE, tiny_config

from cirs_tf.errors import ConfigError, DataError
from cirs_tf.losses.cirs import cirs_loss
from cirs_tf.methods.cirs import Cirs
from cirs_tf.methods.word_features import WordFeatures, WordsConfig
from cirs_tf.training.phases import SUMMARY
from cirs_tf.words.color_words import color_histogram, fit_color_words, words_of
from cirs_tf.words.cooccurrence import count_cooccurrences
from cirs_tf.words.word_vectors import word_vectors

BATCH = {"image": tf.constant(IMAGES[:SIZE].astype(np.float32) / 255)}
RNG = np.random.default_rng(0)


def build(tiny, *overrides):
    method = Cirs(tiny_config(tiny, "cirs", *overrides), SIDE, SIDE)
    method.assign(INITIALIZATIONS["cirs"])
    return method


def batch_mean(values):
    return tf.reduce_mean(values, axis=0)


@pytest.mark.parametrize("centering", [0.0, 0.5, 1.0])
def test_initialize_is_words_counts_and_vectors_of_the_first_images(centering):
    config = WordsConfig(images=7, count=9, radius=4, centering=centering)
    found = WordFeatures(config, SEGMENTS, seed=3).initialize(IMAGES)
    words = fit_color_words(color_histogram([IMAGES[:7]]), 9, seed=3)
    counts = count_cooccurrences([words_of(IMAGES[:7], words.table)], 9, 4)
    vectors = word_vectors(counts, SEGMENTS - 1)
    expected = vectors - centering * vectors.mean(axis=0)
    np.testing.assert_allclose(found["word_vectors"], expected, atol=1e-6)
    np.testing.assert_array_equal(found["word_table"], words.table)
    summary = "9 color words of 7 images, vectors of length 3"
    assert str(found[SUMMARY]) == summary


def test_too_few_colors_are_one_line():
    flat = np.zeros((3, 8, 8, 3), np.uint8)
    flat[:, :4] = 255
    with pytest.raises(DataError, match="more than 3 colors in the training images"):
        WordFeatures(WordsConfig(), SEGMENTS, seed=0).initialize(flat)


def test_the_frozen_g_has_no_trainable_variable_and_never_moves(tiny):
    method = build(tiny)
    assert method.feature_net.trainable_variables == []
    assert len(method.feature_net.variables) == 3
    before = [variable.numpy() for variable in method.feature_net.variables]
    train(method, IMAGES, cycles=3)
    for variable, value in zip(method.feature_net.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_a_trained_g_starts_from_the_words_and_leaves_them(tiny):
    hidden = ("words.hidden=[6]", "cirs.schedule=alternating")
    method, frozen = build(tiny, *hidden), build(tiny)
    labels = RNG.integers(0, SEGMENTS, IMAGES[:SIZE].shape[:3])
    masks = np.moveaxis(np.eye(SEGMENTS, dtype=np.float32)[labels], -1, 1)[..., None]
    inputs = [BATCH["image"], tf.constant(masks)]
    np.testing.assert_array_equal(
        method.feature_net(inputs), frozen.feature_net(inputs)
    )
    words = [v.numpy() for v in method.feature_net.non_trainable_variables]
    train(method, IMAGES, cycles=3)
    assert np.abs(method.feature_net(inputs) - frozen.feature_net(inputs)).max() > 1e-4
    for variable, value in zip(
        method.feature_net.non_trainable_variables, words, strict=True
    ):
        np.testing.assert_array_equal(variable, value)


def test_a_trained_g_is_a_function_of_color_and_vector_of_each_pixel(tiny):
    method = build(tiny, "words.hidden=[6]", "words.softness=0")
    network = method.feature_net
    kernel, bias, last = (RNG.normal(size=v.shape) for v in network.trainable_variables)
    for variable, value in zip(
        network.trainable_variables, (kernel, bias, last), strict=True
    ):
        variable.assign(value)
    masks = np.ones((SIZE, SEGMENTS, SIDE, SIDE, 1), np.float32)
    found = network([BATCH["image"], tf.constant(masks)]).numpy()
    vectors = method._features.embedding(BATCH["image"]).numpy()
    pixels = np.concatenate([BATCH["image"], vectors], axis=-1)
    hidden = np.maximum(pixels @ kernel[0, 0] + bias, 0)
    expected = (vectors + hidden @ last[0, 0]).mean(axis=(1, 2))
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "setting",
    [
        "cirs.schedule=alternating",
        "cirs.reset_every=5",
        "cirs.feature_learning_rate=0.1",
        "cirs.feature_net_pretraining_steps=1",
    ],
)
def test_nothing_may_train_it(tiny, setting):
    with pytest.raises(ConfigError, match="feature_net.kind: expected dense or conv"):
        build(tiny, setting)


def test_pseudo_labels_need_one_head(tiny):
    labels = "pretraining.pseudo_labels=colors"
    with pytest.raises(ConfigError, match="cirs.heads: expected 1 with pseudo-labels"):
        build(tiny, labels)
    assert len(build(tiny, labels, "cirs.heads=1").pretraining) == 1


@pytest.mark.parametrize("hidden", ["[]", "[5]"])
def test_several_segmentations_have_the_features_of_each_alone(tiny, hidden):
    """Values and gradients to masks and to what is trained; one lookup for all."""
    features = build(tiny, f"words.hidden={hidden}")._features
    variables = features.network.trainable_variables
    for variable in variables:
        variable.assign(RNG.normal(size=variable.shape))
    shape = (3, SIZE, SEGMENTS, SIDE, SIDE, 1)
    masks = tf.unstack(tf.constant(RNG.random(shape), tf.float32))
    weights = RNG.normal(size=(3, SIZE, SEGMENTS, SEGMENTS - 1)).astype(np.float32)
    image, found = BATCH["image"], []

    def of_each(masks):
        return features.of_each(image, masks, training=True)

    def alone(masks):
        return [features.network([image, each]) for each in masks]

    for function in (of_each, alone):
        with tf.GradientTape() as tape:
            tape.watch(masks)
            values = tf.stack(function(masks))
            loss = tf.reduce_sum(weights * values)
        sources = [*masks, *(variable.value for variable in variables)]
        found.append([values, *tape.gradient(loss, sources)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    graph = tf.function(of_each).get_concrete_function(masks).graph
    types = [operation.type for operation in graph.get_operations()]
    assert types.count("ResourceGather") == 2  # the word of a color, its vector


def test_xla_changes_speed_not_values(tiny):
    """Loss and gradients of three heads."""
    found = []
    for xla in ("false", "true"):
        settings = ("cirs.heads=3", "cirs.gumbel_scale=0", f"cirs.xla={xla}")
        (phase,) = build(tiny, *settings).phases
        with tf.GradientTape() as tape:
            loss = phase.loss(BATCH)["loss"]
        variables = [variable.value for variable in phase.variables]
        found.append([loss, *tape.gradient(loss, variables)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_every_head_trains_as_if_alone_and_the_best_one_is_s(tiny):
    """Losses and gradients of the heads, one after the other."""
    method = build(tiny, "cirs.heads=3", "cirs.gumbel_scale=0")
    network = method._all_heads
    variables = [variable.value for variable in network.trainable_variables]
    with tf.GradientTape() as tape:
        logits = network(BATCH["image"], training=True)
        losses = []
        for head in range(3):
            part = logits[..., head * SEGMENTS : (head + 1) * SEGMENTS]
            hard = tf.one_hot(tf.argmax(part, axis=-1), SEGMENTS)
            soft = tf.nn.softmax(part)
            masks = hard + soft - tf.stop_gradient(soft)  # straight through
            masks = tf.transpose(masks, [0, 3, 1, 2])[..., None]
            features = method.feature_net([BATCH["image"], masks])
            losses.append(cirs_loss(features, 1.0, 1.0, batch_mean).loss)
        total = tf.add_n(losses)
    expected = tape.gradient(total, variables)
    (phase,) = method.phases
    with tf.GradientTape() as tape:
        terms = phase.loss(BATCH)
    gradients = tape.gradient(terms["loss"], variables)
    best = int(np.argmin(losses))
    np.testing.assert_allclose(terms["loss"], losses[best], rtol=1e-5)
    np.testing.assert_allclose(
        terms["within"] - terms["between"], losses[best], rtol=1e-5
    )
    for found, wanted in zip(gradients, expected, strict=True):
        # Sums of many float32 products, in another order.
        atol = max(1e-4 * np.abs(wanted).max(), 1e-6)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=atol)
    inference = network(BATCH["image"], training=False)
    chosen = inference[..., best * SEGMENTS : (best + 1) * SEGMENTS]
    np.testing.assert_array_equal(method.segmenter(BATCH["image"]), chosen)


def test_diagnostics_are_norms_of_mean_features(tiny):
    method = build(tiny)
    found = method.diagnostics(BATCH)
    labels = method.segmenter(BATCH["image"]).numpy().argmax(-1)
    masks = np.moveaxis(np.eye(SEGMENTS, dtype=np.float32)[labels], -1, 1)[..., None]
    features = method.feature_net([BATCH["image"], tf.constant(masks)]).numpy()
    for segment in range(SEGMENTS):
        expected = np.linalg.norm(features[:, segment].mean(axis=0))
        value = found[f"mean_feature_norm/{segment}"]
        np.testing.assert_allclose(value, expected, rtol=1e-5)
    assert (found["bound/within"], found["bound/between"]) == (1, SEGMENTS)
    unbounded = build(tiny, "words.softness=0").diagnostics(BATCH)
    assert len(unbounded) == SEGMENTS


def test_pictures_show_words_and_vectors(tiny):
    pictures = build(tiny).pictures(IMAGES[:2])
    assert sorted(pictures) == ["word_vectors", "words"]
    shown = np.asarray(pictures["words"])
    words = words_of(IMAGES[0], INITIALIZATIONS["cirs"]["word_table"])
    color = INITIALIZATIONS["cirs"]["word_colors"][words[0, 0]]
    color = np.uint8(color * 255 + 0.5)
    assert (shown == color).all(axis=-1).any()


def two_objects(count, side):
    """Return images and truth: two objects of two colors each, on a ground of two."""
    ground = np.zeros((side, side, 3), np.uint8)
    ground[:] = (60, 130, 220)
    ground[: side // 2, : side // 2] = (240, 240, 240)
    images = np.tile(ground, (count, 1, 1, 1))
    truth = np.zeros((count, side, side), np.uint8)
    kinds = (((220, 30, 30), (20, 120, 40)), ((250, 220, 20), (20, 20, 20)))
    for image, mask in zip(images, truth, strict=True):
        for kind, colors in enumerate(kinds, start=1):
            top, left = RNG.integers(0, side - 8, 2)
            for half, color in enumerate(colors):
                part = np.s_[top + 4 * half : top + 4 * half + 4, left : left + 8]
                image[part], mask[part] = color, kind
    return images, truth


def test_two_objects_of_two_colors_are_found_without_labels(tiny):
    images, truth = two_objects(120, side=24)
    overrides = ("segments=3", "segmenter.width=4", "segmenter.depth=1")
    overrides += ("words.radius=5", "training.learning_rate=0.02")
    config = tiny_config(tiny, "cirs", *overrides)
    method = Cirs(config, 24, 24)
    initialize(method, images)
    train(method, images, cycles=80, size=16)
    logits = method.segmenter(images[:32] / np.float32(255), training=False)
    labels = logits.numpy().argmax(-1)
    pairs = np.zeros((3, 3), int)
    np.add.at(pairs, (labels.ravel(), truth[:32].ravel()), 1)
    assert sorted(pairs.argmax(axis=1)) == [0, 1, 2]
    assert pairs.max(axis=1).sum() > 0.95 * labels.size
