"""1,000 requests: none is lost, none mistaken for another, and memory stays flat."""

import contextlib
import io
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from client_runs import masks, noise, png
from model_servers import SERVERS, Served
from PIL import Image

from cirs_tf.serving import client
from cirs_tf.serving.served_model import served_model


def resident_bytes(process):
    """Return the memory a process holds (Linux)."""
    with open(f"/proc/{process.pid}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def thousand_masks(server, served, folder):
    """Send 1,000 pictures, 100 at a time, and return them and their masks.

    The client is a process of its own, so that its memory is nobody else's; it is
    measured at the 200th and the last request.
    """
    photos, out = folder / "many", folder / "out"
    photos.mkdir()
    pictures = [noise(number, (8, 8 + number % 5)) for number in range(1_000)]
    for number, picture in enumerate(pictures):
        picture.save(photos / f"{number}.png")
    at = {}

    def measure(number):
        if number in (200, 1_000) and sys.platform == "linux":
            at[number] = resident_bytes(client_process)

    served.during = measure
    with server(served) as url:
        command = [sys.executable, "-m", "cirs_tf.serving.client", url, photos]
        client_process = subprocess.Popen(
            [*map(str, command), "--concurrency", "100", "--out", str(out)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        printed, errors = client_process.communicate(timeout=300)
    assert (client_process.returncode, errors) == (0, "")
    assert printed == f"1000 of 1000 images segmented into {out}\n"
    assert served.calls == 1_000
    if at:  # 20 kB for each of 800 requests would be 16 MB
        assert at[1_000] - at[200] < 16 << 20
    found = masks(out)
    arrays = [np.asarray(picture) for picture in pictures]
    return arrays, [found[str(number)] for number in range(1_000)]


@pytest.mark.parametrize("kind", SERVERS)
def test_a_thousand_requests(tmp_path, kind):
    """Each mask is that of its image: the lowest bits of red."""

    def red(image_bytes):
        (file,) = np.asarray(image_bytes)
        with Image.open(io.BytesIO(file)) as opened:
            mask = np.asarray(opened)[..., 0] % 4
        return {"mask_png_bytes": tf.constant([png(Image.fromarray(mask))])}

    served = Served({1: {"serve_bytes": red}})
    images, found = thousand_masks(SERVERS[kind], served, tmp_path)
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
