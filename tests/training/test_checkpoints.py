import json
import os
import shutil

import keras
import numpy as np
import pytest

from cirs_tf.errors import CheckpointError
from cirs_tf.training import checkpoints
from cirs_tf.training.checkpoints import CheckpointStore


def network(units=3):
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])


def optimizer(model):
    built = keras.optimizers.Adam()
    built.build(model.trainable_variables)
    return built


def save(store, model, adam, step, **scores):
    return store.save(step, {"net": model}, {"adam": adam}, {"note": step}, scores)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_restore_brings_back_weights_optimizer_and_state(tmp_path):
    store = CheckpointStore(tmp_path)
    model = network()
    adam = optimizer(model)
    adam.apply([np.ones((2, 3), np.float32), np.ones(3, np.float32)])
    save(store, model, adam, 7)
    other = network()
    other_adam = optimizer(other)
    state = CheckpointStore(tmp_path).restore(
        "last", {"net": other}, {"adam": other_adam}
    )
    assert (state["step"], state["note"]) == (7, 7)
    for a, b in zip(model.variables, other.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    for a, b in zip(adam.variables, other_adam.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


class Lists(keras.layers.Layer):
    """A layer that keeps its layers in a list and in a dictionary, as many do."""

    def __init__(self):
        super().__init__()
        self.steps = [keras.layers.Dense(3), keras.layers.BatchNormalization()]
        self.last = {"dense": keras.layers.Dense(1)}

    def call(self, inputs):
        for layer in self.steps:
            inputs = layer(inputs)
        return self.last["dense"](inputs)


def test_layers_in_lists_and_dictionaries_are_kept(tmp_path):
    inputs = keras.Input((2,))
    model = keras.Model(inputs, Lists()(inputs))
    adam = optimizer(model)
    store = CheckpointStore(tmp_path)
    drawn = [np.random.default_rng(3).random(v.shape) for v in model.variables]
    for variable, values in zip(model.variables, drawn, strict=True):
        variable.assign(values)
    save(store, model, adam, 1)
    for variable in model.variables:
        variable.assign(variable * 0)
    CheckpointStore(tmp_path).restore("last", {"net": model})
    assert len(drawn) == 8
    for variable, values in zip(model.variables, drawn, strict=True):
        np.testing.assert_allclose(variable.numpy(), values, rtol=1e-6)


@pytest.mark.parametrize("layer", [Lists, lambda: keras.layers.Dropout(0.5)])
def test_checkpoints_from_before_lists_were_kept(layer, tmp_path, monkeypatch):
    """Seeds of dropout may be missing, weights may not."""
    inputs = keras.Input((2,))
    model = keras.Model(inputs, layer()(keras.layers.Dense(2)(inputs)))
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "_untracked", lambda network: [])
        CheckpointStore(tmp_path).save(1, {"net": model}, {}, {})
    store = CheckpointStore(tmp_path)
    if layer is not Lists:
        assert len(model.variables) == 3
        assert store.restore("last", {"net": model})["step"] == 1
        return
    with pytest.raises(CheckpointError, match="without some weights of the net"):
        store.restore("last", {"net": model})


def test_keeps_the_newest_and_the_best_of_each_kind(tmp_path):
    store = CheckpointStore(tmp_path, keep=2)
    model = network()
    adam = optimizer(model)
    best = [
        save(store, model, adam, 10, loss=3.0, oracle=0.2),
        save(store, model, adam, 20, loss=1.0, oracle=0.1),
        save(store, model, adam, 30, loss=1.0, oracle=0.4),
        save(store, model, adam, 40, loss=2.0, oracle=0.4),
        save(store, model, adam, 50, loss=9.0),
    ]
    assert best == [["loss", "oracle"], ["loss"], ["oracle"], [], []]
    assert names(tmp_path) == [
        "checkpoints.json",
        "step-00000020",
        "step-00000030",
        "step-00000040",
        "step-00000050",
    ]
    reopened = CheckpointStore(tmp_path)
    found = [reopened.path(name).name for name in ("last", "loss", "oracle")]
    assert found == ["step-00000050", "step-00000020", "step-00000030"]


def test_kept_steps_and_which_of_them_only_labels_keep(tmp_path):
    store = CheckpointStore(tmp_path, keep=2)
    assert store.steps() == []
    model = network()
    adam = optimizer(model)
    for step, loss, oracle in ((1, 3.0, 0.9), (2, 1.0, 0.1), (3, 2.0, 0.1)):
        save(store, model, adam, step, loss=loss, oracle=oracle)
    save(store, model, adam, 4)
    assert store.steps() == [1, 2, 3, 4]
    assert store.steps(label_free=True) == [2, 3, 4]
    assert store.path("1").name == "step-00000001"
    for name in ("5", "-1", "first"):
        with pytest.raises(CheckpointError, match=f"{name!r}; .* 1, 2, 3"):
            store.path(name)


def test_a_failed_write_leaves_the_earlier_ones_and_nothing_else(tmp_path):
    store = CheckpointStore(tmp_path)
    model = network()
    adam = optimizer(model)
    save(store, model, adam, 1, loss=2.0)
    before = names(tmp_path)
    # The index's place is taken by a folder: writing it fails after the variables.
    blocked = tmp_path / f".checkpoints.json.{os.getpid()}.tmp"
    blocked.mkdir()
    with pytest.raises(CheckpointError, match="step-00000002: cannot be written"):
        try:
            save(store, model, adam, 2, loss=1.0)
        finally:
            blocked.rmdir()
    assert CheckpointStore(tmp_path).path("loss").name == "step-00000001"
    assert set(names(tmp_path)) - set(before) <= {"step-00000002"}
    save(store, model, adam, 3)
    assert "step-00000002" not in names(tmp_path)


def test_another_architecture_is_named(tmp_path):
    store = CheckpointStore(tmp_path)
    model = network(3)
    save(store, model, optimizer(model), 1)
    message = r"net of another architecture: kernel \(2, 3\) where .* kernel \(2, 4\)"
    with pytest.raises(CheckpointError, match=message):
        store.restore("last", {"net": network(4)})


def test_missing_and_damaged_checkpoints_are_named(tmp_path):
    store = CheckpointStore(tmp_path)
    with pytest.raises(CheckpointError, match="no checkpoint 'loss' yet"):
        store.path("loss")
    model = network()
    save(store, model, optimizer(model), 1)
    with pytest.raises(CheckpointError, match="'oracle' yet .validation read no masks"):
        store.path("oracle")
    (tmp_path / "step-00000001" / "variables.index").write_bytes(b"x")
    with pytest.raises(CheckpointError, match="step-00000001: cannot be restored"):
        store.restore("last", {"net": network()})
    (tmp_path / "step-00000001" / "state.json").unlink()
    with pytest.raises(CheckpointError, match="missing or incomplete"):
        store.path("last")
    for content in ("{", "[]"):
        (tmp_path / "checkpoints.json").write_text(content)
        with pytest.raises(CheckpointError, match="checkpoints.json: damaged"):
            CheckpointStore(tmp_path)


def test_an_extra_worker_keeps_nothing(tmp_path):
    store = CheckpointStore(tmp_path, worker=1)
    model = network()
    assert save(store, model, optimizer(model), 1, loss=1.0) == []
    assert names(tmp_path) == []


def test_going_through_a_best_step_again_does_not_compare_it_with_itself(tmp_path):
    store = CheckpointStore(tmp_path)
    model = network()
    adam = optimizer(model)
    save(store, model, adam, 10, loss=1.0)
    index = json.loads((tmp_path / "checkpoints.json").read_text())
    assert index["loss"] == {"step": 10, "value": 1.0}
    assert save(CheckpointStore(tmp_path), model, adam, 10, loss=1.0) == ["loss"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_score_that_is_not_finite_is_never_best(tmp_path, value):
    store, model = CheckpointStore(tmp_path), network()
    adam = optimizer(model)
    assert save(store, model, adam, 1, loss=value, oracle=value) == []
    with pytest.raises(CheckpointError, match="no checkpoint 'loss' yet"):
        store.path("loss")
    assert save(store, model, adam, 2, loss=1.0, oracle=0.5) == ["loss", "oracle"]
    assert save(store, model, adam, 3, loss=value, oracle=value) == []
    assert store.path("loss").name == store.path("oracle").name == "step-00000002"


def test_leftovers_of_a_killed_process_are_removed_and_nothing_else(tmp_path):
    store, model = CheckpointStore(tmp_path), network()
    save(store, model, optimizer(model), 1)
    (tmp_path / ".step-00000002.0.123.tmp").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    store.remove_leftovers()
    assert names(tmp_path) == ["checkpoints.json", "notes.txt", "step-00000001"]


def test_the_segmenter_alone_is_read_from_a_checkpoint_of_more(tmp_path):
    store, model, other = CheckpointStore(tmp_path), network(3), network(5)
    store.save(1, {"net": model, "other": other}, {"adam": optimizer(model)}, {})
    alone = network(3)
    assert store.restore("last", {"net": alone})["step"] == 1
    np.testing.assert_array_equal(alone.get_weights()[0], model.get_weights()[0])


def test_what_a_user_has_put_there_stays(tmp_path):
    store = CheckpointStore(tmp_path, keep=1)
    model = network()
    adam = optimizer(model)
    save(store, model, adam, 10)
    shutil.copytree(tmp_path / "step-00000010", tmp_path / "step-00000010.bak")
    (tmp_path / "step-5").mkdir()
    save(store, model, adam, 20)
    own = ["step-00000010.bak", "step-5"]
    assert names(tmp_path) == ["checkpoints.json", own[0], "step-00000020", own[1]]
