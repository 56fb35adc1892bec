"""How tests call the client, and what they give it."""

import io

import numpy as np
from PIL import Image

from cirs_tf.serving import client


def noise(seed, size):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8))


def png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


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
