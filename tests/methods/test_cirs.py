"""What the thesis leaves open of CIRS: off by default, and each piece by itself."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from command_line import set_flags
from method_steps import initialize, pretrain
from tiny_methods import tiny_config

from cirs_tf import train
from cirs_tf.errors import ConfigError
from cirs_tf.layers.argmax_in_place import argmax_in_place
from cirs_tf.losses.cirs import cirs_loss
from cirs_tf.methods.cirs import Cirs
from cirs_tf.models.feature_net import feature_net
from cirs_tf.models.unet import unet
from cirs_tf.training.optimizers import FusedAdam, adam
from cirs_tf.training.run_folder import RunFolder

SIDE, SEGMENTS, COUNT = 16, 4, 8
RNG = np.random.default_rng(0)
BATCH = {"image": tf.constant(RNG.random((COUNT, SIDE, SIDE, 3)), tf.float32)}
# Without what differs from call to call.
PLAIN = ("feature_net.dropout=0", "feature_net.output=none")


def build(tiny, *overrides):
    return Cirs(tiny_config(tiny, "thesis/cirs_balanced", *overrides), SIDE, SIDE)


def batch_mean(values):
    return tf.reduce_mean(values, axis=0)


def weights(network):
    return [variable.numpy() for variable in network.trainable_variables]


def step(method, phase=0, batch=BATCH):
    """Update once, as the training loop does on one device."""
    phase = method.phases[phase]
    with tf.GradientTape() as tape:
        terms = phase.loss(batch)
    values = [variable.value for variable in phase.variables]
    gradients = tape.gradient(terms["loss"], values)
    phase.optimizer.apply(gradients, phase.variables)
    return terms, dict(zip(map(id, phase.variables), gradients, strict=True))


def unmoved(before, network):
    after = weights(network)
    return all((a == b).all() for a, b in zip(before, after, strict=True))


class ThesisCirs:
    """The step of CIRS as the thesis writes it, without any extension."""

    def __init__(self, config):
        self.segmenter = unet(config.segmenter, SEGMENTS, 2 * config.seed)
        options = dataclasses.asdict(config.feature_net)
        del options["input"], options["cells"], options["per_segment"]
        self.feature_net = feature_net(
            SIDE, SIDE, SEGMENTS, **options, seed=2 * config.seed + 1
        )
        variables = self.segmenter.trainable_variables
        self.variables = variables + self.feature_net.trainable_variables
        self.optimizer = adam(self.variables, config.training.learning_rate)

    def step(self, images):
        with tf.GradientTape() as tape:
            probabilities = tf.nn.softmax(self.segmenter(images, training=True))
            masks = tf.transpose(argmax_in_place(probabilities), [0, 3, 1, 2])[
                ..., None
            ]
            masked = tf.reshape(masks * images[:, None], [-1, SIDE, SIDE, 3])
            number = tf.tile(tf.range(SEGMENTS), [COUNT])
            features = self.feature_net([masked, number], training=True)
            features = tf.reshape(features, [COUNT, SEGMENTS, -1])
            terms = cirs_loss(features, 1.0, 1.0, batch_mean)
        values = [variable.value for variable in self.variables]
        gradients = tape.gradient(terms.loss, values)
        self.optimizer.apply(gradients, self.variables)
        return terms


def test_the_default_is_bit_for_bit_the_thesis(tiny):
    config = tiny_config(tiny, "thesis/cirs_balanced")
    old, new = ThesisCirs(config), Cirs(config, SIDE, SIDE)
    for _ in range(3):
        expected = old.step(BATCH["image"])
        terms, _ = step(new)
        assert list(terms) == ["loss", "within", "between"]
        np.testing.assert_array_equal(list(terms.values()), expected)
    for name in ("segmenter", "feature_net"):
        a, b = (getattr(one, name).variables for one in (old, new))
        for one, other in zip(a, b, strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert new.pretraining == []
    assert new.initialize(np.zeros((4, SIDE, SIDE, 3), np.uint8)) == {}
    assert type(new.phases[0].optimizer) is FusedAdam


def test_the_floor_counts_the_softmax_or_the_masks(tiny):
    """Both by NumPy from the segmenter's own output."""
    for source in ("probabilities", "masks"):
        floor = (
            "cirs.usage_weight=2",
            "cirs.usage_floor=0.25",
            f"cirs.usage_of={source}",
        )
        method = build(tiny, *PLAIN, *floor)
        assert method.phases[0].terms[-1] == "min_usage_penalty"
        logits = method.segmenter(BATCH["image"]).numpy()
        share = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        if source == "masks":
            share = np.eye(SEGMENTS)[logits.argmax(-1)]
        short = np.maximum(0, 0.25 - share.mean((0, 1, 2))).sum() / 0.25
        assert short > 0
        terms = method.validation_terms(BATCH)
        # The penalty is a small difference of float32 shares and the floor.
        np.testing.assert_allclose(terms["min_usage_penalty"], short, atol=5e-6)
        plain = terms["within"] - terms["between"]
        np.testing.assert_allclose(terms["loss"], plain + 2 * short, atol=1e-5)


