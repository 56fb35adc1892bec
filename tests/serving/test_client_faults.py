"""Servers that are busy, hang, break off, or answer something else than a mask."""

import time

import pytest
import tensorflow as tf
from client_runs import masks, noise, png, run
from model_servers import SERVERS, rest_server
from PIL import Image


def busy(kind):
    """Return a fault: the server has too much to do."""
    if kind == "rest":
        return lambda handler: handler.answer(503, {"error": "queue is full"})
    import grpc

    return lambda context: context.abort(grpc.StatusCode.UNAVAILABLE, "queue is full")


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
    code = {"rest": "503", "grpc": "UNAVAILABLE"}[kind]
    line = f"error: {photos / '0.png'}: the server answers {code}: queue is full"
    assert errors == [line]
    assert served.calls == 2


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_hangs(capsys, served, photos, tmp_path, kind):
    """Nothing is sent again: the server may be at it."""
    served.faults.append(lambda _: time.sleep(1.5))
    flags = ("--timeout", 1, "--out", tmp_path / "out")
    with SERVERS[kind](served) as url:
        status, printed, errors = run(capsys, url, photos / "0.png", *flags)
    assert status == 1
    assert errors == [f"error: {photos / '0.png'}: no answer within 1 s"]
    assert printed == [f"0 of 1 images segmented into {tmp_path / 'out'}"]
    assert served.calls == 1


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
