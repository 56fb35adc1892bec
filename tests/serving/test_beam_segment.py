import sys

import numpy as np
import pytest
from PIL import Image
from tfrecords import file_contents

from cirs_tf import export, segment

pytestmark = pytest.mark.filterwarnings("ignore")  # Beam's own


@pytest.fixture(scope="module")
def model_dir(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("segment") / "model"
    assert export.main([str(finished), "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def images(tmp_path):
    rng = np.random.default_rng(0)
    for name, size in (("a.png", (16, 16)), ("b.jpg", (25, 40)), ("in/c.png", (9, 9))):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return tmp_path / "images"


@pytest.fixture
def fake_file_system(tmp_path):
    """Make `fake://` a file system of Beam's, whose files lie in `tmp_path`."""
    pytest.importorskip("apache_beam")
    from apache_beam.io.localfilesystem import LocalFileSystem

    class FakeFileSystem(LocalFileSystem):
        def _place(self, path):
            place = tmp_path / path.removeprefix("fake://")
            place.parent.mkdir(parents=True, exist_ok=True)
            return str(place)

        @classmethod
        def scheme(cls):
            return "fake"

        def join(self, basepath, *paths):
            return "/".join([basepath.rstrip("/"), *paths])

        def match(self, patterns, limits=None):
            results = super().match(list(map(self._place, patterns)), limits)
            for result in results:
                for file in result.metadata_list:
                    file.path = file.path.replace(f"{tmp_path}/", "fake://")
            return results

        def open(self, path, *arguments, **keywords):
            return super().open(self._place(path), *arguments, **keywords)

        def create(self, path, *arguments, **keywords):
            return super().create(self._place(path), *arguments, **keywords)

    yield
    FakeFileSystem.scheme = classmethod(lambda cls: None)


def run(capsys, *arguments):
    status = segment.main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


def test_without_beam_the_extra_is_named(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    arguments = ["model", "images", "--out", tmp_path / "out", "--beam"]
    assert run(capsys, *arguments) == (
        1,
        "",
        "error: --beam: Apache Beam is not installed: pip install 'cirs-tf[beam]'\n",
    )


def test_masks_are_the_same_byte_for_byte(capsys, model_dir, images, tmp_path):
    pytest.importorskip("apache_beam")
    common = [
        model_dir,
        images,
        "--recursive",
        "--probabilities",
        "--min-region-size=5",
    ]
    assert run(capsys, *common, "--out", tmp_path / "here")[0] == 0
    out = tmp_path / "beam"
    status, printed, _ = run(capsys, *common, "--out", out, "--beam")
    assert (status, printed) == (0, f"3 of 3 images segmented into {out}\n")
    expected = file_contents(tmp_path / "here" / "in")
    assert file_contents(out / "in") == expected and len(expected) == 3
    for path in (tmp_path / "here").glob("*.*"):
        assert (out / path.name).read_bytes() == path.read_bytes()
    # A pattern, and an image that is none.
    (images / "d.png").write_text("no image")
    arguments = [model_dir, f"{images}/*.*", "--out", tmp_path / "some", "--beam"]
    status, printed, error = run(capsys, *arguments)
    assert (status, printed) == (
        1,
        f"2 of 3 images segmented into {tmp_path / 'some'}\n",
    )
    assert f"error: {images / 'd.png'}: " in error
    masks = {path.stem for path in (tmp_path / "some").glob("?.png")}
    assert masks == {"a", "b"}
    error = run(capsys, *arguments[:-1], "--sheet", "a.png", "--beam")[2]
    assert error == "error: --beam: expected no --sheet and no --summary\n"
    arguments[1] = f"{images}/*.tiff"
    assert "*.tiff: no such file" in run(capsys, *arguments)[2]


def test_two_processes(capsys, model_dir, images, tmp_path):
    pytest.importorskip("apache_beam")
    (images / "d.png").write_text("no image")
    common = [model_dir, images, "--batch-size", 1, "--out"]
    assert run(capsys, *common, tmp_path / "here")[0] == 1
    workers = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    status, printed, error = run(capsys, *common, tmp_path / "beam", "--beam", *workers)
    assert (status, printed[:24]) == (1, "2 of 3 images segmented ")
    assert f"error: {images / 'd.png'}: " in error
    assert file_contents(tmp_path / "beam") == file_contents(tmp_path / "here")


@pytest.mark.usefixtures("fake_file_system")
def test_other_file_systems(capsys, model_dir, images, tmp_path):
    assert run(capsys, model_dir, images, "--out", tmp_path / "here")[0] == 0
    arguments = ["fake://images/*.*", "--out", "fake://masks/new", "--beam"]
    assert run(capsys, model_dir, *arguments)[0] == 0
    assert file_contents(tmp_path / "masks/new") == file_contents(tmp_path / "here")
    before = file_contents(tmp_path / "images" / "in")
    arguments = ["fake://images/in/*", "--out", "fake://images/in/", "--beam"]
    status, _, error = run(capsys, model_dir, *arguments)
    assert status == 1 and "fake://images/in/c.png is one of the images" in error
    assert file_contents(tmp_path / "images" / "in") == before
