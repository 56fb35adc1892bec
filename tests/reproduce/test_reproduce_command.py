"""Everything of the thesis at the smoke budget, from nothing to RESULTS.md."""

import dataclasses
import json
import os
import re
import shutil

import numpy as np
import pytest
import scipy.io
import scipy.stats
import yaml
from PIL import Image

import cirs_tf
from cirs_tf import evaluate
from cirs_tf.data.splits import load_split
from cirs_tf.reproduce import __main__ as reproduce
from cirs_tf.reproduce import scores, selection_scores
from cirs_tf.reproduce.__main__ import main
from cirs_tf.reproduce.experiments_file import load_experiments
from cirs_tf.reproduce.plan import make_plan
from cirs_tf.reproduce.scores import evaluate_once
from cirs_tf.reproduce.selection_scores import compare_signals
from cirs_tf.runs.queue import State, state_of, train_missing
from cirs_tf.training.run_folder import RunFolder
from data_gen.__main__ import main as data_gen

# The same code on other data or with other settings: too many runs for a test.
LEFT_OUT = ("table1", "table2", "table3", "words", "learned", "shift", "harder")
LEFT_OUT += ("twotone", "photographs", "photographs_half", "photographs_small")
LEFT_OUT += ("microscope", "camera", "aligned", "figure9", "figure10")
# Of these targets, some of their systems.
FEWER = {
    "table4": ["autoencoder_12"],
    "baselines": ["supervised"],
    "selection": ["wnet_paper", "air", "cirs_plus"],
}


def fewer_experiments():
    """Return the experiments, with fewer systems in some targets."""
    experiments = load_experiments()
    targets = dict(experiments.targets)
    for name, systems in FEWER.items():
        assert set(systems) < set(targets[name].systems)
        targets[name] = dataclasses.replace(targets[name], systems=systems)
    return dataclasses.replace(experiments, targets=targets)


