"""The exported model, used as strangers use it: without this package."""

import io
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import cirs_tf
from cirs_tf import export, segment
from cirs_tf.data.image_files import read_image
from cirs_tf.data.manifest import Manifest
from cirs_tf.methods.registry import build_method, load_config
from cirs_tf.serving.messages import message_class
from cirs_tf.serving.savedmodel import load_savedmodel
from cirs_tf.training.checkpoints import CheckpointStore

# Runs where cirs_tf cannot be imported.
STRANGER = """
import sys
sys.modules["cirs_tf"] = None
import io, json
import numpy as np
import tensorflow as tf
from PIL import Image
model = tf.saved_model.load(sys.argv[1])
images = np.load(sys.argv[2])
out = model.signatures["serve_native"](images=tf.constant(images))
buffer = io.BytesIO()
Image.fromarray(images[0]).save(buffer, "PNG")
masks = model.signatures["serve_bytes"](image_bytes=tf.constant([buffer.getvalue()]))
png = Image.open(io.BytesIO(masks["mask_png_bytes"].numpy()[0]))
scaled = model.signatures["serving_default"](images=tf.constant(images))["labels"]
np.savez(sys.argv[3], scaled=scaled, labels=out["labels"],
         probabilities=out["probabilities"], png=np.asarray(png), mode=png.mode)
"""


