"""`segment` on videos: masks, overlays, and what is said of damaged ones."""

import importlib
import json
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from cirs_tf import segment
from cirs_tf.data import video_files
from cirs_tf.data.video_files import VideoWriter, open_video
from cirs_tf.serving.savedmodel import load_savedmodel
from cirs_tf.visualization import colorize, overlay

pytest.importorskip("av")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Return a video of 40 frames of 32 x 48 pixels, 10 a second, of large squares."""
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    rng = np.random.default_rng(0)
    with VideoWriter(path, Fraction(10)) as writer:
        for _ in range(40):
            squares = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
            writer.write(squares.repeat(8, axis=0).repeat(8, axis=1))
    return path


def read(path):
    return np.asarray(Image.open(path))


def test_every_frame_has_a_mask_and_its_overlay(exported, clip, tmp_path):
    out, summary = tmp_path / "out", tmp_path / "shares.json"
    argv = [str(exported), str(clip), "--out", str(out), "--every", "3"]
    assert segment.main([*argv, "--summary", str(summary)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["clip", "clip_overlay.mp4"]
    numbers = list(range(0, 40, 3))
    masks = sorted((out / "clip").iterdir())
    assert [path.name for path in masks] == [f"{number:06}.png" for number in numbers]
    segmenter = load_savedmodel(exported)
    with open_video(clip) as video:
        frames = [frame for _, frame in video.frames(every=3)]
    with open_video(out / "clip_overlay.mp4") as video:
        shown = [frame for _, frame in video.frames()]
    assert float(video.rate) == pytest.approx(10 / 3, abs=1e-3)  # as fast as the clip
    for frame, mask, blended in zip(frames, masks, shown, strict=True):
        labels = segmenter.predict(frame)
        np.testing.assert_array_equal(read(mask), labels)
        difference = overlay(frame, colorize(labels)) - blended.astype(float)
        assert np.abs(difference).mean() < 25  # of H.264, with colors at half the size
    rows = json.loads(summary.read_text())
    assert rows[1]["image"] == f"{clip}#000003" and len(rows) == len(numbers)
    share = (read(masks[1]) == 0).mean()
    np.testing.assert_allclose(rows[1]["segment_share"][0], share)


def test_a_damaged_video_does_not_stop_the_others(exported, clip, tmp_path, capsys):
    content = clip.read_bytes()
    place = content.index(b"mdat") + 2_000
    spoiled, text = tmp_path / "spoiled.mp4", tmp_path / "text.MP4"
    spoiled.write_bytes(content[:place] + bytes(3_000) + content[place + 3_000 :])
    text.write_text("no video")
    picture = tmp_path / "picture.png"
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(picture)
    out = tmp_path / "out"
    sources = [str(path) for path in (text, spoiled, clip, picture)]
    assert segment.main([str(exported), *sources, "--out", str(out)]) == 1
    written, said = capsys.readouterr()
    first, second = said.splitlines()
    assert first.startswith(f"error: {text}: cannot be read as a video: ")
    assert second.startswith(f"error: {spoiled}: damaged; packets that cannot be ")
    assert f"40 frames of {clip} segmented into {out / 'clip'}" in written
    assert "1 of 1 images" in written
    assert 0 < len(list((out / "spoiled").iterdir())) < 40
    assert {path.name for path in out.iterdir()} == {
        "clip",
        "clip_overlay.mp4",
        "spoiled",
        "spoiled_overlay.mp4",
        "picture.png",
        "picture_overlay.png",
    }


def test_masks_of_a_video_and_of_images_do_not_mix(exported, clip, tmp_path, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "clip").mkdir(parents=True)
    Image.new("RGB", (16, 16)).save(folder / "clip" / "x.png")
    argv = [str(exported), str(folder), str(clip), "--recursive", "--out", str(out)]
    assert segment.main(argv) == 1
    assert "clip.mp4: its masks would lie among those of images" in (
        capsys.readouterr().err
    )
    assert not out.exists()


def test_nothing_is_written_over(exported, clip, tmp_path, capsys):
    (tmp_path / "clip").mkdir()
    mine = tmp_path / "clip" / "mine.txt"
    mine.write_text("mine")
    argv = [str(exported), str(clip), "--out", str(tmp_path)]
    assert segment.main(argv) == 1
    message = f"--out {tmp_path}: {mine.parent} is there already; choose another folder"
    assert capsys.readouterr().err == f"error: {message}\n"
    assert list(tmp_path.rglob("*")) == [mine.parent, mine]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--every", "0"], "--every: expected at least 1, got 0"),
        (["--probabilities"], "--probabilities: expected images alone, got "),
        (["--max-pixels", "1000"], "clip.mp4: 1,536 pixels a frame; expected at most "),
    ],
)
def test_what_a_video_cannot_have_is_one_line(
    exported, clip, tmp_path, capsys, more, message
):
    argv = [str(exported), str(clip), "--out", str(tmp_path / "out"), *more]
    assert segment.main(argv) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not list(tmp_path.rglob("*.*"))


def test_without_the_extra_it_is_named(exported, clip, tmp_path, capsys, monkeypatch):
    def missing(name, *more):
        if name == "av":
            raise ImportError(name)
        return find(name, *more)

    find = importlib.import_module
    monkeypatch.setattr(video_files.importlib, "import_module", missing)
    argv = [str(exported), str(clip), "--out", str(tmp_path / "out")]
    assert segment.main(argv) == 1
    error = capsys.readouterr().err
    assert "pip install 'cirs-tf[video]'" in error and error.count("\n") == 1
