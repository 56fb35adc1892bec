"""Training and evaluation streamed from records: the same bits as in memory."""

import errno
import json
import os
import shutil
import tempfile

import numpy as np
import pytest
import tensorflow as tf
from command_line import set_flags

from cirs_tf import evaluate, train
from cirs_tf.errors import DataError
from cirs_tf.methods.registry import load_config
from cirs_tf.metrics.segmentation import SegmentationMetric
from cirs_tf.runs import session
from cirs_tf.runs.evaluation import evaluate_run
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder

# S learns k-means segments first, of all images; then 5 of the 6 batches of each pass.
SETTINGS = (
    "pretraining.pseudo_labels=colors",
    "pretraining.steps=4",
    "training.epochs=2",
    "training.steps_per_epoch=5",
)


@pytest.fixture(scope="module")
def config(tiny, fruit):
    settings = [*tiny, *SETTINGS, f"data={fruit}"]
    return load_config("thesis/cirs_balanced", settings)


def changed(config, *settings):
    return load_config(overrides=list(settings), base=config)


@pytest.fixture(scope="module")
def runs(config, tmp_path_factory):
    """Return the same run in memory, and streamed as 37 kB are more than 0 MB."""
    folder = tmp_path_factory.mktemp("runs")
    return {
        name: session.train(changed(config, f"training.cache_mb={mb}"), folder / name)
        for name, mb in (("memory", 1), ("records", 0))
    }


def assert_same_end(ours, theirs):
    readers = [
        tf.train.load_checkpoint(
            str(CheckpointStore(run.folder.checkpoints).path("last") / "variables")
        )
        for run in (ours, theirs)
    ]
    names = set(readers[0].get_variable_to_shape_map())
    assert names == set(readers[1].get_variable_to_shape_map())
    for name in names - {"_CHECKPOINTABLE_OBJECT_GRAPH"}:
        values = [reader.get_tensor(name) for reader in readers]
        np.testing.assert_array_equal(*values, err_msg=name)
    rows = [run.folder.read_metrics() for run in (ours, theirs)]
    for row in (*rows[0], *rows[1]):
        del row["images_per_second"]
    assert rows[0] == rows[1]


def test_a_streamed_run_ends_like_one_in_memory(runs):
    assert_same_end(runs["records"], runs["memory"])
    logs = {cache: run.folder.log_file.read_text() for cache, run in runs.items()}
    size = "0.0 MB decoded, budget"
    assert f"images       in memory: {size} 1 MB" in logs["memory"]
    assert f"images       streamed from records: {size} 0 MB" in logs["records"]


def test_a_streamed_run_goes_on_in_mid_pass(config, runs, tmp_path):
    """And the other way of holding images is no other run."""
    short = changed(config, "training.epochs=1", "training.cache=records")
    session.train(short, tmp_path / "run")
    longer = changed(config, "training.cache=records")
    ended = session.train(longer, tmp_path / "run", resume=True)
    assert ended.step == 14
    assert_same_end(ended, runs["memory"])
    other = changed(config, "training.cache=memory", "training.cache_mb=7")
    assert session.train(other, tmp_path / "run").step == 14


def scores(run, folder, *flags) -> dict:
    file = folder / "scores.json"
    assert evaluate.main([str(run.path), "--json", str(file), *flags]) == 0
    return json.loads(file.read_text())


@pytest.mark.parametrize("flags", [(), ("--min-region-size", "4")])
def test_scores_are_the_same(runs, tmp_path, flags):
    found = [scores(run, tmp_path, *flags) for run in runs.values()]
    assert found[0] == found[1]
    assert "miou" in found[0]


def test_labels_are_the_same_and_in_a_file(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    streamed, loaded = (
        evaluate_run(runs[cache].folder, "test") for cache in ("records", "memory")
    )
    assert isinstance(streamed.labels, np.memmap)
    assert not isinstance(loaded.labels, np.memmap)
    np.testing.assert_array_equal(streamed.labels, loaded.labels)
    pictures = [np.asarray(one.picture()) for one in (streamed, loaded)]
    np.testing.assert_array_equal(*pictures)
    assert not list(tmp_path.iterdir())  # nameless, so that nothing is left behind


def test_no_room_for_labels_is_one_line(runs, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DataError, match=r"bytes for labels .* No space .* TMPDIR"):
        evaluate_run(runs["records"].folder, "test")


def test_no_metric_is_fed_more_than_a_batch(runs, monkeypatch):
    fed = []
    original = SegmentationMetric.update_state

    def watched(self, y_true, y_pred):
        fed.append(len(y_true))
        original(self, y_true, y_pred)

    monkeypatch.setattr(SegmentationMetric, "update_state", watched)
    evaluate_run(runs["records"].folder, "test", others=False)
    assert fed == [8, 8]  # 16 images in batches of 8


@pytest.fixture
def damaged(fruit, tmp_path):
    """Return a copy of the set, the name in the last record of a shard changed."""
    folder = tmp_path / "set"
    shutil.copytree(fruit, folder)
    path = folder / "train-00001-of-00002.tfrecord"
    content = path.read_bytes()
    place = content.rindex(b".png")
    path.write_bytes(content[:place] + b".PNG" + content[place + 4 :])
    return folder, path


def command(data, run, tiny, *more):
    """Return arguments of `train`: two passes in a few steps."""
    settings = [*tiny, "training.epochs=1", "training.steps_per_epoch=12", *more]
    return [
        *("--config", "thesis/cirs_balanced", "--data", str(data), "--run", str(run)),
        *set_flags(settings),
    ]


def test_a_damaged_record_is_one_line_where_it_is_read(damaged, tiny, tmp_path, capsys):
    data, path = damaged
    streamed = command(data, tmp_path / "a", tiny, "training.cache=records")
    assert train.main(streamed) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error == f"error: {path}: record 23 (counted from 0) is damaged"


def test_hashes_are_compared_with_verify_alone(damaged, runs, tiny, tmp_path, capsys):
    data, path = damaged
    message = f"error: {path}: record 23 (counted from 0) of 24 is damaged"
    assert train.main([*command(data, tmp_path / "a", tiny), "--verify"]) == 1
    assert message in capsys.readouterr().err
    assert not RunFolder(tmp_path / "a").config_file.exists()
    with pytest.raises(DataError, match="is damaged"):
        evaluate_run(runs["records"].folder, "train", data, verify=True)
    scored = [str(runs["records"].path), "--data", str(data), "--out", str(tmp_path)]
    assert evaluate.main([*scored, "--split", "train", "--verify"]) == 1
    assert message in capsys.readouterr().err
    assert evaluate.main([*scored, "--split", "test", "--verify"]) == 0
