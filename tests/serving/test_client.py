"""The client against model servers in this process."""

import base64
import collections
import contextlib
import ctypes
import gc
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from markdown_blocks import ROOT, blocks
from model_servers import Served, grpc_server, rest_server
from PIL import Image

from cirs_tf.serving import client
from cirs_tf.serving.savedmodel import load_savedmodel
from cirs_tf.serving.served_model import served_model
from cirs_tf.visualization import palette

SERVERS = {"rest": rest_server, "grpc": grpc_server}


@pytest.fixture(scope="module")
def versions(exported):
    """Yield the exported model as version 2, and a version 1 that finds nothing."""

    def blank(image_bytes):
        height, width, _ = tf.io.decode_image(image_bytes[0]).shape
        mask = tf.io.encode_png(tf.zeros((height, width, 1), tf.uint8))
        return {"mask_png_bytes": mask[None]}

    model = tf.saved_model.load(str(exported / "1"))
    yield {1: {"serve_bytes": blank}, 2: dict(model.signatures)}


@pytest.fixture
def served(versions):
    return Served(versions, {"stable": 1, "canary": 2})


@pytest.fixture(params=SERVERS)
def url(request, served):
    with SERVERS[request.param](served) as address:
        yield address


@pytest.fixture
def photos(tmp_path):
    """Return a folder of three plain images of different sizes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, size in enumerate(((16, 16), (7, 21), (30, 9))):
        noise(number, size).save(folder / f"{number}.png")
    return folder


def noise(seed, size):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8))


def run(capsys, url, *arguments):
    """Return exit status, lines printed, and lines of errors."""
    status = client.main([url, *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out.splitlines(), captured.err.splitlines()


def masks(folder):
    found = {}
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as opened:
            assert opened.mode == "P"
            found[path.stem] = np.asarray(opened)
    return found


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


def busy(kind):
    """Return a fault: the server has too much to do."""
    if kind == "rest":
        return lambda handler: handler.answer(503, {"error": "busy"})
    import grpc

    return lambda context: context.abort(grpc.StatusCode.UNAVAILABLE, "busy")


@pytest.mark.parametrize("kind", SERVERS)
def test_a_busy_server_is_asked_again(capsys, served, photos, tmp_path, kind):
    served.faults.extend([busy(kind)] * 2)
    with SERVERS[kind](served) as url:
        status, _, errors = run(
            capsys, url, photos / "0.png", "--out", tmp_path / "out"
        )
    assert (status, errors, served.calls) == (0, [], 3)


def test_a_connection_that_breaks_is_tried_again(capsys, served, photos, tmp_path):
    def hang_up(handler):
        handler.close_connection = True

    served.faults.append(hang_up)
    with rest_server(served) as url:
        assert run(capsys, url, photos / "0.png", "--out", tmp_path / "out")[0] == 0
    assert served.calls == 2


@pytest.mark.parametrize("kind", SERVERS)
def test_retries_end(capsys, served, photos, tmp_path, kind):
    served.faults.extend([busy(kind)] * 3)
    with SERVERS[kind](served) as url:
        status, printed, errors = run(
            capsys, url, photos / "0.png", "--out", tmp_path / "out", "--retries", 1
        )
    assert status == 1
    assert printed == [f"0 of 1 images segmented into {tmp_path / 'out'}"]
    assert errors == [
        {
            "rest": f"error: {photos / '0.png'}: the server answers 503: busy",
            "grpc": f"error: {url}: cannot be reached: busy",
        }[kind]
    ]
    assert served.calls == 2


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_hangs(capsys, served, photos, tmp_path, kind):
    """The first image is not answered in time; it is not sent again, the second is."""
    served.faults.append(lambda _: time.sleep(1.5))
    flags = ("--timeout", 0.7, "--concurrency", 1, "--out", tmp_path / "out")
    with SERVERS[kind](served) as url:
        status, printed, errors = run(
            capsys, url, photos / "0.png", photos / "1.png", *flags
        )
    assert status == 1
    assert errors == [f"error: {photos / '0.png'}: no answer within 0.7 s"]
    assert printed == [f"1 of 2 images segmented into {tmp_path / 'out'}"]
    assert served.calls == 2


def test_a_server_that_never_comes_to_an_end(capsys, served, photos, tmp_path):
    def drip(handler):
        handler.send(200, b"", 20)
        for _ in range(20):
            handler.wfile.write(b" ")
            time.sleep(0.05)

    served.faults.append(drip)
    with rest_server(served) as url:
        flags = ("--timeout", 0.3, "--out", tmp_path / "out")
        _, _, errors = run(capsys, url, photos / "0.png", *flags)
    assert errors == [f"error: {photos / '0.png'}: no answer within 0.3 s"]


def test_a_wrong_model_is_one_line_for_all(capsys, url, photos, tmp_path):
    wrong = url.replace("fruit", "nuclei")
    status, printed, errors = run(capsys, wrong, photos, "--out", tmp_path / "out")
    assert status == 1
    (line,) = errors
    assert line.startswith(f"error: {wrong}")
    assert line.endswith("Servable not found for request: Latest(nuclei)")
    assert printed == [f"0 of 3 images segmented into {tmp_path / 'out'}"]


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/v1/models/fruit", "grpc://127.0.0.1:1/fruit"]
)
def test_no_server_is_one_line_for_all(capsys, photos, tmp_path, address):
    flags = ("--retries", 0, "--out", tmp_path / "out")
    status, _, errors = run(capsys, address, photos, *flags)
    assert status == 1
    (line,) = errors
    assert line.startswith(f"error: {address}")
    assert "cannot be reached: " in line
    assert "Connection refused" in line


def test_a_server_that_segments_nothing_is_left(capsys, served, url, tmp_path):
    served.versions = {1: {}}  # a model without `serve_bytes`
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        noise(number, (4, 4)).save(folder / f"{number}.png")
    status, printed, errors = run(capsys, url, folder, "--out", tmp_path / "out")
    assert status == 1
    assert len(errors) == 11
    assert errors[0].endswith('Serving signature key "serve_bytes" not found.')
    assert errors[-1] == (
        "error: the server segmented none of 10 images in a row: stopped"
    )
    assert printed == [f"0 of 40 images segmented into {tmp_path / 'out'}"]
    assert served.calls < 40


def png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


GRAY = Image.new("L", (16, 16))
WRONG_MASKS = {
    "size": (png(GRAY.resize((16, 15))), "is PNG L of 16 x 15 pixels; expected PNG L"),
    "mode": (png(GRAY.convert("RGB")), "is PNG RGB of 16 x 16 pixels; expected PNG L"),
    "cut": (png(noise(0, (16, 16)).convert("L"))[:150], "truncated"),
    "text": (b"no picture", "not an image"),
    "huge": (bytes(200_000), "the answer has more than "),
}


@pytest.mark.parametrize("wrong", WRONG_MASKS)
def test_masks_that_are_none(capsys, url, served, photos, tmp_path, wrong):
    mask, message = WRONG_MASKS[wrong]
    served.versions = {
        1: {"serve_bytes": lambda **_: {"mask_png_bytes": tf.constant([mask])}}
    }
    flags = ("--max-bytes", 50_000, "--out", tmp_path / "out")
    status, _, errors = run(capsys, url, photos / "0.png", *flags)
    assert status == 1
    (line,) = errors
    assert line.startswith(f"error: {photos / '0.png'}: ")
    assert message in line
    assert not masks(tmp_path / "out")


WRONG_ANSWERS = {
    "no JSON": b"<html>",
    "no object": b"[1]",
    "no rows": b'{"predictions": []}',
    "other outputs": b'{"predictions": [{"labels": [[0]]}]}',
    "no base64": b'{"predictions": [{"b64": "?"}]}',
    "a number": b'{"predictions": [1]}',
}


@pytest.mark.parametrize("wrong", WRONG_ANSWERS)
def test_answers_of_something_else(capsys, served, photos, tmp_path, wrong):
    served.faults.append(lambda handler: handler.send(200, WRONG_ANSWERS[wrong]))
    with rest_server(served) as url:
        _, _, errors = run(capsys, url, photos / "0.png", "--out", tmp_path / "out")
    (line,) = errors
    start = f"error: {photos / '0.png'}: the answer is not one of serve_bytes: "
    assert line.startswith(start + "expected one mask_png_bytes")


def test_an_answer_that_breaks_off(capsys, served, photos, tmp_path):
    def short(handler):
        handler.close_connection = True
        handler.send(200, b'{"predictions": [', 1_000)

    served.faults.append(short)
    with rest_server(served) as url:
        _, _, errors = run(capsys, url, photos / "0.png", "--out", tmp_path / "out")
    (line,) = errors
    assert line.startswith(f"error: {photos / '0.png'}: the answer broke off: ")


def test_a_proxy_that_sends_elsewhere_is_not_followed(capsys, served, photos, tmp_path):
    def elsewhere(handler):
        handler.send_response(302)
        handler.send_header("Location", "http://127.0.0.1:1/")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    served.faults.append(elsewhere)
    with rest_server(served) as url:
        _, _, errors = run(capsys, url, photos / "0.png", "--out", tmp_path / "out")
    assert errors == [f"error: {url}:predict: the server answers 302: Found"]


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
    mask = base64.b64decode(answer["predictions"][0]["b64"])
    with Image.open(io.BytesIO(mask)) as opened:
        expected = load_savedmodel(exported).predict(tmp_path / "photo.png")
        np.testing.assert_array_equal(np.asarray(opened), expected)


def resident_bytes():
    """Return what this process holds, without what it could give back (Linux)."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def thousand_masks(capsys, server, served, folder):
    """Send 1,000 pictures, 100 at a time, and return them and their masks.

    Memory is measured at the 200th and the last request.
    """
    photos, out = folder / "many", folder / "out"
    photos.mkdir()
    pictures = [noise(number, (8, 8 + number % 5)) for number in range(1_000)]
    for number, picture in enumerate(pictures):
        picture.save(photos / f"{number}.png")
    at = collections.Counter()

    def measure(number):
        if number in (200, 1_000) and sys.platform == "linux":
            at[number] = resident_bytes()

    served.during = measure
    with server(served) as url:
        flags = ("--concurrency", 100, "--out", out)
        status, printed, errors = run(capsys, url, photos, *flags)
    assert (status, errors) == (0, [])
    assert printed == [f"1000 of 1000 images segmented into {out}"]
    assert served.calls == 1_000
    # 40 kB for each of 800 requests would be 32 MB.
    assert at[1_000] - at[200] < 32 << 20
    found = masks(out)
    arrays = [np.asarray(picture) for picture in pictures]
    return arrays, [found[str(number)] for number in range(1_000)]