@pytest.fixture(scope="module")
def model_dir(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "model"
    assert (
        export.main([str(finished), "--out", str(folder), "--checkpoint", "last"]) == 0
    )
    return folder


@pytest.fixture(scope="module")
def segmenter(finished):
    config = load_config(finished / "config.yaml")
    network = build_method(config, 16, 16).networks["segmenter"]
    CheckpointStore(finished / "checkpoints").restore("last", {"segmenter": network})
    return network


def test_a_process_without_the_package_gets_the_same_labels(
    model_dir, segmenter, tmp_path
):
    images = np.random.default_rng(1).integers(0, 256, (2, 97, 130, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    files = [tmp_path / "images.npy", tmp_path / "out.npz"]
    subprocess.run(
        [sys.executable, "-I", "-c", STRANGER, model_dir / "1", *files],
        check=True,
        cwd=tmp_path,
    )
    out = np.load(files[1])
    logits = segmenter(images.astype(np.float32) / 255, training=False).numpy()
    exponent = np.exp(logits - logits.max(-1, keepdims=True))
    softmax = exponent / exponent.sum(-1, keepdims=True)
    np.testing.assert_array_equal(out["labels"], logits.argmax(-1))
    # Normalized logits are multiplied by 8, and so is what fused kernels round.
    np.testing.assert_allclose(out["probabilities"], softmax, atol=1e-5)
    expected = load_savedmodel(model_dir).predict(images)
    np.testing.assert_array_equal(out["scaled"], expected)
    np.testing.assert_array_equal(out["png"], expected[0])
    assert not np.array_equal(expected, out["labels"])
    assert out["mode"] == "L"


def test_signatures_are_the_promised_ones(model_dir):
    signatures = tf.saved_model.load(str(model_dir / "1")).signatures
    for name in ("serving_default", "serve_native"):
        images = signatures[name].structured_input_signature[1]["images"]
        assert images.shape.as_list() == [None, None, None, 3]
        assert images.dtype == tf.uint8
        outputs = signatures[name].structured_outputs
        assert outputs["labels"].dtype == tf.int32
        assert outputs["probabilities"].dtype == tf.float32
        assert outputs["probabilities"].shape.as_list() == [None, None, None, 4]
    files = signatures["serve_bytes"].structured_input_signature[1]["image_bytes"]
    assert files.shape.as_list() == [None]
    outputs = signatures["serve_bytes"].structured_outputs
    assert set(outputs) == {"mask_png_bytes", "errors"}


def test_a_model_says_what_it_is(model_dir, finished):
    file = model_dir / "1" / "assets.extra" / "cirs_tf.json"
    facts = json.loads(file.read_text())
    assert (facts["height"], facts["width"], len(facts["segments"])) == (16, 16, 4)
    assert (facts["method"], facts["run"]) == ("cirs", finished.name)
    assert (facts["checkpoint"], facts["step"]) == ("last", 20)
    assert facts["classes"] == list(Manifest.read(finished).classes)
    last = json.loads((finished / "metrics.jsonl").read_text().splitlines()[-1])
    measured = facts["validation"]
    assert measured["loss"] == last["validation"]["loss"]
    assert len(measured["segment_share"]) == 4
    assert "miou" in last["validation"] and "miou" not in measured
    describe = tf.saved_model.load(str(model_dir / "1")).signatures["describe"]
    said = describe(query=tf.constant(["", "anything"]))["json"].numpy()
    assert [json.loads(text) for text in said] == [facts, facts]


def test_segments_have_the_names_they_are_given(finished, tmp_path, capsys):
    argv = [str(finished), "--out", str(tmp_path / "model"), "--names"]
    assert export.main([*argv, "sky,lemon"]) == 1
    error = capsys.readouterr().err
    assert error == "error: names: expected 4, one for each segment, got 2\n"
    assert not (tmp_path / "model").exists()
    assert export.main([*argv, "sky, lemon, apple, cloud"]) == 0
    card = load_savedmodel(tmp_path / "model").card
    assert card.segment_names == ("sky", "lemon", "apple", "cloud")


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture(size, channels=3):
    noise = np.random.default_rng(2).integers(0, 256, (7, 9, channels), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def test_a_run_its_export_and_its_signatures_agree(model_dir, finished, tmp_path):
    """Whatever a file is turned by or transparent, wherever it is decoded."""
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {
        "plain.png": encoded(picture((97, 61)), "PNG"),
        "turned.jpg": encoded(picture((97, 61)), "JPEG", exif=exif),
        "clear.png": encoded(picture((50, 70), 4), "PNG"),
        "small.png": encoded(picture((9, 12)), "PNG"),
        "trained.png": encoded(picture((16, 16)), "PNG"),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    run = cirs_tf.load(finished, "last")
    exported = cirs_tf.load(model_dir)
    signatures = tf.saved_model.load(str(model_dir / "1")).signatures
    served = signatures["serve_bytes"](image_bytes=tf.constant(list(files.values())))
    argv = [str(model_dir), *(str(tmp_path / name) for name in files)]
    assert segment.main([*argv, "--out", str(tmp_path / "out")]) == 0
    masks = served["mask_png_bytes"].numpy()
    for name, mask, error in zip(files, masks, served["errors"].numpy(), strict=True):
        expected = run.predict(tmp_path / name)
        assert error == b""
        images = tf.constant(read_image(tmp_path / name)[None])
        default = signatures["serving_default"](images=images)["labels"][0]
        written = Image.open((tmp_path / "out" / name).with_suffix(".png"))
        for found in (
            exported.predict(tmp_path / name),
            np.asarray(Image.open(io.BytesIO(mask))),
            np.asarray(written),
            default,
        ):
            np.testing.assert_array_equal(found, expected)
    assert expected.shape == (16, 16)
    native = run.predict(tmp_path / "trained.png", native=True)
    np.testing.assert_array_equal(native, expected)


def test_a_bad_file_fails_alone(finished, tmp_path):
    export.main([str(finished), "--out", str(tmp_path), "--max-pixels", "400"])
    png = encoded(picture((20, 20)), "PNG")
    large = encoded(picture((21, 20)), "PNG")
    broken = png[:300] + b"other data" + png[310:]
    batch = tf.constant([b"no image", png, large, broken, png])
    serve = tf.saved_model.load(str(tmp_path / "1")).signatures["serve_bytes"]
    served = serve(image_bytes=batch)
    masks = served["mask_png_bytes"].numpy()
    errors = [error.decode() for error in served["errors"].numpy()]
    assert errors == [
        "not an image; expected a PNG, JPEG, GIF or 24-bit BMP file",
        "",
        "21 x 20 pixels; expected at most 400 in all",
        "damaged; expected a readable image file",
        "",
    ]
    assert [bool(mask) for mask in masks] == [error == "" for error in errors]
    expected = load_savedmodel(tmp_path).predict(picture((20, 20)))
    for mask in (masks[1], masks[4]):
        found = np.asarray(Image.open(io.BytesIO(mask)))
        np.testing.assert_array_equal(found, expected)
    assert not serve(image_bytes=tf.zeros([0], tf.string))["errors"].shape[0]


def test_requests_at_the_same_time_are_all_answered(model_dir):
    """Files are decoded by a data set in the graph, which has threads of its own."""
    serve = tf.saved_model.load(str(model_dir / "1")).signatures["serve_bytes"]
    png = encoded(picture((30, 20)), "PNG")
    batch = tf.constant([png, b"no image", png[:200], png])

    def answer(_):
        return serve(image_bytes=batch)["mask_png_bytes"].numpy().tolist()

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(answer, range(8))
    assert [bool(mask) for mask in first] == [True, False, False, True]
    assert all(other == first for other in others)


def test_a_model_without_a_card_runs_at_the_images_size(segmenter, tmp_path, capsys):
    """As version 0.1.0 exported it."""
    archive = keras.export.ExportArchive()
    archive.track(segmenter)

    def serving_default(images):
        logits = segmenter(tf.cast(images, tf.float32) / 255.0, training=False)
        labels = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return {"labels": labels, "probabilities": tf.nn.softmax(logits)}

    spec = tf.TensorSpec([None, None, None, 3], tf.uint8, name="images")
    archive.add_endpoint("serving_default", serving_default, input_signature=[spec])
    archive.write_out(str(tmp_path / "model" / "1"), verbose=False)
    image = np.asarray(picture((40, 30)))
    with pytest.warns(UserWarning, match="model: exported before .* sees images"):
        loaded = cirs_tf.load(tmp_path / "model")
    expected = segmenter(image[None] / np.float32(255), training=False)
    expected = np.argmax(expected[0], axis=-1)
    np.testing.assert_array_equal(loaded.predict(image), expected)
    picture((40, 30)).save(tmp_path / "a.png")
    argv = [str(tmp_path / "model"), str(tmp_path / "a.png"), "--out"]
    assert segment.main([*argv, str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[0].startswith(f"note: {tmp_path / 'model'}: exported before")
    found = np.asarray(Image.open(tmp_path / "out" / "a.png"))
    np.testing.assert_array_equal(found, expected)


def test_warmup_requests_run_on_the_signatures_they_name(model_dir):
    signatures = tf.saved_model.load(str(model_dir / "1")).signatures
    file = model_dir / "1" / "assets.extra" / "tf_serving_warmup_requests"
    names = []
    for record in tf.data.TFRecordDataset(str(file)):
        log = message_class("PredictionLog").FromString(record.numpy())
        request = log.predict_log.request
        name = request.model_spec.signature_name
        inputs = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
        assert signatures[name](**inputs)
        names.append(name)
    assert names == ["serving_default", "serve_native", "serve_bytes"]


def test_a_second_export_is_the_next_version(finished, model_dir, tmp_path):
    out = shutil.copytree(model_dir, tmp_path / "model")
    assert [path.name for path in out.iterdir()] == ["1"]
    assert export.main([str(finished), "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {"1", "2"}
    assert (out / "2" / "saved_model.pb").exists()
    labels = load_savedmodel(out).predict(np.zeros((5, 7, 3), np.uint8))
    assert labels.shape == (5, 7)
    assert labels.dtype == np.uint8


def test_an_error_without_a_text_is_named(model_dir, monkeypatch):
    def fail(_):
        raise OSError

    monkeypatch.setattr(tf.saved_model, "load", fail)
    with pytest.raises(cirs_tf.CirsError, match="cannot be loaded: OSError"):
        load_savedmodel(model_dir)


def test_bad_input_is_one_line(capsys, tmp_path):
    assert export.main([str(tmp_path), "--out", str(tmp_path / "m")]) == 1
    assert "not a run folder" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_what_stands_in_the_way_is_named(capsys, finished, tmp_path):
    (tmp_path / "model").write_text("a file, no folder")
    assert export.main([str(finished), "--out", str(tmp_path / "model")]) == 1
    error = capsys.readouterr().err.strip()
    assert "cannot be written" in error
    assert "\n" not in error
