"""Names that no two images share."""

from pathlib import Path

import pytest

from cirs_tf.serving.output_names import output_names


def names(files, endings=(".png", "_overlay.png")):
    """Return the names of files that were found under these relative paths."""
    images = [(Path(place), Path(str(n), place)) for n, place in enumerate(files)]
    found = output_names(images, endings)
    assert list(found.values()) == [path for _, path in images]
    written = [f"{name}{ending}" for name in found for ending in set(endings)]
    assert len(written) == len(set(written))
    return [str(name) for name in found]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["a.jpg", "b.png", "cats/a.png"], ["a", "b", "cats/a"]),
        (["a.jpg", "a.png", "b.png"], ["a.jpg", "a.png", "b"]),
        (["x.jpg", "x_overlay.jpg"], ["x.jpg", "x_overlay.jpg"]),
        (["a.jpg", "a.png", "a.jpg.gif"], ["a.jpg", "a.png", "a.jpg.gif"]),
        (["a.png", "a.png", "a.png"], ["a.png", "a.png-2", "a.png-3"]),
    ],
)
def test_images_that_clash_keep_their_suffix(files, expected):
    assert names(files) == expected


def test_without_overlays_nothing_clashes_with_one():
    assert names(["x.jpg", "x_overlay.jpg"], [".png"]) == ["x", "x_overlay"]