@pytest.mark.parametrize("schedule", ["joint", "alternating"])
def test_g_has_a_rate_of_its_own(tiny, schedule):
    """Adam's first step is the rate times the gradient's sign."""
    options = ("training.learning_rate=0.01", "cirs.feature_learning_rate=0.0001")
    method = build(tiny, *PLAIN, *options, f"cirs.schedule={schedule}")
    before = {name: weights(net) for name, net in method.networks.items()}
    gradients = {}
    for phase in range(len(method.phases)):
        gradients |= step(method, phase)[1]
    for name, rate in (("segmenter", 0.01), ("feature_net", 0.0001)):
        network, compared = method.networks[name], 0
        for old, variable in zip(
            before[name], network.trainable_variables, strict=True
        ):
            gradient = gradients[id(variable)].numpy()
            # Adam's epsilon, 1e-7, over sqrt(0.001) is what a gradient is beside.
            clear = np.abs(gradient) > 1e-2
            compared += clear.sum()
            moved = old - variable.numpy()
            expected = rate * np.sign(gradient)
            # Differences of float32 numbers of about 1.
            np.testing.assert_allclose(
                moved[clear], expected[clear], atol=2e-7, rtol=1e-3
            )
        assert compared


def test_frozen_g_stays_and_s_learns(tiny):
    method = build(tiny, "cirs.freeze_feature_net=true")
    before = {name: weights(net) for name, net in method.networks.items()}
    for _ in range(2):
        step(method)
    assert unmoved(before["feature_net"], method.feature_net)
    assert not unmoved(before["segmenter"], method.segmenter)
    with pytest.raises(ConfigError, match="cirs.freeze_feature_net: expected false"):
        build(tiny, "cirs.freeze_feature_net=true", "cirs.reset_every=3")


def test_g_sees_the_cells_that_it_was_built_for(tiny):
    method = build(tiny, "feature_net.input=area_normalized", "feature_net.cells=4")
    assert method.feature_net.inputs[0].shape == (None, 4, 4, 3)
    assert np.isfinite(step(method)[0]["loss"])


FLAT = ((9, 9, 9), (250, 20, 20), (20, 20, 250))


def scenes(count):
    """Return images and truth: two squares of one color each on a flat ground."""
    rng = np.random.default_rng(1)
    truth = np.zeros((count, SIDE, SIDE), np.uint8)
    for mask in truth:
        mask[rng.integers(0, 3) :, :][:5, rng.integers(0, 11) :][:, :5] = 1
        mask[rng.integers(8, 11) :, :][:5, rng.integers(0, 11) :][:, :5] = 2
    return np.array(FLAT, np.uint8)[truth], truth


@pytest.mark.parametrize("kind", ["components", "colors"])
def test_s_learns_pseudo_labels_before_training(tiny, kind):
    images, truth = scenes(60)
    size = ("segmenter.width=4", "segmenter.depth=2", "training.batch_size=16")
    labels = f"pretraining.pseudo_labels={kind}"
    method = build(tiny, *size, "segments=3", labels)
    frozen = weights(method.feature_net)
    initialization = initialize(method, images)
    summary = str(initialization["summary"])
    assert summary.startswith(f"{kind} of 60 images, shares 0.")
    assert [phase.name for phase in method.pretraining] == ["segmenter"]
    pretrain(method, images, initialization, size=16)
    assert unmoved(frozen, method.feature_net)
    # Training mode: running statistics settle later.
    labels = method.segmenter(images[:8] / 255, training=True).numpy().argmax(-1)
    pairs = np.zeros((3, 3), int)
    np.add.at(pairs, (labels.ravel(), truth[:8].ravel()), 1)
    # Each segment is one object nearly everywhere, each another one.
    assert sorted(pairs.argmax(axis=1)) == [0, 1, 2]
    assert pairs.max(axis=1).sum() > 0.93 * labels.size


def test_g_is_pretrained_and_s_stays(tiny):
    images, _ = scenes(30)
    options = ("feature_net.dropout=0", "cirs.feature_net_pretraining_steps=40")
    method = build(tiny, *options, "pretraining.images=20")
    assert initialize(method, images) == {}
    (phase,) = method.pretraining
    assert (phase.name, phase.steps, phase.num_images) == ("feature_net", 40, 20)
    before = {name: weights(net) for name, net in method.networks.items()}
    pretrain(method, images, {})
    assert unmoved(before["segmenter"], method.segmenter)
    assert not unmoved(before["feature_net"], method.feature_net)
    # Its decoder is in checkpoints, so that pretraining can be resumed.
    decoder = method.networks["feature_decoder"]
    assert not unmoved(before["feature_decoder"], decoder)
    trained = {id(v) for phase in method.phases for v in phase.variables}
    assert not trained & {id(v) for v in decoder.variables}


def test_through_the_command_pretraining_is_run_once(tiny, fruit, tmp_path, capsys):
    run = tmp_path / "run"
    options = ("pretraining.pseudo_labels=colors", "pretraining.steps=5")
    options += ("cirs.reset_every=4", "cirs.usage_weight=1")
    options += ("cirs.augmentation=shift_flip_rotate",)
    argv = ["--config", "thesis/cirs_balanced", "--data", str(fruit)]
    argv += ["--run", str(run), "--epochs", "1"]
    argv += ["--steps-per-epoch", "6", *set_flags([*tiny, *options])]
    assert train.main(argv) == 0
    log = RunFolder(run).log_file.read_text()
    assert log.count("colors of 48 images, shares ") == 1
    capsys.readouterr()
    assert train.main(["--resume", str(run), "--epochs", "2"]) == 0
    assert "colors of" not in capsys.readouterr().out
    last = RunFolder(run).read_metrics()[-1]
    assert last["step"] == 5 + 12
    expected = {"loss", "within", "between", "min_usage_penalty", "gradient_cosine"}
    assert set(last["train"]) == expected


def test_settings_of_a_feature_net_do_not_leak(tiny):
    """Another input leaves S as it is drawn."""
    one, other = build(tiny), build(tiny, "feature_net.input=pooled")
    assert unmoved(weights(one.segmenter), other.segmenter)
    assert dataclasses.asdict(one.config.cirs) == dataclasses.asdict(other.config.cirs)
