"""Frames of a video that is written here without loss, and what is no video."""

import av
import numpy as np
import pytest

from cirs_tf.data import video_files
from cirs_tf.data.manifest import Manifest
from cirs_tf.data.splits import load_split
from cirs_tf.errors import ConfigError, DataError
from data_gen.__main__ import main
from data_gen.importers.video import read_frames

FRAMES = np.random.default_rng(0).integers(0, 256, (30, 32, 48, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "street.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.height, stream.width = FRAMES.shape[1:3]
        stream.pix_fmt = "bgr0"  # ffv1 keeps these colors to the bit
        for frame in FRAMES:
            packets = stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24"))
            container.mux(packets)
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("every", [1, 7])
def test_every_so_many_frames_are_read_in_order(file, every):
    numbers, frames = zip(*read_frames(file, every), strict=True)
    assert list(numbers) == list(range(0, 30, every))
    np.testing.assert_array_equal(np.stack(frames), FRAMES[::every])


def test_a_data_set_of_frames(file, tmp_path, capsys):
    out = tmp_path / "sets" / "street"
    argv = ["video", str(file), "--every", "2", "--size", "32x48", "--out", str(out)]
    assert main(argv) == 0
    counts = {
        name: len(load_split(out, name, False).images) for name in ("val", "test")
    }
    assert counts == {"val": 2, "test": 2}
    train = load_split(out, "train", with_masks=False)
    assert len(train.images) == 11
    for name, image in zip(train.filenames, train.images, strict=True):
        number = int(name.removeprefix("street_").removesuffix(".bmp"))
        assert number % 2 == 0
        np.testing.assert_array_equal(image, FRAMES[number])
    assert [path.name for path in out.parent.iterdir()] == ["street"]
    assert Manifest.read(out).classes == ()
    assert main(argv) == 0
    assert "already holds this data set" in capsys.readouterr().out


def test_what_is_no_video_is_one_line(tmp_path, monkeypatch, capsys):
    text = tmp_path / "notes.mp4"
    text.write_text("no video")
    out = ["--out", str(tmp_path / "out")]
    for name, message in (
        (text, "notes.mp4: cannot be read as a video"),
        (tmp_path / "missing.mp4", "missing.mp4: not found; expected a video"),
    ):
        assert main(["video", str(name), *out]) == 1
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    deep = tmp_path / "new" / "out"
    assert main(["video", str(text), "--out", str(deep)]) == 1
    assert not deep.parent.exists()
    capsys.readouterr()
    with pytest.raises(ConfigError, match="every: expected an integer >= 1, got 0"):
        next(read_frames(text, 0))
    sound = tmp_path / "sound.wav"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        samples = av.AudioFrame.from_ndarray(
            np.zeros((1, 800), np.int16), "s16", "mono"
        )
        samples.sample_rate = 8000
        container.mux(stream.encode(samples))
    with pytest.raises(DataError, match="holds no video stream"):
        next(read_frames(sound))

    def missing(name):
        raise ImportError(name)

    with monkeypatch.context() as patch:
        patch.setattr(video_files.importlib, "import_module", missing)
        with pytest.raises(ConfigError, match=r"pip install 'cirs-tf\[video\]'"):
            next(read_frames(text))


def test_options_and_folders_are_named_before_frames_are_written(
    file, tmp_path, capsys
):
    (tmp_path / "file").write_text("")
    for argv, message in (
        (["--val", "1.5", "--out", "a"], "val: expected a fraction"),
        (
            ["--every", "20", "--out", str(tmp_path / "b")],
            "street.mkv: 2 images cannot",
        ),
        (["--out", str(tmp_path / "file" / "x")], "x: cannot be written: File exists"),
    ):
        assert main(["video", str(file), *argv]) == 1
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
