"""Pretraining phases run once, in order, then the cycle in epochs."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.config.files import resolve
from cirs_tf.config.sections import Config
from cirs_tf.data.image_split import LoadedSplit
from cirs_tf.training.loop import PhaseSums
from cirs_tf.training.phases import Phase, PretrainingPhase
from cirs_tf.training.stages import make_stages

RNG = np.random.default_rng(0)
SPLIT = LoadedSplit(
    images=RNG.integers(0, 256, (10, 4, 4, 3), dtype=np.uint8),
    masks=None,
    filenames=("",) * 10,
)
LABELS = RNG.integers(0, 3, (6, 4, 4), dtype=np.uint8)


def phase(kind, name, steps, **more):
    variable = keras.Variable(np.zeros(1, np.float32))
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build([variable])
    return kind(
        name, lambda batch: {}, ("loss", "b"), [variable], optimizer, steps, **more
    )


@pytest.fixture
def stages():
    method = SimpleNamespace(
        pretraining=[
            phase(PretrainingPhase, "first", 3, num_images=7),
            phase(PretrainingPhase, "second", 5, num_images=4),
        ],
        phases=[phase(Phase, "a", 2), phase(Phase, "b", 1)],
    )
    overrides = ["seed=5", "training.batch_size=4", "training.epochs=2"]
    config = resolve(Config(method="any"), overrides=overrides)
    strategy = tf.distribute.get_strategy()
    return make_stages(method, config, strategy, SPLIT, {"pseudo_labels": LABELS})


def test_stages_follow_one_another(stages):
    names = [stage.name for stage in stages]
    assert names == ["pretraining first", "pretraining second", "train"]
    # 10 images in batches of 4: 3 mini-batches per epoch.
    spans = [(stage.start, stage.end) for stage in stages]
    assert spans == [(0, 3), (3, 8), (8, 14)]
    assert [stage.epochs for stage in stages] == [None, None, 2]
    assert [stage.cycle for stage in stages] == [[3], [5], [2, 1]]
    assert [stages[2].part_end(step) for step in (8, 10, 11, 13)] == [11, 11, 14, 14]
    assert stages[1].part_end(5) == 8


def test_pretraining_draws_from_the_first_images_with_their_labels(stages):
    for stage, count in ((stages[0], 6), (stages[1], 4)):
        steps = stage.end - stage.start
        rows = np.random.default_rng(5).integers(0, count, (steps, 4))
        for skipped in (0, 2):
            batches = list(stage.batches(4, skipped))
            assert len(batches) == steps - skipped
            for batch, expected in zip(batches, rows[skipped:], strict=True):
                images = SPLIT.images[expected] / np.float32(255)
                np.testing.assert_array_equal(batch["image"], images)
                np.testing.assert_array_equal(batch["mask"], LABELS[expected])


def test_halves_of_a_batch_go_to_two_replicas_in_order(stages):
    whole = [batch["mask"].numpy() for batch in stages[0].batches(4, 0)]
    halves = [batch["mask"].numpy() for batch in stages[0].batches(2, 0)]
    np.testing.assert_array_equal(np.concatenate(whole), np.concatenate(halves))


def test_terms_are_named_by_phase_where_there_are_several(stages):
    sums = [PhaseSums(np.array([2.0, 4.0]), 2), PhaseSums(np.zeros(2), 0)]
    assert stages[2].means(sums) == {"a/loss": 1.0, "a/b": 2.0}
    assert stages[0].means(sums[:1]) == {"first/loss": 1.0, "first/b": 2.0}
    assert [stage.tag for stage in stages] == ["pretraining/", "pretraining/", ""]
