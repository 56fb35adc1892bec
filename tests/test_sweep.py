"""The sweep as a user meets it: seeds trained once, one chosen, no label read."""

import json
import re
import shlex
import shutil

import numpy as np
import pytest
from command_line import set_flags
from PIL import Image

from cirs_tf import evaluate, export, sweep, train
from cirs_tf.data import streamed_split
from cirs_tf.data.splits import load_split
from cirs_tf.runs import sweep as runs_sweep
from cirs_tf.runs.selection import predictions
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder
from data_gen.__main__ import main as data_gen


@pytest.fixture(scope="module")
def folders(fruit, tmp_path_factory):
    """Return two data sets of the same images, one with masks and one without."""
    folder = tmp_path_factory.mktemp("sets")
    split = [load_split(fruit, name, with_masks=True) for name in ("val", "test")]
    for kind in ("images", "masks"):
        (folder / kind).mkdir()
        pixels = np.concatenate([getattr(one, kind) for one in split])
        for index, one in enumerate(pixels):
            picture = Image.fromarray(one)
            if kind == "masks":
                picture = picture.convert("P")
            picture.save(folder / kind / f"{index:02}.png")
    argv = ["images", "--images", str(folder / "images"), "--size", "16"]
    argv += ["--val", "0.3", "--test", "0.2"]
    masks = ["--masks", str(folder / "masks")]
    assert data_gen([*argv, "--out", str(folder / "plain")]) == 0
    assert data_gen([*argv, *masks, "--out", str(folder / "masked")]) == 0
    return folder


@pytest.fixture(scope="module")
def settings(tiny_air):
    argv = ["--model", "air", "--epochs", "2", "--steps-per-epoch", "3"]
    return [*argv, *set_flags([*tiny_air, "air.hidden=[8]"])]


@pytest.fixture(scope="module")
def swept(folders, settings, tmp_path_factory):
    """Return the folder of a sweep over a data set that has no masks."""
    out = tmp_path_factory.mktemp("sweep") / "out"
    argv = [*settings, "--data", str(folders / "plain"), "--seeds", "0-2"]
    assert sweep.main([*argv, "--out", str(out)]) == 0
    return out


@pytest.fixture
def again(folders, settings, swept, tmp_path):
    """Return the arguments that find a copy of the runs finished, and its folder."""
    out = tmp_path / "again"
    shutil.copytree(swept, out)
    argv = [*settings, "--data", str(folders / "plain"), "--seeds", "0-2"]
    return [*argv, "--out", str(out)], out


def numbers(out):
    return json.loads((out / "sweep.json").read_text())


def test_every_kept_checkpoint_is_scored_and_the_best_is_chosen(swept):
    found = numbers(swept)
    where = [(one["seed"], one["step"]) for one in found["candidates"]]
    assert where == [(seed, step) for seed in range(3) for step in (3, 6)]
    for one in found["candidates"]:
        rows = RunFolder(swept / f"seed-{one['seed']}").read_metrics()
        losses = {row["step"]: row["validation"]["loss"] for row in rows}
        assert one["loss"] == losses[one["step"]]
        assert one["agreement"] <= 1 and one["equivariance"] <= 1
    best = min(found["candidates"], key=lambda one: one["loss"])
    assert found["criterion"] == "loss"
    assert found["chosen"] == {key: best[key] for key in ("seed", "run", "step")}


def test_finished_runs_are_reused_for_another_criterion(again, capsys):
    argv, out = again
    logs = {path: path.read_text() for path in out.glob("seed-*/train.log")}
    before = numbers(out)
    for criterion in ("agreement", "equivariance"):
        assert sweep.main([*argv, "--criterion", criterion]) == 0
        printed = capsys.readouterr().out
        found = numbers(out)
        best = max(found["candidates"], key=lambda one: one[criterion])
        assert found["chosen"]["step"] == best["step"]
        assert found["chosen"]["seed"] == best["seed"]
        assert f"chosen by {criterion}, without labels: seed {best['seed']}" in printed
        marked = re.search(r"^ +(\d+) +(\d+) .*<- chosen$", printed, re.MULTILINE)
        assert [int(text) for text in marked.groups()] == [best["seed"], best["step"]]
    assert printed.count("finished    ") == 3
    same = ("loss", "agreement", "equivariance", "mirror_pixels")
    for one, other in zip(before["candidates"], found["candidates"], strict=True):
        assert {key: one[key] for key in same} == {key: other[key] for key in same}
    assert logs == {path: path.read_text() for path in logs}


def test_a_missing_run_is_trained_and_an_interrupted_one_resumed(again, capsys):
    argv, out = again
    shutil.rmtree(out / "seed-0")
    index_file = out / "seed-1" / "checkpoints" / "checkpoints.json"
    index = json.loads(index_file.read_text())
    step = index["last"].pop()
    shutil.rmtree(index_file.parent / f"step-{step:08d}")
    index_file.write_text(json.dumps(index | {"loss": {"step": 3, "value": 9.0}}))
    RunFolder(out / "seed-1").rewind_metrics(3)
    before = numbers(out)["candidates"]
    assert sweep.main(argv) == 0
    printed = capsys.readouterr().out
    for words, seed in (("to train ", 0), ("to resume", 1), ("finished ", 2)):
        assert f"{words}   {out / f'seed-{seed}'}" in printed
    for one, other in zip(before, numbers(out)["candidates"], strict=True):
        assert other["loss"] == one["loss"]  # bit-identical resuming


