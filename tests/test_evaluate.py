import json
import math
import shutil

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import adjusted_rand_score

from cirs_tf import evaluate
from cirs_tf.data.splits import load_split
from cirs_tf.methods.registry import build_method, load_config
from cirs_tf.runs.evaluation import evaluate_run
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder
from data_gen.draw_dataset import draw
from data_gen.options import default_options

KEYS = {
    "miou",
    "miou_thesis",
    "pixel_accuracy",
    "ari",
    "fg_ari",
    "per_class_iou",
    "segment_share",
    "assignment",
    "checkpoint",
    "step",
    "images",
}


@pytest.fixture(scope="module")
def result(finished, tmp_path_factory):
    file = tmp_path_factory.mktemp("evaluate") / "scores.json"
    assert (
        evaluate.main([str(finished), "--checkpoint", "last", "--json", str(file)]) == 0
    )
    return json.loads(file.read_text())


def test_has_the_promised_keys_and_no_nan(result):
    assert result.keys() >= KEYS
    assert (result["checkpoint"], result["step"], result["images"]) == ("last", 20, 16)
    json.dumps(result, allow_nan=False)
    assert sum(result["segment_share"]) == pytest.approx(1)


def test_scores_are_those_of_labels_predicted_another_way(finished, fruit, result):
    """Keras's own `predict`, and IoU and Rand index from scikit-learn or by hand."""
    config = load_config(finished / "config.yaml")
    segmenter = build_method(config, 16, 16).networks["segmenter"]
    CheckpointStore(finished / "checkpoints").restore("last", {"segmenter": segmenter})
    split = load_split(fruit, "test", with_masks=True)
    logits = segmenter.predict(split.images.astype(np.float32) / 255, verbose=0)
    labels = logits.argmax(-1)
    ious = []
    for true_class, segment in enumerate(result["assignment"]):
        predicted, true = labels == segment, split.masks == true_class
        ious.append((predicted & true).sum() / (predicted | true).sum())
    assert result["miou"] == pytest.approx(np.mean(ious), abs=1e-9)
    rand = [
        adjusted_rand_score(truth.ravel(), label.ravel())
        for truth, label in zip(split.masks, labels, strict=True)
    ]
    assert result["ari"] == pytest.approx(np.mean(rand), abs=1e-9)


def test_prints_a_table_and_draws_a_picture(capsys, finished):
    assert evaluate.main([str(finished), "--split", "val"]) == 0
    out = capsys.readouterr().out
    for words in ("mIoU, thesis", "blueberry", "oracle - loss", "for scale"):
        assert words in out
    with Image.open(finished / "eval" / "val.png") as picture:
        assert picture.size[0] > 12 * 16 * 2
    assert json.loads((finished / "eval" / "val.json").read_text())["images"] == 16


def test_the_oracle_is_never_below_the_label_free_choice_on_validation(
    finished, tmp_path
):
    file = tmp_path / "val.json"
    assert evaluate.main([str(finished), "--split", "val", "--json", str(file)]) == 0
    found = json.loads(file.read_text())["by_checkpoint"]
    assert found.keys() == {"loss", "oracle", "last"}
    best = found["oracle"]["miou"]
    assert all(
        best >= entry["miou"] or math.isclose(best, entry["miou"])
        for entry in found.values()
    )


def test_checkpoints_of_one_step_are_predicted_once(finished, monkeypatch):
    run = RunFolder.open(finished)
    store = CheckpointStore(run.checkpoints)
    steps = {store.read_state(name)["step"] for name in ("loss", "oracle", "last")}
    predicted = []
    restore = CheckpointStore.restore

    def counted(self, name, *arguments):
        predicted.append(name)
        return restore(self, name, *arguments)

    monkeypatch.setattr(CheckpointStore, "restore", counted)
    outcomes = evaluate_run(run, "test").outcomes
    assert len(predicted) == 1 + len(steps) <= 3  # one to know the run's choice
    assert outcomes.keys() == {"loss", "oracle", "last"}
    for name, outcome in outcomes.items():
        assert outcome.step == store.read_state(name)["step"]


def test_a_split_without_masks_has_shares_only(capsys, finished, tmp_path):
    file = tmp_path / "train.json"
    assert evaluate.main([str(finished), "--split", "train", "--json", str(file)]) == 0
    result = json.loads(file.read_text())
    keys = {"segment_share", "checkpoint", "step", "images", "data", "split"}
    assert result.keys() == keys
    assert "no masks" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nowhere"], "nowhere: not a run folder"),
        (["RUN", "--split", "tset"], "has no split 'tset'; it has train, val, test"),
        (["RUN", "--data", "nowhere"], "nowhere/manifest.json: not found"),
    ],
)
def test_bad_input_is_one_line(capsys, finished, argv, message):
    assert evaluate.main([str(finished) if a == "RUN" else a for a in argv]) == 1
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error


def test_results_go_elsewhere_where_the_run_cannot_be_written(
    finished, tmp_path, capsys
):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    shutil.rmtree(run / "eval", ignore_errors=True)
    before = sorted(run.rglob("*"))
    out = tmp_path / "scores"
    assert evaluate.main([str(run), "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["test.json", "test.png"]
    assert sorted(run.rglob("*")) == before
    (run / "eval").write_text("in the way")
    file = tmp_path / "numbers.json"
    assert evaluate.main([str(run), "--json", str(file)]) == 1
    printed, error = capsys.readouterr()
    assert printed.count("pixel accuracy") == 2  # whatever can be written
    assert error.startswith(f"error: {run}/eval/test.png: cannot be written: ")
    assert error.endswith("; say where with --out\n")


def test_data_that_was_moved_is_asked_for(finished, fruit, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    shutil.rmtree(run / "eval", ignore_errors=True)
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace(str(fruit), "/moved/away"))
    assert evaluate.main([str(run)]) == 1
    assert capsys.readouterr().err == (
        "error: /moved/away: the data set of the run is not there; say where it is "
        "with --data\n"
    )
    assert evaluate.main([str(run), "--data", str(fruit)]) == 0
    assert files_of(run) == {"test.json", "test.png"}


def files_of(run):
    return {path.name for path in (run / "eval").iterdir()}


def test_other_data_and_another_checkpoint_have_files_of_their_own(
    finished, fruit, tmp_path
):
    run, other = tmp_path / "run", tmp_path / "other"
    shutil.copytree(finished, run)
    shutil.rmtree(run / "eval", ignore_errors=True)
    draw(default_options(train=8, val=4, test=4, size=16, shards=1, seed=5), other)
    for options in (
        [],
        ["--checkpoint", "loss"],
        ["--checkpoint", "last"],
        ["--data", str(other)],
        ["--data", str(other), "--checkpoint", "oracle", "--min-region-size", "2"],
    ):
        assert evaluate.main([str(run), *options]) == 0
    names = ("test", "test_last", "test_of_other", "test_of_other_oracle_postprocessed")
    assert files_of(run) == {f"{n}.{end}" for n in names for end in ("json", "png")}
    assert json.loads((run / "eval" / "test.json").read_text())["data"] == str(fruit)
