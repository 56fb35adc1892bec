"""Augmented training images of every method that offers them."""

import numpy as np
import pytest
import tensorflow as tf
from tiny_methods import IMAGES, SIZE, build_tiny, tiny_config

from cirs_tf.data import transforms
from cirs_tf.errors import ConfigError
from cirs_tf.methods import augmentation
from cirs_tf.methods.registry import build_method

BATCH = {"image": tf.constant(IMAGES[:SIZE].astype(np.float32) / 255)}
# Configurations that train in turns, and their sections.
SOURCES = [("thesis/cirs_balanced", "cirs"), ("air", "air")]


def build(tiny, source, section, kind):
    overrides = (f"{section}.augmentation={kind}", f"{section}.schedule=alternating")
    return build_tiny(tiny_config(tiny, source, *overrides))


def step(method, phase=0):
    phase = method.phases[phase]
    with tf.GradientTape() as tape:
        terms = phase.loss(BATCH)
        loss = tf.reduce_mean(terms["loss"])
    values = [variable.value for variable in phase.variables]
    phase.optimizer.apply(tape.gradient(loss, values), phase.variables)


def record(monkeypatch, name):
    """Return a list that fills with what a transformation returns."""
    seen, transform = [], getattr(transforms, name)

    def recorded(*arguments):
        result = transform(*arguments)
        seen.append(result.numpy())
        return result

    monkeypatch.setattr(augmentation, name, recorded)
    return seen


@pytest.mark.parametrize(("source", "section"), SOURCES)
@pytest.mark.parametrize(
    ("kind", "name"),
    [("shift_flip_rotate", "random_shift_flip_turn"), ("flip", "flip_where")],
)
def test_training_sees_other_images_each_step_and_validation_none(
    tiny, monkeypatch, source, section, kind, name
):
    seen = record(monkeypatch, name)
    method = build(tiny, source, section, kind)
    for phase in (0, 1, 1, 0):
        step(method, phase)
    assert len(seen) == 4
    for index, one in enumerate(seen):
        assert np.abs(one - BATCH["image"]).max() > 0.3
        assert all((one != other).any() for other in seen[:index])
    method.validation_terms(BATCH)  # measures the images as they are
    assert len(seen) == 4
    # Another run of the same seed sees the same.
    again = build(tiny, source, section, kind)
    step(again)
    np.testing.assert_array_equal(seen[4], seen[0])
    # As after resuming: the count of updates is all that is needed.
    resumed = build(tiny, source, section, kind)
    resumed.phases[0].optimizer.iterations.assign(1)
    step(resumed, 1)
    np.testing.assert_array_equal(seen[5], seen[1])


@pytest.mark.parametrize("kind", ["shift_flip_rotate", "flip"])
def test_the_loss_is_that_of_the_augmented_images(tiny, monkeypatch, kind):
    """In inference mode, on the images that training saw."""
    name = {"flip": "flip_where", "shift_flip_rotate": "random_shift_flip_turn"}[kind]
    seen = record(monkeypatch, name)
    plain = ("segmenter.norm=none", "air.norm=none", "air.dropout=0")
    config = tiny_config(tiny, "air", f"air.augmentation={kind}", *plain)
    method = build_tiny(config)
    terms = method.phases[0].loss(BATCH)
    expected = method.validation_terms({"image": tf.constant(seen[0])})
    np.testing.assert_allclose(terms["error"], expected["error"], rtol=1e-5)


@pytest.mark.parametrize(("source", "section"), SOURCES)
def test_rotation_needs_square_images(tiny, source, section):
    key = f"{section}.augmentation"
    config = tiny_config(tiny, source, f"{key}=shift_flip_rotate")
    expected = f"{key}: shift_flip_rotate needs square images, got 16 x 8 pixels"
    with pytest.raises(ConfigError, match=expected):
        build_method(config, 16, 8)
    build_method(tiny_config(tiny, source, f"{key}=flip"), 16, 8)
    images = np.random.default_rng(0).random((9, 16, 8, 3))
    seed = tf.constant([1, 2])
    flipped = augmentation.augment(tf.constant(images), "flip", seed).numpy()
    same = (flipped == images).all(axis=(1, 2, 3))
    mirrored = (flipped == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all() and same.any() and mirrored.any()