def test_a_thousand_requests_by_grpc(capsys, exported, served, tmp_path):
    """None is lost, none mistaken for another: each mask is that of its image."""
    images, found = thousand_masks(capsys, grpc_server, served, tmp_path)
    segmenter = load_savedmodel(exported)
    for rest in range(5):  # of one width
        expected = segmenter.predict(np.stack(images[rest::5]))
        np.testing.assert_array_equal(np.stack(found[rest::5]), expected)


def test_a_thousand_requests_by_rest(capsys, tmp_path):
    """As by gRPC; the mask is the lowest bits of red."""

    def red(image_bytes):
        (file,) = image_bytes.numpy()
        with Image.open(io.BytesIO(file)) as opened:
            mask = np.asarray(opened)[..., 0] % 4
        return {"mask_png_bytes": tf.constant([png(Image.fromarray(mask))])}

    served = Served({1: {"serve_bytes": red}})
    images, found = thousand_masks(capsys, rest_server, served, tmp_path)
    for image, mask in zip(images, found, strict=True):
        np.testing.assert_array_equal(mask, image[..., 0] % 4)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_thousand_requests_at_the_same_time(kind):
    """All are begun before the first is answered; each gets its own bytes back."""
    everyone = threading.Barrier(1_000)
    served = Served(
        {1: {"serve_bytes": lambda image_bytes: {"mask_png_bytes": image_bytes}}}
    )
    with SERVERS[kind](served) as url, ThreadPoolExecutor(1_000) as pool:
        opened = client.connect(served_model(url), 60, 3, 1_000)
        with contextlib.closing(opened) as predictor:

            def send(number):
                everyone.wait()
                return predictor.predict(b"%d" % number)

            answers = list(pool.map(send, range(1_000)))
    assert answers == [(b"%d" % number, "") for number in range(1_000)]


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