EXPERIMENTS = fewer_experiments()
LEFT_OUT += tuple(EXPERIMENTS.ablations)
SHOWN = [name for name in EXPERIMENTS.targets if name not in LEFT_OUT]
TRAINED = EXPERIMENTS.systems_of(SHOWN)


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Return the flags that name tiny stand-ins for CIFAR-10 and BSDS500."""
    folder = tmp_path_factory.mktemp("given")
    rng = np.random.default_rng(0)
    for index in range(60):
        path = folder / "pictures" / "abc"[index % 3] / f"{index:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 100, (16, 16, 3)) + 70 * (index % 3)
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    for split in ("train", "val"):
        image = folder / "BSDS500" / "images" / split / "1.jpg"
        truth = folder / "BSDS500" / "groundTruth" / split / "1.mat"
        for path in (image, truth):
            path.parent.mkdir(parents=True, exist_ok=True)
        halves = np.ones((321, 481), np.uint16)
        halves[:, 200:] = 2
        noise = rng.integers(0, 60, (321, 481, 3))
        Image.fromarray(np.uint8(80 * halves[..., None] + noise)).save(image)
        cells = np.empty((1, 1), object)
        cells[0, 0] = {"Segmentation": halves}
        scipy.io.savemat(truth, {"groundTruth": cells})
    bsds = ["bsds", folder / "BSDS500", "--patch", "16", "--workers", "1"]
    sets = {
        "cifar10": ["images", "--images", folder / "pictures", "--size", "16"],
        "bsds": bsds,
        "bsds-whole": [*bsds, "--whole"],
    }
    flags = []
    for name, argv in sets.items():
        out = folder / name
        assert data_gen([str(argument) for argument in (*argv, "--out", out)]) == 0
        flags += [f"--{name}", str(out)]
    return flags


@pytest.fixture(scope="module")
def out(given, tmp_path_factory):
    """Return the folder of nearly everything, one seed."""
    folder = tmp_path_factory.mktemp("reproduce") / "out"
    argv = [*SHOWN, "--budget", "smoke", "--seeds", "3", "--out", str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reproduce, "load_experiments", fewer_experiments)
        assert reproduce.main([*argv, *given]) == 0
    return folder


@pytest.fixture(scope="module")
def results(out):
    return json.loads((out / "results.json").read_text())


def run_folder(out, name):
    return out / "runs" / "smoke" / name / "seed-3"


def facts_of(results):
    """Return what was run, by system."""
    return {
        **results["systems"],
        **results["autoencoders"],
        "wnet_bsds": results["photographs"],
    }


def test_every_system_was_trained_as_planned(out, results):
    facts = facts_of(results)
    assert facts.keys() == set(TRAINED)
    for name in TRAINED:
        first, last = RunFolder(run_folder(out, name)).read_metrics()
        assert (first["epoch"], last["epoch"]) == (1, 2)
        assert last["step"] - first["step"] == 4
    assert results["left_out"] == []
    assert results["targets"] == SHOWN


def test_mini_batches_are_counted_without_pretraining(out, results):
    for name, facts in facts_of(results).items():
        assert facts["mini_batches"] == 8
        first, _ = RunFolder(run_folder(out, name)).read_metrics()
        pretrained = {"cirs_plus": 4, "wnet": 8}  # of two networks
        assert first["step"] == 4 + pretrained.get(facts["config"], 0)


def test_a_run_starts_from_the_segments_of_another(out):
    config = yaml.safe_load(
        (run_folder(out, "cirs_plus_from_cirs") / "config.yaml").read_text()
    )
    pretraining = config["pretraining"]
    assert pretraining["pseudo_labels"] == "segmenter"
    exported = out / "exported" / "smoke" / "cirs" / "seed-3"
    assert pretraining["segmenter"] == str(exported)
    images = load_split(out / "data" / "fruit_smoke", "train", with_masks=False).images
    run = RunFolder(run_folder(out, "cirs_plus_from_cirs"))
    with np.load(run.path / "initialization.npz") as initialization:
        labels = initialization["pseudo_labels"]
    expected = cirs_tf.load(run_folder(out, "cirs")).predict(images)
    np.testing.assert_array_equal(labels, expected)


def test_scores_are_those_of_evaluate(out, results, tmp_path):
    run = str(run_folder(out, "air"))
    for checkpoint, protocol in (("loss", "label_free"), ("oracle", "oracle")):
        file = tmp_path / "scores.json"
        argv = [run, "--checkpoint", checkpoint, "--json", str(file)]
        assert evaluate.main(argv) == 0
        expected = json.loads(file.read_text())
        for metric in ("miou", "miou_thesis"):
            statistics = results["systems"]["air"][protocol][metric]
            assert statistics["values"] == [pytest.approx(expected[metric], abs=1e-9)]


def test_table_4_is_the_lowest_of_the_epochs(out, results):
    for name in EXPERIMENTS.targets["table4"].systems:
        rows = RunFolder(run_folder(out, name)).read_metrics()
        terms = [row["validation"]["class_distance"] for row in rows]
        assert results["autoencoders"][name]["lowest"] == min(terms)


def test_the_choice_by_loss_among_one_seed_is_that_of_the_run(results):
    assert [*results["selection"]] == [*EXPERIMENTS.targets["selection"].systems]
    for name, compared in results["selection"].items():
        choices = compared["choices"]
        assert choices.keys() == {"loss", "equivariance", "oracle"}
        for choice, protocol in (("loss", "label_free"), ("oracle", "oracle")):
            expected = results["systems"][name][protocol]["miou"]["mean"]
            assert choices[choice]["miou"] == pytest.approx(expected, abs=1e-9)
        assert choices["oracle"]["gap"] == 0


def test_numbers_are_numbers(results):
    json.dumps(results, allow_nan=False)
    rows = results["photographs"]["rows"]
    assert rows["W-Net"]["segments"]["probabilistic_rand"]["mean"] <= 1
    single_segment = rows["one segment everywhere"]["segments"]
    # Two regions of 200 and 281 of 481 columns, by hand.
    shares = np.array([200, 281]) / 481
    entropy = -(shares * np.log2(shares)).sum()
    means = {measure: single_segment[measure]["mean"] for measure in single_segment}
    assert means["variation_of_information"] == pytest.approx(entropy, abs=0.01)
    assert means["covering"] == pytest.approx((shares**2).sum(), abs=0.01)


def test_a_run_is_evaluated_once_per_post_processing(out, results):
    names = [path.name for path in run_folder(out, "wnet_paper").glob("eval/*.json")]
    rows = results["postprocessing"]["rows"]
    assert len(names) == len(rows) + 1  # and the selection
    assert (
        rows["none"]["miou"] == results["systems"]["wnet_paper"]["label_free"]["miou"]
    )


def test_results_show_every_table_and_figure(out, results):
    text = (out / "RESULTS.md").read_text()
    for number in (4, 5):  # see LEFT_OUT
        assert f"\n## Table {number}: " in text
    for system in results["systems"].values():
        assert text.count(f"{system['title']} falls short of the thesis by") <= 1
    for file in re.findall(r"!\[.*?\]\((.*?)\)", text):
        with Image.open(out / file) as picture:
            assert picture.width > 150
    assert len(list((out / "figures").glob("*.png"))) == 7
    assert r"`11\|22\|00`" in text and r"`1122\|00`" in text
    assert str(out) not in text
    assert "$" not in text


def test_every_epoch_of_figure_8_is_there(out):
    run = run_folder(out, "cirs_learned_segmenter_heavy")
    names = sorted(path.name for path in run.glob("progress/*"))
    assert names == ["0001.png", "0002.png"]
    rows = 3  # images, and two epochs
    with Image.open(out / "figures" / "figure8.png") as picture:
        assert picture.height == rows * (2 * 16 + 4) + 4


def air_runs(out, copied, seeds):
    data = {"fruit": (out / "data" / "fruit_smoke").resolve()}
    plan = make_plan(EXPERIMENTS, ["table5"], "smoke", seeds, copied, data)
    return plan.runs_of("air")


def test_selection_over_two_seeds(copied, out, monkeypatch):
    runs = air_runs(out, copied, [3, 4])
    assert train_missing(runs) is None
    compared = compare_signals(runs)
    rows = compared["candidates"]
    assert [(row["seed"], row["step"]) for row in rows] == [
        (seed, step) for seed in (3, 4) for step in (4, 8)
    ]
    for row, run in zip(rows, np.repeat(runs, 2), strict=True):
        metrics = RunFolder(run.folder).read_metrics()
        (seen,) = [
            line["validation"] for line in metrics if line["step"] == row["step"]
        ]
        assert row["val"] == pytest.approx(seen["miou"], abs=1e-9)
        assert row["loss"] == seen["loss"]
    best = max(rows, key=lambda row: row["val"])
    signs = {"loss": -1, "agreement": 1, "equivariance": 1}
    for name, sign in signs.items():
        chosen = max(rows, key=lambda row: sign * row[name])
        choice = compared["choices"][name]
        assert (choice["seed"], choice["step"]) == (chosen["seed"], chosen["step"])
        assert choice["miou"] == chosen["test"]
        assert choice["gap"] == pytest.approx(best["test"] - chosen["test"])
        ranks = [
            scipy.stats.rankdata([weight * row[key] for row in rows])
            for key, weight in ((name, sign), ("val", 1))
        ]
        expected = np.corrcoef(*ranks)[0, 1]
        assert compared["rank_correlation"][name] == pytest.approx(expected)
    for run, last in zip(runs, (rows[1], rows[3]), strict=True):
        by_checkpoint = evaluate_once(run).scores["by_checkpoint"]
        assert last["test"] == pytest.approx(by_checkpoint["last"]["miou"], abs=1e-9)
    assert compared["mean"] == pytest.approx(np.mean([row["test"] for row in rows]))

    def computed(*_):
        raise RuntimeError("computed again")

    monkeypatch.setattr(selection_scores, "predictions", computed)
    assert compare_signals(runs) == compared
    for changed in (runs[:1], runs):
        if changed is runs:
            os.utime(runs[1].folder / "checkpoints" / "checkpoints.json")
        with pytest.raises(RuntimeError, match="computed again"):
            compare_signals(changed)


def test_an_evaluation_is_kept_until_its_checkpoints_change(copied, out, monkeypatch):
    (run,) = air_runs(out, copied, [3])
    kept = evaluate_once(run)
    assert kept.labels.shape == (16, 16, 16)

    def evaluated(*_, **__):
        raise RuntimeError("evaluated again")

    monkeypatch.setattr(scores, "evaluate_run", evaluated)
    assert evaluate_once(run).scores == kept.scores
    os.utime(run.folder / "checkpoints" / "checkpoints.json")
    with pytest.raises(RuntimeError, match="evaluated again"):
        evaluate_once(run)


def test_an_evaluation_without_its_labels_is_none(copied, out):
    (run,) = air_runs(out, copied, [3])
    kept = evaluate_once(run)
    labels = kept.labels
    kept.labels_file.unlink()
    assert (evaluate_once(run).labels == labels).all()


def arguments(out, *flags):
    return ["table5", "--budget", "smoke", "--seeds", "3", "--out", str(out), *flags]


@pytest.fixture
def copied(out, tmp_path):
    """Return a copy with data and the runs of AIR, to damage."""
    for name in ("air", "air_per_segment"):
        part = run_folder(out, name).relative_to(out)
        shutil.copytree(out / part, tmp_path / part)
    os.symlink(out / "data", tmp_path / "data")
    return tmp_path


def test_finished_runs_are_reused_and_missing_ones_trained(copied, capsys):
    shutil.rmtree(run_folder(copied, "air"))
    kept = run_folder(copied, "air_per_segment") / "train.log"
    before = kept.read_text()
    assert main(arguments(copied)) == 0
    printed = capsys.readouterr().out
    assert f"finished    {run_folder(copied, 'air_per_segment')}" in printed
    assert f"to train    {run_folder(copied, 'air')}" in printed
    assert kept.read_text() == before
    assert "Table 5" in (copied / "RESULTS.md").read_text()


def test_an_interrupted_run_is_resumed(copied, out, capsys):
    folder = RunFolder(run_folder(copied, "air"))
    index = json.loads((folder.checkpoints / "checkpoints.json").read_text())
    shutil.rmtree(folder.checkpoints / f"step-{index['last'].pop():08d}")
    index["loss"] = index["oracle"] = None
    (folder.checkpoints / "checkpoints.json").write_text(json.dumps(index))
    first_row, _ = folder.metrics_file.read_text().splitlines()
    folder.metrics_file.write_text(f"{first_row}\n")
    assert main(arguments(copied)) == 0
    assert f"to resume   {folder.path}" in capsys.readouterr().out
    rows, original = folder.read_metrics(), RunFolder(run_folder(out, "air"))
    assert rows[-1]["train"] == original.read_metrics()[-1]["train"]


def test_a_run_with_other_settings_is_named(copied, capsys):
    file = run_folder(copied, "air") / "config.yaml"
    file.write_text(file.read_text().replace("batch_size: 8", "batch_size: 16"))
    assert main(arguments(copied)) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "training.batch_size=16, not 8" in error


def test_plan_trains_nothing(out, tmp_path, capsys):
    os.symlink(out / "data", tmp_path / "data")
    assert main(arguments(tmp_path, "--plan")) == 0
    assert capsys.readouterr().out.count("to train") == 2
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["table9"], "table9: unknown; expected proof, table1"),
        (["table4"], "table4 needs --cifar10, made with python -m data_gen cifar10"),
        (["bsds"], "bsds needs --bsds and --bsds-whole, made with"),
        (
            ["table1", "--seeds", "a"],
            "--seeds: expected integers such as 0,1,2 or 0-4, got",
        ),
        (["table4", "--cifar10", "nowhere"], "--cifar10 nowhere: no data set; make it"),
    ],
)
def test_what_cannot_be_done_is_one_line(argv, expected, tmp_path, capsys):
    assert main([*argv, "--budget", "smoke", "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {expected}") and error.count("\n") == 1


def test_a_run_of_other_data_is_refused(copied, out):
    (run,) = air_runs(out, copied, [3])
    assert state_of(run) is State.FINISHED
    manifest = run.folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"seed": 0', '"seed": 1', 1))
    with pytest.raises(Exception, match="of another data set"):
        state_of(run)
