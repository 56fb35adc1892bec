"""Videos written and read: orientation, damage, frames of odd sizes."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from cirs_tf.data.video_files import Video, VideoWriter, open_video
from cirs_tf.errors import DataError


def frames(count, height=33, width=47):
    """Return gray frames that get brighter, red at the top left."""
    for number in range(count):
        frame = np.full((height, width, 3), 3 * number, np.uint8)
        frame[: height // 2, : width // 2] = (200, 0, 0)
        yield frame


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, Fraction(30_000, 1_001)) as writer:
        for frame in frames(60):
            writer.write(frame)
    return path


def test_what_is_written_is_read(clip):
    with open_video(clip) as video:
        assert float(video.rate) == pytest.approx(29.97, abs=0.01)
        found = list(video.frames(every=7))
    assert (video.count, video.pixels, video.problem) == (60, 34 * 48, "")
    assert [number for number, _ in found] == list(range(0, 60, 7))
    for number, frame in found:
        assert frame.shape == (34, 48, 3)  # even, as H.264 wants it
        assert abs(int(frame[25, 30, 0]) - 3 * number) < 5
        assert frame[4, 4, 0] > 150 > 50 > frame[4, 4, 1]


def test_frames_are_turned_as_their_camera_was_held(clip):
    """A telephone held upright notes a quarter turn in the track's header."""
    matrix = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    turn = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    content = clip.read_bytes()
    track = content.index(b"tkhd")
    place = content.index(matrix, track)
    clip.write_bytes(content[:place] + turn + content[place + 36 :])
    with open_video(clip) as video:
        _, frame = next(video.frames())
    assert frame.shape == (48, 34, 3)
    # 90 degrees clockwise: top left goes to top right.
    assert frame[4, 30, 0] > 150 > 50 > frame[4, 4, 0]


def test_an_mp4_that_ends_early_is_told_by_its_header(clip, tmp_path):
    """Cut in the middle, with its index in front, as of a stopped download."""
    front, cut = tmp_path / "front.mp4", tmp_path / "cut.mp4"
    with av.open(str(clip)) as source:
        options = {"movflags": "faststart"}
        with av.open(str(front), "w", options=options) as container:
            (stream,) = source.streams.video
            copy = container.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.size:
                    packet.stream = copy
                    container.mux(packet)
    with av.open(str(front)) as container:
        ends = [one.pos + one.size for one in container.demux() if one.size]
    cut.write_bytes(front.read_bytes()[: ends[40]])  # after 41 whole packets
    with open_video(cut) as video:
        assert len(list(video.frames(strict=False))) == 41
    assert video.problem == "ends after 1.4 of 2.0 seconds"


class BrokenContainer:
    """Fails at its first packet; its decoder still holds a frame."""

    def __init__(self, video):
        self.streams, self.duration = video._container.streams, None

    def demux(self, stream):
        raise av.error.InvalidDataError(1, "broken")
        yield


def test_a_container_that_fails_at_once_has_no_frames(clip):
    with open_video(clip) as video:
        broken = Video("clip.mp4", BrokenContainer(video))
        with pytest.raises(DataError, match="clip.mp4: no frame could be decoded"):
            list(broken.frames(strict=False))


def test_what_cannot_be_written_is_no_error_of_what_is_read(clip):
    with pytest.raises(OSError, match="No space left"):
        with open_video(clip) as video, VideoWriter("/dev/full", Fraction(10)) as full:
            for _, frame in video.frames():
                full.write(frame)


def test_what_can_be_decoded_of_a_damaged_file_is_kept(tmp_path):
    whole, cut, spoiled = (tmp_path / f"{name}.mkv" for name in ("a", "cut", "bad"))
    with av.open(str(whole), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.height, stream.width, stream.pix_fmt = 32, 48, "bgr0"
        for frame in frames(40, 32, 48):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) * 6 // 10])
    with open_video(cut) as video:
        found = list(video.frames(strict=False))
    assert 10 < len(found) < 40
    for (_, frame), expected in zip(found, frames(40, 32, 48), strict=False):
        np.testing.assert_array_equal(frame, expected)
    assert video.problem == f"ends after {len(found) / 10:.1f} of 4.0 seconds"

    with open_video(whole) as video:
        packets = [packet for packet in video._container.demux() if packet.size]
    place, size = content.index(bytes(packets[20])), packets[20].size
    spoiled.write_bytes(content[:place] + b"\xff" * size + content[place + size :])
    with open_video(spoiled) as video:
        found = list(video.frames(strict=False))
    assert video.problem.startswith("damaged; packets that cannot be decoded: ")
    assert 20 <= len(found) < 40
    with pytest.raises(DataError, match="bad.mkv: cannot be read as a video: "):
        with open_video(spoiled) as video:
            list(video.frames())