def test_masks_do_not_change_the_choice(folders, settings, swept, tmp_path):
    out = tmp_path / "masked"
    argv = [*settings, "--data", str(folders / "masked"), "--seeds", "0-2"]
    assert sweep.main([*argv, "--out", str(out)]) == 0
    without, found = numbers(swept), numbers(out)
    for one, other in zip(without["candidates"], found["candidates"], strict=True):
        assert one | {"run": ""} == other | {"run": ""}
    for key in ("seed", "step"):
        assert found["chosen"][key] == without["chosen"][key]
    for run in out.glob("seed-*"):
        assert "miou" not in (run / "metrics.jsonl").read_text()
        index = json.loads((run / "checkpoints" / "checkpoints.json").read_text())
        assert "oracle" not in index


def test_no_mask_is_decoded(folders, settings, monkeypatch, tmp_path):
    """Also not where the settings ask for it."""

    def unmasked(serialized, height, width, with_mask, num_classes):
        assert not with_mask
        return decode(serialized, height, width, with_mask, num_classes)

    decode = streamed_split.decode_example
    monkeypatch.setattr(streamed_split, "decode_example", unmasked)
    argv = [*settings, "--data", str(folders / "masked"), "--seeds", "4"]
    argv += ["--set", "training.validation_masks=true", "--out", str(tmp_path / "out")]
    assert sweep.main(argv) == 0
    assert numbers(tmp_path / "out")["candidates"][0]["agreement"] is None
    with pytest.raises(AssertionError):  # the plain command does
        train.main(
            [*settings, "--data", str(folders / "masked"), "--run", str(tmp_path / "r")]
        )


def test_the_printed_command_exports_the_choice(again, capsys, monkeypatch, tmp_path):
    argv, out = again
    file = out / "seed-1" / "metrics.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[0]["validation"]["loss"] = -1.0
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert sweep.main(argv) == 0
    printed = capsys.readouterr().out
    found = numbers(out)
    assert (found["chosen"]["seed"], found["chosen"]["step"]) == (1, 3)  # not the last
    assert found["export"] in printed
    words = shlex.split(found["export"])
    assert words[:3] == ["python", "-m", "cirs_tf.export"]
    monkeypatch.chdir(tmp_path)
    assert export.main(words[3:]) == 0
    assert "(step 3)" in capsys.readouterr().out
    assert (tmp_path / "exported" / "air" / "1" / "saved_model.pb").exists()


def test_images_are_mirrored_left_to_right(again, folders, monkeypatch):
    argv, _ = again
    seen = []

    def recorded(found, *images):
        seen.extend(images)
        return predictions(found, *images)

    monkeypatch.setattr(runs_sweep, "predictions", recorded)
    assert sweep.main(argv) == 0
    images = load_split(folders / "plain", "val", with_masks=False).images
    np.testing.assert_array_equal(seen[0], images)
    np.testing.assert_array_equal(seen[1], np.flip(images, axis=2))


def test_a_kept_step_can_be_evaluated(finished, capsys, tmp_path):
    argv = [str(finished), "--json", str(tmp_path / "scores.json")]
    assert evaluate.main([*argv, "--checkpoint", "10"]) == 0
    assert "checkpoint '10' of step 10 (the step that was named)" in (
        capsys.readouterr().out
    )
    assert CheckpointStore(finished / "checkpoints").steps() == [10, 20]
    for name in ("11", "best"):
        assert evaluate.main([*argv, "--checkpoint", name]) == 1
        error = capsys.readouterr().err
        assert f"no checkpoint {name!r}; there are last, loss, oracle" in error
        assert error.endswith("of steps: 10, 20\n") and error.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["--seeds", "0-"],
            "--seeds: expected integers such as 0,1,2 or 0-4, got '0-'",
        ),
        (["--seeds", "3-1"], "--seeds: expected integers such as 0,1,2 or 0-4"),
        (["--seeds", f"0-{10**20}"], "--seeds: expected integers such as 0,1,2"),
        (["--seeds", "2147483648"], "seed: expected 0 to 2147483647"),
        (["--set", "seed=3"], "--set seed=3: a sweep takes --seeds"),
        (["--criterion", "agreement", "--seeds", "1"], "needs two seeds or more"),
        (["--model", "supervised"], "method: supervised learns from labels"),
        (["--model", "autoencoder"], "method: autoencoder has no segmenter"),
        (
            ["--model", "air", "--config", "iic"],
            "the configuration is for 'iic'",
        ),
        (["--strategy", "multi_worker"], "a sweep is of one machine"),
        (["--set", "segmenter.widht=3"], "did you mean 'segmenter.width'?"),
        (["--data", "nowhere"], "manifest.json: not found"),
        (["--out", "/dev/null/out"], "--out /dev/null/out: Not a directory"),
    ],
)
def test_bad_input_is_one_line(argv, message, capsys, fruit, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert sweep.main(["--data", str(fruit), *argv]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1
    assert not list(tmp_path.glob("runs/*/seed-*"))


def test_runs_with_other_settings_are_named(again, capsys):
    argv, out = again
    assert sweep.main([*argv, "--set", "air.bottleneck=3"]) == 1
    error = capsys.readouterr().err
    assert f"{out / 'seed-0'}: holds a run with air.bottleneck=32, not 3" in error
    assert error.count("\n") == 1
