"""What the thesis leaves open of CIRS: off by default, and each piece by itself."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from cirs_tf.config_files import load_config
from command_line import set_flags

from cirs_tf import train
from cirs_tf.data.transforms import random_shift_flip_turn
from cirs_tf.errors import ConfigError, DataError
from cirs_tf.layers.argmax_in_place import argmax_in_place
from cirs_tf.losses.cirs import cirs_loss
from cirs_tf.methods import cirs as cirs_module
from cirs_tf.methods.cirs import Cirs
from cirs_tf.models.feature_net import feature_net
from cirs_tf.models.unet import unet
from cirs_tf.training.phases import StartsFromImages
from cirs_tf.training.run_folder import RunFolder

SIDE, SEGMENTS, COUNT = 16, 4, 8
RNG = np.random.default_rng(0)
BATCH = {"image": tf.constant(RNG.random((COUNT, SIDE, SIDE, 3)), tf.float32)}
# Without what differs from call to call.
PLAIN = ("feature_net.dropout=0", "feature_net.output=none")


def build(tiny, *overrides):
    return Cirs(load_config("cirs", [*tiny, *overrides]), SIDE, SIDE)


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


class OfOldConfig:
    """The step of CIRS as it was before any of it could be changed."""

    def __init__(self, config):
        self.segmenter = unet(config.segmenter, SEGMENTS, 2 * config.seed)
        self.feature_net = feature_net(
            config.feature_net, SIDE, SIDE, SEGMENTS, 2 * config.seed + 1
        )
        variables = self.segmenter.trainable_variables
        self.variables = variables + self.feature_net.trainable_variables
        self.optimizer = keras.optimizers.Adam(config.training.learning_rate)
        self.optimizer.build(self.variables)

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


def test_the_default_is_bit_for_bit_what_it_was(tiny):
    config = load_config("cirs", tiny)
    old, new = OfOldConfig(config), Cirs(config, SIDE, SIDE)
    for _ in range(3):
        expected = old.step(BATCH["image"])
        terms, _ = step(new)
        assert list(terms) == ["loss", "within", "between"]
        np.testing.assert_array_equal(list(terms.values()), expected)
    for name in ("segmenter", "feature_net"):
        a, b = (getattr(one, name).variables for one in (old, new))
        for one, other in zip(a, b, strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert not isinstance(new, StartsFromImages)
    assert type(new.phases[0].optimizer) is keras.optimizers.Adam


def test_training_sees_shifted_flipped_turned_images_other_ones_each_step(
    tiny, monkeypatch
):
    seen = []

    def record(images, seed):
        turned = random_shift_flip_turn(images, seed)
        seen.append(turned.numpy())
        return turned

    monkeypatch.setattr(cirs_module, "random_shift_flip_turn", record)
    options = ("cirs.augmentation=shift_flip_turn", "cirs.schedule=alternating")
    method = build(tiny, *options)
    for phase in (0, 1, 1, 0):
        step(method, phase)
    for index, one in enumerate(seen):
        assert np.abs(one - BATCH["image"]).max() > 0.5
        assert all((one != other).any() for other in seen[:index])
    assert len(seen) == 4
    method.validation_terms(BATCH)  # measures the images as they are
    assert len(seen) == 4
    # Another run of the same seed sees the same.
    again = build(tiny, *options)
    step(again, 0)
    np.testing.assert_array_equal(seen[4], seen[0])
    # As after resuming: the count of updates is all that is needed.
    resumed = build(tiny, *options)
    resumed.phases[0].optimizer.iterations.assign(1)
    step(resumed, 1)
    np.testing.assert_array_equal(seen[5], seen[1])


def test_augmentation_needs_square_images(tiny):
    config = load_config("cirs", [*tiny, "cirs.augmentation=shift_flip_turn"])
    with pytest.raises(ConfigError, match="square images, got 16 x 8 pixels"):
        Cirs(config, 16, 8)


def test_the_floor_counts_the_softmax_or_the_masks(tiny):
    """Both by NumPy from the segmenter's own output."""
    for of in ("probabilities", "masks"):
        floor = ("cirs.usage_weight=2", "cirs.usage_floor=0.9", f"cirs.usage_of={of}")
        method = build(tiny, *PLAIN, *floor)
        assert method.phases[0].terms[-1] == "shortfall"
        logits = method.segmenter(BATCH["image"]).numpy()
        share = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        if of == "masks":
            share = np.eye(SEGMENTS)[logits.argmax(-1)]
        short = np.maximum(0, 0.9 - share.mean((0, 1, 2))).sum() / 0.9
        assert short > 0
        terms = method.validation_terms(BATCH)
        np.testing.assert_allclose(terms["shortfall"], short, rtol=1e-5)
        plain = terms["within"] - terms["between"]
        np.testing.assert_allclose(terms["loss"], plain + 2 * short, rtol=1e-5)


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
        network = method.networks[name]
        for old, variable in zip(
            before[name], network.trainable_variables, strict=True
        ):
            gradient = gradients[id(variable)].numpy()
            # Adam's epsilon, 1e-7, over sqrt(0.001) is what a gradient is beside.
            clear = np.abs(gradient) > 1e-2
            moved = old - variable.numpy()
            expected = rate * np.sign(gradient)
            # Differences of float32 numbers of about 1.
            np.testing.assert_allclose(
                moved[clear], expected[clear], atol=2e-7, rtol=1e-3
            )


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


