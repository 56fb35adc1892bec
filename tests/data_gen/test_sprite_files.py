import numpy as np
import pytest
from PIL import Image

from cirs_tf.errors import DataError, ImageError
from data_gen.scene import SUPERSAMPLING
from data_gen.sprite_files import load_background, load_sprites


def save(path, size=(20, 10), color=(10, 200, 30, 255), margin=0):
    canvas = Image.new("RGBA", (size[0] + 2 * margin, size[1] + 2 * margin))
    canvas.paste(color, (margin, margin, margin + size[0], margin + size[1]))
    canvas.save(path)


def test_classes_are_the_files_sorted_by_name(tmp_path):
    for name in ("pear.png", "fig.PNG", "plum.png"):
        save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a sprite")
    names = [sprite.name for sprite in load_sprites(tmp_path, 24)]
    assert names == ["fig", "pear", "plum"]


@pytest.mark.parametrize("margin", [0, 7])
def test_the_longer_side_gets_the_size_without_margins(tmp_path, margin):
    save(tmp_path / "bar.png", (20, 10), margin=margin)
    (sprite,) = load_sprites(tmp_path, 24)
    inner = sprite.pixels[1:-1, 1:-1]  # within the transparent rim
    assert inner.shape == (12 * SUPERSAMPLING, 24 * SUPERSAMPLING, 4)
    assert (inner == (10, 200, 30, 255)).all()
    assert sprite.pixels.sum() == inner.sum()


def test_a_palette_with_a_transparent_color_is_alpha_too(tmp_path):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.paste(0, (0, 0, 4, 8))
    image.save(tmp_path / "half.png", transparency=0)
    (sprite,) = load_sprites(tmp_path, 8)
    assert sprite.pixels.shape[:2] == (8 * SUPERSAMPLING + 2, 4 * SUPERSAMPLING + 2)


def bad_missing(folder):
    folder.rmdir()


def bad_empty(folder):
    (folder / "sprite.jpg").touch()


def bad_no_alpha(folder):
    Image.new("RGB", (8, 8)).save(folder / "sprite.png")


def bad_transparent(folder):
    save(folder / "sprite.png", color=(255, 0, 0, 0))


def bad_faint(folder):
    save(folder / "sprite.png", color=(255, 0, 0, 127))


def bad_text(folder):
    (folder / "sprite.png").write_text("hello")


def bad_cut_off(folder):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 4), np.uint8)
    Image.fromarray(noise).save(folder / "sprite.png")
    data = (folder / "sprite.png").read_bytes()
    (folder / "sprite.png").write_bytes(data[: len(data) // 2])


def bad_folder(folder):
    (folder / "sprite.png").mkdir()


def bad_name(folder):
    save(folder / "sky.png")


def bad_twice(folder):
    save(folder / "sprite.png")
    save(folder / "sprite.PNG")


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (bad_missing, DataError, "sprites: not found; expected a folder of RGBA PNG"),
        (bad_empty, DataError, "sprites: expected 1 to 254 PNG files, found 0"),
        (bad_no_alpha, ImageError, "sprite.png: expected .* alpha .*, got RGB"),
        (bad_transparent, ImageError, "sprite.png: expected a visible object"),
        (bad_faint, ImageError, "sprite.png: expected a visible object"),
        (
            bad_text,
            ImageError,
            "sprite.png: not an image; expected a readable image file",
        ),
        (
            bad_cut_off,
            ImageError,
            "sprite.png: image file is truncated; expected a readable image file",
        ),
        (
            bad_folder,
            ImageError,
            "sprite.png: Is a directory; expected a readable image file",
        ),
        (bad_name, DataError, "sky.png: a class named 'sky' exists"),
        (bad_twice, DataError, "sprite.png: a class named 'sprite' exists"),
    ],
)
def test_bad_sprites_are_named_in_one_line(tmp_path, spoil, error, message):
    folder = tmp_path / "sprites"
    folder.mkdir()
    spoil(folder)
    with pytest.raises(error, match=message):
        load_sprites(folder, 24)


def test_a_background_is_cut_to_a_square_and_resized(tmp_path):
    image = Image.new("RGB", (300, 100), (255, 0, 0))
    image.paste((0, 0, 255), (100, 0, 200, 100))
    image.save(tmp_path / "wide.png")
    background = load_background(tmp_path / "wide.png", 32)
    assert background.shape == (32, 32, 3)
    assert (background[2:-2, 2:-2] == (0, 0, 255)).all()


@pytest.mark.parametrize("content", [None, b"hello"])
def test_a_bad_background_is_named(tmp_path, content):
    file = tmp_path / "sky.png"
    if content:
        file.write_bytes(content)
    with pytest.raises(ImageError, match=r"sky\.png: .*expected a readable image file"):
        load_background(file, 32)
