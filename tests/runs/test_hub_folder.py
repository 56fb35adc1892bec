"""A folder for the hub: what the card says is what the run holds."""

import json
import shutil
import sys
import types

import numpy as np
import pytest
import yaml
from PIL import Image

import cirs_tf
from cirs_tf import evaluate, export
from cirs_tf.config.files import read_yaml
from cirs_tf.methods.registry import load_config
from cirs_tf.runs.hub_folder import without_paths

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def evaluated(finished, tmp_path_factory):
    """Return a copy of the run that was evaluated on its test split."""
    run = tmp_path_factory.mktemp("hub") / "run"
    shutil.copytree(finished, run)
    shutil.rmtree(run / "eval", ignore_errors=True)
    assert evaluate.main([str(run)]) == 0
    return run


@pytest.fixture(scope="module")
def folder(evaluated):
    """Return its folder for the hub."""
    out = evaluated.parent / "fruit-segments"
    arguments = ["--format", "hub", "--license", "cc0-1.0", "--out", str(out)]
    # `evaluate --checkpoint last` leaves one that has the scores of all checkpoints, as
    # they were then.
    again = evaluated / "eval" / "test_last.json"
    numbers = json.loads((evaluated / "eval" / "test.json").read_text())
    numbers |= {"checkpoint": "last", "images": 17}
    again.write_text(json.dumps(numbers))
    assert export.main([str(evaluated), *arguments]) == 0
    again.unlink()
    return out


@pytest.fixture
def hub(monkeypatch):
    """Put a client in the place of huggingface_hub's, and return what it is asked."""
    calls = []

    class Api:
        def create_repo(self, repository, **options):
            calls.append(("create_repo", repository, options))
            return f"https://huggingface.co/{repository}"

        def upload_folder(self, **options):
            calls.append(("upload_folder", options))

    module = types.ModuleType("huggingface_hub")
    module.HfApi = Api
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
    return calls


def parts(folder):
    """Return the front matter and the text of a card."""
    empty, front, text = (folder / "README.md").read_text().split("---\n", 2)
    assert not empty
    return yaml.safe_load(front), text


def test_the_folder_loads_again(evaluated, folder):
    names = ["README.md", "cirs_tf.json", "config.yaml", "sample.png"]
    assert sorted(path.name for path in folder.iterdir()) == [
        *names,
        "segmenter.keras",
    ]
    loaded = cirs_tf.load(folder)
    expected = cirs_tf.load(evaluated)
    np.testing.assert_array_equal(loaded.predict(IMAGES), expected.predict(IMAGES))
    with pytest.raises(cirs_tf.CirsError, match="has no checkpoints"):
        cirs_tf.load(folder, "last")


def test_the_front_matter_holds_the_scores_of_the_evaluation(evaluated, folder):
    front, _ = parts(folder)
    numbers = json.loads((evaluated / "eval" / "test.json").read_text())
    assert front["license"] == "cc0-1.0"
    assert front["library_name"] == "keras"
    assert front["pipeline_tag"] == "image-segmentation"
    assert {"unsupervised", "cirs"} <= set(front["tags"])
    (model,) = front["model-index"]
    assert model["name"] == "fruit-segments"
    (result,) = model["results"]
    assert result["dataset"] == {"type": "fruit", "name": "fruit", "split": "test"}
    values = [metric["value"] for metric in result["metrics"]]
    assert values == [round(numbers[key], 4) for key in ("miou", "miou_thesis")]


def test_the_card_says_data_protocol_seed_and_limits(evaluated, folder):
    _, text = parts(folder)
    numbers = json.loads((evaluated / "eval" / "test.json").read_text())
    assert "`fruit`: 48 images of 16x16 pixels" in text
    assert "| seed | 0 |" in text
    assert f"of {numbers['step']} mini-batches: lowest validation loss" in text
    assert "No labels were used in training." in text
    scores = f"{numbers['miou']:.3f} | {numbers['miou_thesis']:.3f} |"
    assert f"| `fruit`, test | 16 | {scores}" in text
    assert "weights trained elsewhere | none" in text
    assert "(sample.png)" in text
    with Image.open(folder / "sample.png") as picture:
        assert picture.width > 2 * 2 * 16


def test_no_path_of_this_machine_is_in_the_folder(evaluated, folder, fruit):
    assert read_yaml(folder / "config.yaml")["data"] == "fruit"
    for path in folder.glob("*.*"):
        content = path.read_bytes()
        for elsewhere in (fruit.parent, evaluated.parent):
            assert str(elsewhere).encode() not in content, path


def test_folders_and_files_that_a_run_began_with_are_names():
    start = ["pretraining.pseudo_labels=segmenter", 'data="/home/me/set #2"']
    start += ["pretraining.segmenter=../exported/cirs"]
    config = without_paths(load_config("cirs_aligned", start))
    assert (config.data, config.pretraining.segmenter) == ("set #2", "cirs")
    weights = ["deep_clustering.weights=/home/me/some.weights.h5"]
    config = without_paths(load_config("deep_clustering", weights))
    assert config.deep_clustering.weights == "some.weights.h5"