@pytest.mark.parametrize("start", ["components", "colors"])
def test_s_starts_from_what_the_images_suggest(tiny, start):
    images, truth = scenes(60)
    size = ("segmenter.width=4", "segmenter.depth=2", "training.batch_size=16")
    method = build(tiny, *size, "segments=3", f"cirs.start={start}")
    assert isinstance(method, StartsFromImages)
    frozen = weights(method.feature_net)
    line = method.start_from(images)
    assert line.startswith(f"start        {start} of 60 images, shares 0.")
    assert unmoved(frozen, method.feature_net)
    # Training mode: running statistics settle later.
    labels = method.segmenter(images[:8] / 255, training=True).numpy().argmax(-1)
    pairs = np.zeros((3, 3), int)
    np.add.at(pairs, (labels.ravel(), truth[:8].ravel()), 1)
    # Each segment is one object nearly everywhere, each another one.
    assert sorted(pairs.argmax(axis=1)) == [0, 1, 2]
    assert pairs.max(axis=1).sum() > 0.93 * labels.size


def test_no_component_is_one_line(tiny):
    method = build(tiny, "cirs.start=components")
    gray = np.full((10, SIDE, SIDE, 3), 9, np.uint8)
    with pytest.raises(DataError, match="cirs.start: 0 connected parts differ from"):
        method.start_from(gray)


def test_g_starts_as_an_encoder(tiny):
    """A linear code of images of one gray level each tells the levels apart."""
    levels = np.arange(0, 250, 10, dtype=np.uint8)
    images = np.broadcast_to(levels[:, None, None, None], (25, SIDE, SIDE, 3))
    options = (*PLAIN, "feature_net.norm=none", "cirs.feature_start_steps=80")
    method = build(tiny, *options)
    segmenter = weights(method.segmenter)
    line = method.start_from(images)
    assert line == "start        g as an encoder of 25 images"
    assert unmoved(segmenter, method.segmenter)

    def unexplained(net):
        inputs = [images.astype(np.float32) / 255, np.zeros(25, np.int32)]
        decoder = np.linalg.lstsq(code := net(inputs).numpy(), levels, rcond=None)[0]
        return np.abs(code @ decoder - levels).max()

    assert unexplained(method.feature_net) < 5
    fresh = build(tiny, *options).feature_net
    assert not np.allclose(weights(fresh)[0], weights(method.feature_net)[0], atol=0.01)


def test_through_the_command_a_start_is_made_once(tiny, fruit, tmp_path, capsys):
    run = tmp_path / "run"
    options = ("cirs.start=colors", "cirs.start_steps=5", "cirs.reset_every=4")
    options += ("cirs.augmentation=shift_flip_turn", "cirs.usage_weight=1")
    argv = ["--data", str(fruit), "--run", str(run), "--epochs", "1"]
    argv += ["--steps-per-epoch", "6", *set_flags([*tiny, *options])]
    assert train.main(argv) == 0
    assert "start        colors of 48 images" in RunFolder(run).log_file.read_text()
    capsys.readouterr()
    assert train.main(["--resume", str(run), "--epochs", "2"]) == 0
    assert "start        colors" not in capsys.readouterr().out
    first, last = RunFolder(run).read_metrics()
    assert last["step"] == 12
    assert set(last["train"]) == {"loss", "within", "between", "shortfall"}


def test_settings_of_a_feature_net_do_not_leak(tiny):
    """Another input leaves S as it is drawn."""
    one, other = build(tiny), build(tiny, "feature_net.input=pooled")
    assert unmoved(weights(one.segmenter), other.segmenter)
    assert dataclasses.asdict(one.config.cirs) == dataclasses.asdict(other.config.cirs)
