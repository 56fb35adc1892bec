import numpy as np
import pytest
import tensorflow as tf
from tiny_methods import tiny_config

from cirs_tf.errors import ConfigError
from cirs_tf.methods.iic import Iic
from cirs_tf.methods.registry import load_config

RNG = np.random.default_rng(0)
BATCH = {"image": tf.constant(RNG.random((3, 8, 9, 3)), tf.float32)}


def build(tiny, *overrides):
    return Iic(tiny_config(tiny, "iic", "iic.width=2", *overrides), 8, 9)


def test_heads_share_the_trunk_and_have_the_size_of_the_input(tiny):
    method = build(tiny)
    assert method.segmenter(BATCH["image"]).shape == (3, 8, 9, 4)
    assert method.over_segmenter(BATCH["image"]).shape == (3, 8, 9, 12)
    over, main = method.phases
    shared = {id(v) for v in over.variables} & {id(v) for v in main.variables}
    # Six convolutions, each with a kernel, a scale and a shift.
    assert len(shared) == 18
    assert len(main.variables) == 20


def test_a_reach_beyond_the_image_is_named(tiny):
    build(tiny, "iic.reach=7")
    with pytest.raises(ConfigError, match=r"iic\.reach: expected less than the 8 pix"):
        build(tiny, "iic.reach=8")


def test_channels_are_those_of_the_papers_code():
    method = Iic(load_config("iic", ["iic.width=64"]), 8, 8)
    kernels = [v.shape[-1] for v in method.segmenter.trainable_variables if v.ndim == 4]
    assert kernels == [64, 128, 256, 256, 512, 512, 4]


def test_every_step_draws_other_twins_and_a_restored_one_the_same(tiny):
    method = build(tiny, "iic.jitter=0.5")
    phase = method.phases[0]
    losses = []
    for iteration in (0, 1, 0):
        phase.optimizer.iterations.assign(iteration)
        losses.append(float(phase.loss(BATCH)["loss"]))
    assert losses[0] == losses[2] != losses[1]


def test_without_twins_validation_and_training_look_at_the_same(tiny):
    """Batch statistics aside, which batch norm in inference does not use."""
    method = build(tiny, "iic.jitter=0", "iic.flip=false")
    loss = method._loss(method.segmenter, BATCH["image"], tf.constant([0, 1]), False)
    np.testing.assert_allclose(
        loss["loss"], method.validation_terms(BATCH)["loss"], atol=1e-7
    )
