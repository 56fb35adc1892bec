"""The client's masks, options and errors of files, against servers in this process."""

import base64
import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from client_runs import masks, noise, run
from markdown_blocks import ROOT, blocks
from model_servers import SERVERS, Served, rest_server
from PIL import Image

from cirs_tf.serving.savedmodel import load_savedmodel
from cirs_tf.visualization import palette


def test_masks_are_those_of_segment(capsys, exported, served, url, photos, tmp_path):
    out = tmp_path / "out"
    status, printed, errors = run(capsys, url, photos, "--out", out)
    assert (status, errors) == (0, [])
    assert printed == [f"3 of 3 images segmented into {out}"]
    segmenter = load_savedmodel(exported)
    assert served.calls == 3
    assert list(masks(out)) == ["0", "1", "2"]
    for name, mask in masks(out).items():
        expected = segmenter.predict(photos / f"{name}.png")
        np.testing.assert_array_equal(mask, expected)


def test_overlays_if_asked(capsys, url, photos, tmp_path):
    out = tmp_path / "out"
    assert run(capsys, url, photos / "1.png", "--out", out, "--overlay")[0] == 0
    mask = np.asarray(Image.open(out / "1.png"))
    with Image.open(photos / "1.png") as opened:
        half = (np.asarray(opened).astype(float) + palette(4)[mask]) / 2
    overlay = np.asarray(Image.open(out / "1_overlay.png"))
    np.testing.assert_allclose(overlay, half, atol=0.5)  # rounded to 8 bits


