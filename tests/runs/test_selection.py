"""Candidates, their signals and the choice among them, on hand-made runs."""

import itertools
import json
import os

import numpy as np
import pytest

from cirs_tf.methods.registry import build_segmenter, load_config
from cirs_tf.runs import label_store
from cirs_tf.runs.restore import read_config
from cirs_tf.runs.selection import (
    Candidate,
    Signals,
    candidates_of,
    choose,
    goodness,
    predictions,
    signals_of,
)
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder


def folder_with(path, seed, index, losses):
    """Return a run folder that says which checkpoints there are, and their losses."""
    run = RunFolder(path)
    run.checkpoints.mkdir(parents=True)
    run.save_config(load_config(overrides=[f"seed={seed}"]))
    (run.checkpoints / "checkpoints.json").write_text(json.dumps(index))
    for step, loss in losses.items():
        run.append_metrics({"step": step, "validation": {"loss": loss}})
    return run


def candidate(seed, step=10, label_free=True, loss=1.0):
    return Candidate(RunFolder("nowhere"), seed, step, label_free, loss)


def test_candidates_are_what_is_kept_and_was_validated(tmp_path):
    index = {
        "last": [30, 35, 40],  # 35: amid an epoch, where the run was interrupted
        "loss": {"step": 20, "value": 1.0},
        "oracle": {"step": 10, "value": 0.9},
    }
    losses = {10: 4.0, 20: 1.0, 30: 2.0, 40: 3.0}
    first = folder_with(tmp_path / "a", 7, index, losses)
    second = folder_with(tmp_path / "b", 8, {"last": [10]}, {10: 5.0})
    found = candidates_of([first, second])
    shown = [(one.seed, one.step, one.label_free, one.loss) for one in found]
    assert shown == [
        (7, 10, False, 4.0),
        (7, 20, True, 1.0),
        (7, 30, True, 2.0),
        (7, 40, True, 3.0),
        (8, 10, True, 5.0),
    ]


@pytest.mark.parametrize(
    ("criterion", "expected"), [("loss", 1), ("agreement", 2), ("equivariance", 3)]
)
def test_each_criterion_has_its_best(criterion, expected):
    signals = [
        Signals(0.0, 1.0, 1.0, 1.0),  # best in everything, but kept by labels
        Signals(0.1, 0.2, 0.3, 0.0),
        Signals(0.5, 0.9, 0.3, 0.0),
        Signals(0.5, 0.2, 0.8, 0.0),
    ]
    found = [candidate(seed, label_free=seed > 0) for seed in range(4)]
    assert choose(found, signals, criterion) == expected


def test_of_equals_the_lower_loss_then_the_first():
    found = [candidate(seed) for seed in range(3)]
    signals = [Signals(loss, 0.5, 0.5, 1.0) for loss in (2.0, 1.0, 1.0)]
    assert choose(found, signals, "agreement") == 1
    lost = [Signals(np.nan, 0.5, 0.5, 1.0), signals[0], signals[1]]
    assert choose(found, lost, "loss") == 2
    assert goodness("agreement", None) == -np.inf


def test_agreement_is_a_mean_over_seeds_of_means_over_their_label_free_checkpoints():
    """Seed 0's segments renumbered are seed 1's; seed 2 has half of them shuffled."""
    rng = np.random.default_rng(0)
    base = rng.integers(0, 3, (4, 6, 6)).astype(np.uint8)
    other = np.uint8((base + 1) % 3)
    noise = rng.integers(0, 3, base.shape).astype(np.uint8)
    found = [
        candidate(0),
        candidate(1, 10),
        candidate(1, 20),
        candidate(2),
        candidate(2, 20, label_free=False),
    ]
    labels = np.stack([base, other, noise, noise, base])
    signals = signals_of(found, labels, labels[..., ::-1], 3)

    def agreement(first, second):
        """Take the best of all renumberings, with IoU from sets."""

        def mean_iou(a, b):
            pairs = [(a == k, b == k) for k in range(3)]
            return np.mean([(x & y).sum() / (x | y).sum() for x, y in pairs])

        orders = map(np.array, itertools.permutations(range(3)))
        best = max(orders, key=lambda order: mean_iou(first, order[second]))
        same = mean_iou(first, best[second])
        chance = mean_iou(first, best[np.concatenate([second[2:], second[:2]])])
        return (same - chance) / (1 - chance)

    assert agreement(base, other) == 1
    low = agreement(base, noise)
    assert signals[0].agreement == pytest.approx(((1 + low) / 2 + low) / 2)
    # Seed 2's second candidate counts for none, but is measured itself.
    assert signals[1].agreement == pytest.approx((1 + low) / 2)
    assert signals[4].agreement == pytest.approx((1 + (1 + low) / 2) / 2)


def test_equivariance_mirrors_back():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, (1, 4, 6, 6)).astype(np.uint8)
    (good,) = signals_of([candidate(0)], labels, labels[..., ::-1], 3)
    assert (good.equivariance, good.mirror_pixels) == (pytest.approx(1), 1)
    assert good.agreement is None
    (bad,) = signals_of([candidate(0)], labels, labels, 3)
    assert bad.equivariance < 0.5 and bad.mirror_pixels < 0.7
    (upside_down,) = signals_of([candidate(0)], labels, labels[:, :, ::-1], 3)
    assert upside_down.equivariance < 0.5


def test_predictions_are_those_of_each_checkpoint(finished):
    run = RunFolder.open(finished)
    found = candidates_of([run])
    assert [one.step for one in found] == [10, 20]
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (11, 16, 16, 3)).astype(np.uint8)
    labels, mirrored = predictions(found, images, images[:, :, ::-1])
    assert labels.shape == mirrored.shape == (2, 11, 16, 16)
    for row, one in enumerate(found):
        segmenter = build_segmenter(read_config(run), 16, 16)
        store = CheckpointStore(run.checkpoints)
        store.restore(str(one.step), {"segmenter": segmenter})
        for given, got in ((images, labels), (images[:, :, ::-1], mirrored)):
            logits = segmenter.predict(given.astype(np.float32) / 255, verbose=0)
            assert np.mean(logits.argmax(-1) == got[row]) > 0.999  # ties by rounding


@pytest.mark.parametrize("reserved", [True, False])
def test_many_labels_lie_in_a_file(monkeypatch, reserved):
    if not reserved:  # as on macOS and Windows
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    assert not isinstance(label_store.new_labels((3, 5)), np.memmap)
    monkeypatch.setattr(label_store, "_IN_MEMORY", 14)
    labels = label_store.new_labels((3, 5))
    assert isinstance(labels, np.memmap) and labels.shape == (3, 5)
    assert labels.dtype == np.uint8
