"""The compiled loop, and every phase of every method on one and on two replicas."""

import contextlib

import global_draws
import keras
import numpy as np
import pytest
import tensorflow as tf
from method_steps import pretrain, replica_batches, train
from tiny_methods import (
    IMAGES,
    MASKS,
    SIDE,
    SIZE,
    build_tiny,
    initialization_of,
    tiny_config,
)

from cirs_tf.errors import TrainingError
from cirs_tf.methods.registry import METHODS, build_method, entry_of
from cirs_tf.training.loop import TrainingLoop
from cirs_tf.training.phases import Phase, StepPlan
from cirs_tf.training.strategy import make_strategy

ALTERNATING = ("cirs.schedule=alternating", "cirs.segmenter_steps=2")
PLAIN = (
    "segmenter.norm=none",
    "feature_net.norm=none",
    "feature_net.dropout=0",
    "feature_net.output=none",
    *ALTERNATING,
)
# Every random part that a method has is at work: see `global_draws`. Configuration,
# settings, and the modules that draw on each replica.
REPLICA_CASES = {
    "cirs, words": (
        "cirs",
        ("cirs.heads=2", "cirs.gumbel_steps=4", "words.hidden=[4]")
        + ("cirs.between=pairwise",),
        {"annealed_noise", "cirs"},
    ),
    "cirs, no norm": ("thesis/cirs_balanced", PLAIN, {"cirs"}),
    # Not with one segment a call of g: a segment that is empty in a whole batch gives
    # equal values, whose rounding decides whether a ReLU lets a gradient through.
    "cirs": (
        "thesis/cirs_balanced",
        ("segmenter.dropout=0.2", "feature_net.norm=current_batch", *ALTERNATING),
        {"cirs", "replica_random"},
    ),
    "cirs, joint": (
        "thesis/cirs_balanced",
        ("cirs.usage_weight=3", "cirs.usage_floor=0.24")
        + ("cirs.augmentation=shift_flip_rotate", "cirs.between=log_det")
        + ("cirs.feature_learning_rate=0.01", "training.decay_steps=4")
        + ("cirs.reset_every=2", "feature_net.input=area_normalized")
        + ("pretraining.pseudo_labels=colors", "pretraining.steps=3")
        + ("cirs.feature_net_pretraining_steps=3",),
        {"cirs", "replica_random"},
    ),
    "cirs_aligned": (
        "cirs_aligned",
        ("pretraining.steps=3", "cirs_aligned.pose_pretraining_steps=3")
        # Fewer segments than elsewhere: tracing a pose network takes seconds.
        + ("cirs_aligned.template_freeze_steps=1", "segments=3")
        + ("cirs_aligned.xla=false",),
        {"known_poses"},
    ),
    "cirs_plus": (
        "cirs_plus",
        ("pretraining.steps=3", "cirs_plus.hidden=[16]", "cirs_plus.dropout=0.2"),
        {"replica_random"},
    ),
    "fixed_camera": (
        "fixed_camera",
        ("segments=2", "fixed_camera.cleaning=1", "segmenter.dropout=0.2")
        + ("fixed_camera.segmenter=frame_and_background",),
        {"fixed_camera", "replica_random"},
    ),
    "cut_and_paste": (
        "cut_and_paste",
        ("cut_and_paste.patches_per_class=2", "cut_and_paste.overlap=false"),
        {"cut_and_paste"},
    ),
    "air": (
        "air_variational",
        ("air.hidden=[16]", "air.kl_weight=1", "air.schedule=alternating"),
        {"air", "replica_random"},
    ),
    "air, words and heads": (
        "air",
        ("air.hidden=[16]", "air.target=words", "air.heads=2", "air.error=per_segment")
        + ("air.gumbel_scale=1", "air.gumbel_steps=4")
        + ("air.augmentation=shift_flip_rotate", "air.schedule=alternating"),
        {"air", "annealed_noise", "replica_random"},
    ),
    "wnet": (
        "wnet",
        ("wnet.radius=2", "wnet.xla=false", "wnet.schedule=alternating")
        + ("wnet.flip=true", "segmenter.dropout_of=elements", "pretraining.steps=3"),
        {"annealed_noise", "wnet"},
    ),
    "wnet, heads": (
        "wnet",
        ("wnet.radius=2", "wnet.xla=false", "pretraining.pseudo_labels=none")
        + ("wnet.heads=2",),
        {"annealed_noise"},
    ),
    "iic": ("iic", ("iic.width=1",), {"iic"}),
    "autoencoder": ("autoencoder", (), {"replica_random"}),
    "supervised": ("supervised", ("segmenter.dropout=0.2",), {"replica_random"}),
}


