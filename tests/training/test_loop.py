import keras
import numpy as np
import pytest
import tensorflow as tf
from cirs_tf.config_files import load_config
from cirs_tf.methods.build import build_method

from cirs_tf.config import METHODS
from cirs_tf.data.pipeline import LoadedSplit
from cirs_tf.errors import TrainingError
from cirs_tf.training.loop import TrainingLoop
from cirs_tf.training.phases import Part, Phase
from cirs_tf.training.strategy import distributed_iterator, make_strategy

RNG = np.random.default_rng(0)
SPLIT = LoadedSplit(
    images=RNG.integers(0, 256, (24, 8, 8, 3), dtype=np.uint8),
    masks=RNG.integers(0, 4, (24, 8, 8), dtype=np.uint8),
    filenames=("",) * 24,
)
PLAIN = (
    "segmenter.norm=none",
    "feature_net.norm=none",
    "feature_net.dropout=0",
    "feature_net.output=none",
    "cirs.schedule=alternating",
    "cirs.segmenter_steps=2",
)


REPLICA_CASES = {
    "cirs, no norm": ("cirs", PLAIN),
    "cirs": ("cirs", ("feature_net.dropout=0", "cirs.schedule=alternating")),
    "cirs, usage": (
        "cirs",
        ("feature_net.dropout=0", "cirs.usage_weight=3", "cirs.usage_floor=0.24"),
    ),
    "cirs, rate of g and restart": (
        "cirs",
        ("feature_net.dropout=0", "cirs.feature_learning_rate=0.01")
        + ("cirs.reset_every=2", "feature_net.input=area_normalized"),
    ),
    # Replicas imagine different poses, so none are imagined here.
    "cirs_aligned": ("cirs_aligned", ("cirs_aligned.pose_weight=0",)),
    "cirs_plus": ("cirs_plus", ("air.hidden=[16]",)),
    # Replicas compose different images; with nothing cut out, all are black.
    "cut_and_paste": ("cut_and_paste", ()),
    "air": ("air", ("air.dropout=0", "air.schedule=alternating", "air.hidden=[16]")),
    # Replicas draw different codes, so the draws are fixed: see `fixed_codes`.
    "air, variational": (
        "air_variational",
        ("air.dropout=0", "air.hidden=[16]", "air.kl_weight=1"),
    ),
    "wnet": ("wnet", ("segmenter.dropout=0", "wnet.radius=2", "wnet.xla=false")),
    # Replicas draw different twins, so none are drawn here.
    "iic": ("iic", ("iic.width=1", "iic.reach=0", "iic.jitter=0", "iic.flip=false")),
    "autoencoder": ("autoencoder", ("autoencoder.dropout=0",)),
    "supervised": ("supervised", ()),
}


def trained(config, cycles):
    strategy = make_strategy(config.training)
    with strategy.scope():
        method = build_method(config, 8, 8)
    size = config.training.batch_size
    iterator = distributed_iterator(strategy, SPLIT, size, config.seed, 0)
    loop = TrainingLoop(method.phases, strategy, size)
    counts = tuple(phase.steps for phase in method.phases)
    sums = loop.run(iterator, Part(cycles, counts), 0)
    return method, sums


def weights(method):
    return {
        name: [variable.numpy() for variable in network.variables]
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
def fixed_codes(monkeypatch):
    """Let every draw of a code be one standard deviation above the mean."""

    def ones(shape, seed, dtype):
        return tf.ones(shape, dtype)

    monkeypatch.setattr(tf.random, "stateless_normal", ones)


@pytest.mark.usefixtures("float64", "fixed_codes")
@pytest.mark.parametrize(
    ("method", "overrides"),
    REPLICA_CASES.values(),
    ids=REPLICA_CASES,
)
def test_one_and_two_replicas_give_the_same_weights(tiny, method, overrides):
    overrides = (*tiny, *overrides)
    one, sums_one = trained(load_config(method, overrides), cycles=3)
    two, sums_two = trained(
        load_config(method, [*overrides, "training.strategy=mirrored"]), cycles=3
    )
    start = build_method(load_config(method, overrides), 8, 8)
    for name in start.networks:
        pairs = zip(
            weights(start)[name], weights(one)[name], weights(two)[name], strict=True
        )
        moved = []
        for before, first, second in pairs:
            moved.append(np.abs(first - before).max())
            np.testing.assert_allclose(second, first, atol=1e-6, rtol=0)
        assert max(moved) > 1e-3 or not start.networks[name].trainable_variables
    for a, b in zip(sums_one, sums_two, strict=True):
        np.testing.assert_allclose(b.totals, a.totals, rtol=1e-6)


def test_every_method_is_held_to_it():
    held = {load_config(config).method for config, _ in REPLICA_CASES.values()}
    assert held == set(METHODS)


def test_loop_equals_a_plain_gradient_tape(tiny):
    """The compiled loop against eager steps written out here."""
    config = load_config("cirs", [*tiny, *PLAIN])
    compiled, _ = trained(config, cycles=2)
    eager = build_method(config, 8, 8)
    iterator = distributed_iterator(
        make_strategy(config.training), SPLIT, 8, config.seed, 0
    )
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
    config = load_config("cirs", [*tiny, *PLAIN])
    strategy = make_strategy(config.training)
    method = build_method(config, 8, 8)
    before = weights(method)
    iterator = distributed_iterator(strategy, SPLIT, 8, 0, 0)
    loop = TrainingLoop(method.phases, strategy, 8)
    loop.run(iterator, Part(1, (0, 3)), 0)
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
    iterator = distributed_iterator(strategy, SPLIT, 8, 0, 0)
    loop = TrainingLoop(phases, strategy, 8)
    sums = loop.run(iterator, Part(1, (2, 2)), 100)
    # Mean steps 0 and 1 of each phase, by hand.
    assert [s.totals.tolist() for s in sums] == [[4.0, 1.0], [4.0, 1.0]]
    assert [s.steps for s in sums] == [2, 2]
    # The second phase's own step 3 is its second of the second cycle: 100 + 4 + 3.
    message = "step 107: within of phase second is not finite"
    with pytest.raises(TrainingError, match=message):
        loop.run(iterator, Part(3, (2, 2)), 104)