def test_without_evaluation_and_data_the_card_says_so(evaluated, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(evaluated, run)
    shutil.rmtree(run / "eval")
    config = read_yaml(run / "config.yaml")
    (run / "config.yaml").write_text(yaml.safe_dump(config | {"data": "nowhere"}))
    out = tmp_path / "out"
    assert export.main([str(run), "--format", "hub", "--out", str(out)]) == 0
    front, text = parts(out)
    assert "model-index" not in front
    assert front["license"] == "unknown"
    assert "This checkpoint was not evaluated." in text
    assert "There is no picture: the data set was not at hand." in text
    assert "None is stated for these weights." in text
    assert not (out / "sample.png").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"postprocessing": {"crf": True}},
        {"by_checkpoint": {"loss": {"step": 7, "miou": 1.0, "miou_thesis": 1.0}}},
    ],
)
def test_scores_of_something_else_are_left_out(evaluated, tmp_path, change):
    run = tmp_path / "run"
    shutil.copytree(evaluated, run)
    file = run / "eval" / "test.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    out = tmp_path / "out"
    assert export.main([str(run), "--format", "hub", "--out", str(out)]) == 0
    assert "model-index" not in parts(out)[0]


def test_what_reproduce_keeps_is_left_out(evaluated, tmp_path):
    """It may be of labels after post-processing, and does not say so."""
    run = tmp_path / "run"
    shutil.copytree(evaluated, run)
    file = run / "eval" / "test.json"
    numbers = json.loads(file.read_text())
    assert numbers.pop("split") == "test" and numbers.pop("data")
    file.with_stem("reproduce_test_dense_CRF").write_text(json.dumps(numbers))
    file.unlink()
    out = tmp_path / "out"
    assert export.main([str(run), "--format", "hub", "--out", str(out)]) == 0
    assert "model-index" not in parts(out)[0]


def test_damaged_scores_are_one_line(evaluated, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(evaluated, run)
    (run / "eval" / "test.json").write_text('{"miou": 1}')
    out = tmp_path / "out"
    assert export.main([str(run), "--format", "hub", "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "test.json: not scores of `evaluate`" in error
    assert not out.exists()


def test_only_the_flag_uploads(evaluated, tmp_path, hub, capsys):
    arguments = [str(evaluated), "--format", "hub", "--out"]
    assert export.main([*arguments, str(tmp_path / "a")]) == 0
    assert hub == []
    out = tmp_path / "b"
    assert export.main([*arguments, str(out), "--push-to-hub", "me/fruit"]) == 0
    assert hub == [
        ("create_repo", "me/fruit", {"repo_type": "model", "exist_ok": True}),
        (
            "upload_folder",
            {"repo_id": "me/fruit", "folder_path": str(out), "repo_type": "model"},
        ),
    ]
    assert "https://huggingface.co/me/fruit" in capsys.readouterr().out


def test_what_the_hub_refuses_is_one_line(evaluated, tmp_path, hub, capsys):
    def refuse(self, repository, **options):
        raise OSError("401: no token\nmore of it")

    sys.modules["huggingface_hub"].HfApi.create_repo = refuse
    out = tmp_path / "a"
    arguments = ["--format", "hub", "--out", str(out), "--push-to-hub", "me/fruit"]
    assert export.main([str(evaluated), *arguments]) == 1
    assert capsys.readouterr().err == ("error: --push-to-hub me/fruit: 401: no token\n")
    assert (out / "README.md").is_file()  # uploading can be tried again by hand


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "torch"], "--format: expected one of saved_model, keras, onnx"),
        (["--push-to-hub", "a/b"], "--push-to-hub: expected --format hub"),
        (["--license", "mit"], "--license: expected --format hub, got saved_model"),
        (["--quantize", "int8"], "--quantize int8: expected --format litert"),
        (
            ["--format", "hub", "--push-to-hub", "a/b"],
            "huggingface_hub, which is not installed: pip install 'cirs-tf[huggingf",
        ),
    ],
)
def test_options_that_do_not_fit(
    evaluated, tmp_path, capsys, monkeypatch, arguments, message
):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    out = tmp_path / "out"
    assert export.main([str(evaluated), "--out", str(out), *arguments]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert not out.exists()


def test_the_function_exports_in_other_formats(evaluated, tmp_path):
    path = cirs_tf.export(evaluated, tmp_path / "model", format="keras")
    assert path == tmp_path / "model" / "segmenter.keras"
    expected = cirs_tf.load(evaluated).predict(IMAGES)
    np.testing.assert_array_equal(cirs_tf.load(path.parent).predict(IMAGES), expected)