def trained(config, cycles):
    """Pretrain and train.

    Returns:
        The method, what it trains as it was before, and the sums of all loss terms.
    """
    strategy = make_strategy(config.training)
    method = build_tiny(config, strategy)
    before = trainable(method)
    given = initialization_of(config)
    sums = pretrain(method, IMAGES, given, SIZE, strategy)
    masks = MASKS if method.needs_masks else None
    cycles = train(method, IMAGES, cycles, masks, SIZE, strategy=strategy)
    return method, before, [*sums.values(), *cycles]


def weights(method):
    return {
        name: [variable.numpy() for variable in network.variables]
        for name, network in method.networks.items()
    }


def trainable(method):
    return {
        name: [variable.numpy() for variable in network.trainable_variables]
        for name, network in method.networks.items()
    }


@pytest.fixture
def float64():
    """Adam turns the rounding error of a vanishing gradient into a whole step.

    In float32 that hides what the test is for, in float64 it is below Adam's epsilon.
    """
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def graphs_as_traced():
    """Graphs are not rewritten: a fourth of the time for steps that run three times."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


@contextlib.contextmanager
def eager_functions():
    """Run operations one by one: quicker than tracing them for a few steps."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.mark.usefixtures("float64", "graphs_as_traced")
@pytest.mark.parametrize(
    ("source", "overrides", "drawing"), REPLICA_CASES.values(), ids=REPLICA_CASES
)
def test_one_and_two_replicas_give_the_same_weights(
    tiny, source, overrides, drawing, monkeypatch
):
    single = tiny_config(tiny, source, *overrides)
    assert entry_of(single.method).method_class  # its modules are imported now
    asked = global_draws.patch(monkeypatch)
    with eager_functions():
        one, before, sums_one = trained(single, cycles=3)
    mirrored = tiny_config(tiny, source, *overrides, "training.strategy=mirrored")
    two, _, sums_two = trained(mirrored, cycles=3)
    assert asked == drawing
    for name in one.networks:
        for on_one, on_two in zip(weights(one)[name], weights(two)[name], strict=True):
            np.testing.assert_allclose(on_two, on_one, atol=1e-6, rtol=0)
        moved = zip(before[name], trainable(one)[name], strict=True)
        changes = [np.abs(after - first).max() for first, after in moved]
        assert max(changes, default=1) > 1e-4  # the rate of IIC
    for a, b in zip(sums_one, sums_two, strict=True):
        np.testing.assert_allclose(b.totals, a.totals, rtol=1e-6)


def test_every_method_and_pretraining_phase_is_held_to_it(tiny):
    cases = [
        (tiny_config(tiny, source, *changes), changes)
        for source, changes, _ in REPLICA_CASES.values()
    ]
    # All but those that train nothing.
    untrained = {"deep_clustering", "threshold"}
    assert {config.method for config, _ in cases} == set(METHODS) - untrained
    pretrained = {
        (config.method, phase.name)
        for config, changes in cases
        if "pretraining" in " ".join(changes)
        for phase in build_method(config, SIDE, SIDE).pretraining
    }
    assert pretrained == {
        ("cirs", "segmenter"),
        ("cirs", "feature_net"),
        ("cirs_aligned", "segmenter"),
        ("cirs_aligned", "poses"),
        ("cirs_plus", "segmenter"),
        ("wnet", "segmenter"),
        ("wnet", "decoder"),
    }


def eager_batches(steps):
    rows = np.random.default_rng(0).integers(0, len(IMAGES), steps * SIZE)
    batch = {"image": IMAGES[rows].astype(np.float32) / 255}
    return replica_batches(tf.distribute.get_strategy(), batch, SIZE)