def test_no_overlay_stands_in_the_place_of_a_mask(capsys, url, photos, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("x", "x_overlay"):
        shutil.copy(photos / "1.png", folder / f"{name}.png")
    out = tmp_path / "masks"
    assert run(capsys, url, folder, "--out", out, "--overlay")[0] == 0
    assert len(list(out.iterdir())) == 4


@pytest.mark.parametrize(
    ("flags", "version"),
    [
        ([], 2),
        (["--version", "1"], 1),
        (["--label", "stable"], 1),
        (["--label", "canary"], 2),
    ],
)
def test_version_and_label(capsys, exported, url, photos, tmp_path, flags, version):
    out = tmp_path / "out"
    assert run(capsys, url, photos / "0.png", "--out", out, *flags)[0] == 0
    expected = load_savedmodel(exported).predict(photos / "0.png")
    assert expected.any()
    np.testing.assert_array_equal(masks(out)["0"], expected * (version == 2))


def test_files_that_tensorflow_reads_otherwise_are_sent_as_they_are_seen(
    capsys, exported, url, tmp_path
):
    """Turned by EXIF, transparent, with a palette, and a format of its own."""
    folder, out = tmp_path / "odd", tmp_path / "out"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(0, (9, 20)).save(folder / "turned.png", exif=exif)
    clear = noise(1, (9, 20)).convert("RGBA")
    clear.putalpha(Image.fromarray(np.tile(np.arange(20, dtype=np.uint8) * 12, (9, 1))))
    clear.save(folder / "clear.png")
    noise(2, (9, 20)).convert("P").save(folder / "colors.gif")
    noise(3, (9, 20)).save(folder / "other.webp", lossless=True)
    assert run(capsys, url, folder, "--out", out)[0] == 0
    segmenter = load_savedmodel(exported)
    for path in folder.iterdir():
        expected = segmenter.predict(path)
        np.testing.assert_array_equal(masks(out)[path.stem], expected)
    assert masks(out)["turned"].shape == (20, 9)


def test_files_of_cameras_are_sent_as_they_are(capsys, served, photos, tmp_path):
    sent = []

    signature = served.versions[2]["serve_bytes"]

    def noted(image_bytes):
        sent.extend(image_bytes.numpy())
        return signature(image_bytes=image_bytes)

    served.versions = {2: {"serve_bytes": noted}}
    noise(0, (9, 20)).save(photos / "a.jpg")
    with rest_server(served) as url:
        flags = ("--concurrency", 1, "--out", tmp_path / "out")
        assert run(capsys, url, photos, *flags)[0] == 0
    assert served.connections == 1  # kept
    assert sorted(sent) == sorted(path.read_bytes() for path in photos.iterdir())


def test_errors_of_one_file_leave_the_others(capsys, served, url, photos, tmp_path):
    (photos / "bad.png").write_bytes(b"no image at all")
    cut = (photos / "0.png").read_bytes()[:400]
    (photos / "cut.png").write_bytes(cut)
    (photos / "large.png").write_bytes(bytes(5_000))
    out = tmp_path / "out"
    flags = ("--max-bytes", 4_000, "--out", out)
    status, printed, errors = run(capsys, url, photos, *flags)
    assert status == 1
    assert printed == [f"3 of 6 images segmented into {out}"]
    assert sorted(errors)[0] == (
        f"error: {photos / 'bad.png'}: not an image; expected a readable image file"
    )
    assert sorted(errors)[1].startswith(f"error: {photos / 'cut.png'}: ")
    assert sorted(errors)[2] == (
        f"error: {photos / 'large.png'}: 5,000 bytes to send; expected at most 4,000 "
        "(--max-bytes)"
    )
    assert list(masks(out)) == ["0", "1", "2"]
    assert served.calls == 3  # nothing was sent for the others


def test_what_the_model_says_of_a_file(capsys, versions, photos, tmp_path):
    """Of exports with a second output, `errors`: empty masks, and why."""
    signature = versions[2]["serve_bytes"]

    def with_errors(image_bytes):
        (file,) = image_bytes.numpy()
        outputs = signature(image_bytes=image_bytes)
        wide = tf.io.decode_image(file).shape[1] == 21
        wrong = tf.constant(["too wide:\nby 5"]) if wide else tf.constant([""])
        mask = tf.constant([""]) if wide else outputs["mask_png_bytes"]
        return {"mask_png_bytes": mask, "errors": wrong}

    for name, server in SERVERS.items():
        out = tmp_path / name
        with server(Served({1: {"serve_bytes": with_errors}})) as url:
            status, printed, errors = run(capsys, url, photos, "--out", out)
        assert status == 1
        assert errors == [f"error: {photos / '1.png'}: too wide: by 5"]
        assert printed == [f"2 of 3 images segmented into {out}"]
        assert list(masks(out)) == ["0", "2"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--concurrency", "0"], "--concurrency: expected 1 to 1,000, got 0"),
        (["--timeout", "0"], "--timeout: expected more than 0, got 0"),
        (["--timeout", "nan"], "--timeout: expected more than 0, got nan"),
        (["--retries", "5"], "--retries: expected 0 to 4, got 5"),
        (["--max-bytes", "0"], "--max-bytes: expected 1 to 1,073,741,824, got 0"),
        (["--recursive"], "--out OUT: lies in PHOTOS; choose a folder outside it"),
    ],
)
def test_bad_options_are_one_line(capsys, photos, flags, message):
    out = photos / "out"
    status, printed, errors = run(capsys, "grpc://h:1/a", photos, "--out", out, *flags)
    message = message.replace("OUT", str(out)).replace("PHOTOS", str(photos))
    assert (status, printed, errors) == (1, [], [f"error: {message}"])


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_the_curl_lines_of_the_docs_send_a_photo(exported, served, tmp_path):
    """Of 270 kB: more than Linux lets a single argument have."""
    noise(0, (300, 300)).save(tmp_path / "photo.png")
    (block,) = (b for b in blocks(ROOT / "docs" / "serving.md") if "curl" in b.code)
    with rest_server(served) as url:
        lines = block.code.replace("http://localhost:8501/v1/models/fruit", url)
        command = ["bash", "-ec", lines]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    answer = json.loads((tmp_path / "answer.json").read_text())
    mask = base64.b64decode(answer["predictions"][0]["mask_png_bytes"]["b64"])
    with Image.open(io.BytesIO(mask)) as opened:
        expected = load_savedmodel(exported).predict(tmp_path / "photo.png")
        np.testing.assert_array_equal(np.asarray(opened), expected)


def test_tensorflow_is_not_imported(photos, tmp_path):
    program = """
import sys
from cirs_tf.serving import client
client.main(sys.argv[1:])
assert "grpc" in sys.modules
assert not {"tensorflow", "keras", "scipy", "sklearn"} & set(sys.modules)
"""
    arguments = ["grpc://127.0.0.1:1/a", photos, "--out", tmp_path / "out"]
    subprocess.run(
        [sys.executable, "-c", program, *arguments, "--retries", "0"],
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
    )


@pytest.mark.parametrize("kind", SERVERS)
def test_without_the_extra_it_is_named(capsys, monkeypatch, photos, tmp_path, kind):
    package = {"rest": "requests", "grpc": "grpc"}[kind]
    monkeypatch.setitem(sys.modules, package, None)
    module = f"cirs_tf.serving.{kind}_predictor"
    monkeypatch.delitem(sys.modules, module, raising=False)
    url = {"rest": "http://h/v1/models/a", "grpc": "grpc://h:1/a"}[kind]
    status, _, errors = run(capsys, url, photos, "--out", tmp_path / "out")
    name = {"rest": "requests", "grpc": "grpcio"}[kind]
    assert (status, errors) == (
        1,
        [
            f"error: {url.split('/')[0]}// needs {name}, which is not installed: "
            "pip install 'cirs-tf[serving]'"
        ],
    )