def test_loop_equals_a_plain_gradient_tape(tiny):
    """The compiled loop against eager steps written out here."""
    config = tiny_config(tiny, "thesis/cirs_balanced", *PLAIN)
    compiled, _, _ = trained(config, cycles=2)
    eager = build_method(config, SIDE, SIDE)
    iterator = eager_batches(steps=6)
    for _ in range(2):
        for phase in eager.phases:
            for _ in range(phase.steps):
                with tf.GradientTape() as tape:
                    loss = phase.loss(next(iterator))["loss"]
                values = [variable.value for variable in phase.variables]
                phase.optimizer.apply(tape.gradient(loss, values), phase.variables)
    for name in compiled.networks:
        for a, b in zip(weights(compiled)[name], weights(eager)[name], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_phase_updates_its_own_variables_only(tiny):
    method = build_method(tiny_config(tiny, "thesis/cirs_balanced", *PLAIN), SIDE, SIDE)
    before = weights(method)
    loop = TrainingLoop(method.phases, tf.distribute.get_strategy(), SIZE)
    loop.run(eager_batches(steps=3), StepPlan(1, (0, 3)), 0)
    after = weights(method)
    for a, b in zip(before["segmenter"], after["segmenter"], strict=True):
        np.testing.assert_array_equal(a, b)
    changed = zip(before["feature_net"], after["feature_net"], strict=True)
    assert any((a != b).any() for a, b in changed)


def counting_phase(name, variable, bad_step=None):
    """A phase of which `within` is NaN at one step of its own."""
    optimizer = keras.optimizers.SGD(0.0)
    optimizer.build([variable])

    def loss(batch):
        step = tf.cast(optimizer.iterations.value, tf.int32)
        wrong = step == (-1 if bad_step is None else bad_step)
        within = tf.where(wrong, np.nan, tf.cast(step, tf.float32))
        return {"loss": tf.reduce_sum(variable.value), "within": within}

    return Phase(name, loss, ("loss", "within"), [variable], optimizer, steps=2)


def test_a_term_that_is_not_finite_is_named_with_its_step():
    variable = keras.Variable(np.ones(2, np.float32))
    strategy = tf.distribute.get_strategy()
    phases = [
        counting_phase("first", variable),
        counting_phase("second", variable, bad_step=3),
    ]
    iterator = eager_batches(steps=16)
    loop = TrainingLoop(phases, strategy, 8)
    sums = loop.run(iterator, StepPlan(1, (2, 2)), 100)
    # Mean steps 0 and 1 of each phase, by hand.
    assert [s.totals.tolist() for s in sums] == [[4.0, 1.0], [4.0, 1.0]]
    assert [s.steps for s in sums] == [2, 2]
    # The second phase's own step 3 is its second of the second cycle: 100 + 4 + 3.
    message = "step 107: within of phase second is not finite"
    with pytest.raises(TrainingError, match=message):
        loop.run(iterator, StepPlan(3, (2, 2)), 104)


def test_gradient_cosine_is_that_of_the_gradient_and_adams_mean(tiny):
    """By NumPy, over three steps of one batch; the mean is written out here."""
    config = tiny_config(tiny, "thesis/cirs_balanced", *PLAIN)
    method, again = (build_method(config, SIDE, SIDE) for _ in range(2))
    (segmenter, feature_net) = method.phases
    assert segmenter.reported == (*segmenter.terms, "gradient_cosine")
    assert feature_net.reported == feature_net.terms
    loop = TrainingLoop(method.phases, tf.distribute.get_strategy(), SIZE)
    iterator, batches = eager_batches(steps=3), eager_batches(steps=3)
    phase, mean = again.phases[0], 0.0
    for step in range(3):
        (sums, _) = loop.run(iterator, StepPlan(1, (1, 0)), step)
        with tf.GradientTape() as tape:
            loss = phase.loss(next(batches))["loss"]
        values = [variable.value for variable in phase.variables]
        gradients = tape.gradient(loss, values)
        flat = np.concatenate([g.numpy().ravel() for g in gradients])
        lengths = np.linalg.norm(flat) * np.linalg.norm(mean) if step else 1.0
        expected = flat @ mean / lengths if step else 0.0
        # Compiled and eager kernels round differently.
        np.testing.assert_allclose(sums.totals[-1], expected, atol=1e-4)
        phase.optimizer.apply(gradients, phase.variables)
        mean = 0.9 * mean + 0.1 * flat
