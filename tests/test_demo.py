"""The page of the demo: over HTTP, and in a browser where there is one."""

import gc
import shutil
import time
import warnings

import keras
import numpy as np
import pytest
import requests
from PIL import Image

from cirs_tf import demo
from cirs_tf.serving.segmenter import Segmenter

gradio = pytest.importorskip("gradio")

from cirs_tf.methods.registry import build_method, load_config  # noqa: E402  (Gradio)
from cirs_tf.pages.demo_app import Shown, _picture, demo_app  # noqa: E402
from cirs_tf.pages.pose_view import PoseView, pose_view  # noqa: E402

# Gradio leaves sockets and loops to the end of the process.
pytestmark = pytest.mark.filterwarnings("ignore")
NAMES = [[k, "", None] for k in range(3)]


@pytest.fixture(scope="module")
def segmenter():
    """Return one whose segments are the brightest channels."""
    images = keras.Input((None, None, 3))
    return Segmenter.from_keras(keras.Model(images, 9 * images))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Return a folder with a picture of three colors, a damaged one and a bomb."""
    folder = tmp_path_factory.mktemp("pictures")
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :30, 0] = pixels[:20, 30:, 1] = pixels[20:, 30:, 2] = 200
    Image.fromarray(pixels).save(folder / "colors.png")
    (folder / "damaged.png").write_bytes((folder / "colors.png").read_bytes()[:60])
    (folder / "text.png").write_text("no picture")
    Image.new("L", (4_000, 4_000)).save(folder / "bomb.png")
    return folder


@pytest.fixture(scope="module")
def method():
    """Return `cirs_aligned` for images of 40 x 40 pixels, of brightest channels.

    Templates are red, green, blue; pose networks are untrained.
    """
    settings = ["cirs_aligned.canvas=0.4", "segmenter.width=2", "segmenter.depth=1"]
    method = build_method(load_config("cirs_aligned", settings), 40, 40)
    images = keras.Input((None, None, 3))
    dark = 30 * keras.ops.sum(0.2 - images, axis=-1, keepdims=True)
    logits = keras.ops.concatenate([dark, 90 * images], axis=-1)
    method.segmenter = keras.Model(images, logits)
    size = method.templates.canvas
    colors = np.eye(3, dtype=np.float32)[:, None, None].repeat(size, 1).repeat(size, 2)
    support = np.ones((3, size, size), bool)
    background = np.zeros((40, 40, 3), np.float32)
    method.templates.layer.assign(background, colors, support)
    return method


@pytest.fixture(scope="module")
def served(segmenter, pictures, method, tmp_path_factory):
    examples = [pictures / "colors.png"]
    masks = tmp_path_factory.mktemp("masks")
    app = demo_app(segmenter, "colors", examples, 10**6, masks, PoseView(method))
    _, url, _ = app.launch(
        prevent_thread_lock=True, server_port=None, quiet=True, max_file_size="1mb"
    )
    yield url
    app.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()  # sockets that Gradio leaves open, not in another file's test


@pytest.fixture(scope="module")
def client(served):
    from gradio_client import Client

    return Client(served, verbose=False, download_files=True)


def segment(client, path, opacity=1.0, names=NAMES):
    from gradio_client import handle_file

    return client.predict(
        handle_file(str(path)), opacity, {"headers": ["a"] * 3, "data": names},
        api_name="/segment",
    )  # fmt: skip


def test_a_picture_comes_back_with_its_segments_shares_and_mask(client, pictures):
    shown, table, mask = segment(client, pictures / "colors.png")
    labels = np.asarray(Image.open(mask))
    assert labels.shape == (40, 60)
    assert (labels[:, :30] == 0).all() and (labels[20:, 30:] == 2).all()
    assert [row[2] for row in table["data"]] == [50.0, 25.0, 25.0]
    picture = np.asarray(Image.open(shown).convert("RGB"))
    assert picture.shape[1] >= 60 and picture.shape[0] > 40  # and the legend
    assert picture[5, 5].tolist() == [86, 180, 233]  # color 0: opacity is 1


def test_names_stay_when_another_picture_comes(client, pictures):
    names = [[0, "sky", None], *NAMES[1:]]
    _, table, _ = segment(client, pictures / "colors.png", names=names)
    assert [row[1] for row in table["data"]] == ["sky", "", ""]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("text.png", "text.png: not an image"),
        ("damaged.png", "damaged.png: .*expected a readable image file"),
        ("bomb.png", "bomb.png: 4,000 x 4,000 pixels; expected at most"),
    ],
)
def test_what_is_no_picture_is_said_on_the_page(client, pictures, name, message):
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match=message) as error:
        segment(client, pictures / name)
    assert "/" not in str(error.value)  # no folder of the server


def test_regions_of_a_picture(client, pictures):
    from gradio_client import handle_file

    picture = handle_file(str(pictures / "colors.png"))
    regions = client.predict(picture, 1.0, api_name="/regions")
    pixels = np.asarray(Image.open(regions).convert("RGB"))
    assert pixels.shape == (40, 60, 3)
    assert np.abs(pixels[5, 5] - [200.0, 0, 0]).max() < 12


def test_regions_of_a_picture_larger_than_its_tree(client, tmp_path):
    """Regions are found at 640 pixels, pictures are shown at up to 1,024."""
    from gradio_client import handle_file

    pixels = np.zeros((30, 80, 3), np.uint8)
    pixels[:, 40:] = (200, 0, 0)
    Image.fromarray(pixels).resize((800, 300), 0).save(tmp_path / "wide.png")
    picture = handle_file(str(tmp_path / "wide.png"))
    regions = client.predict(picture, 1.0, api_name="/regions")
    pixels = np.asarray(Image.open(regions).convert("RGB"))
    assert pixels.shape == (300, 800, 3)
    assert np.abs(pixels[150, 700] - [200.0, 0, 0]).max() < 12


def test_other_files_of_the_machine_are_not_served(served, tmp_path):
    private = tmp_path / "private.txt"
    private.write_text("mine")
    answer = requests.get(f"{served}gradio_api/file={private}", timeout=10)
    assert answer.status_code == 403 and "mine" not in answer.text


def test_templates_are_found_in_a_picture(client, pictures, method):
    from gradio_client import handle_file

    file = handle_file(str(pictures / "colors.png"))
    shown, table = client.predict(file, api_name="/poses")
    assert table["headers"][0] == "segment" and len(table["data"]) == 3
    # 60 x 40 pixels are cut to the middle: red 20 wide, green and blue 20 x 20 each.
    assert [row[:2] for row in table["data"]] == [[1, 50.0], [2, 25.0], [3, 25.0]]
    cut = np.asarray(Image.open(pictures / "colors.png"))[None, :, 10:50]
    centers = [(9.5, 19.5), (29.5, 9.5), (29.5, 29.5)]
    (poses,), _ = method.estimate_poses(cut)
    for (_, _, x, y, degrees), pose, center in zip(
        table["data"], poses, centers, strict=True
    ):
        np.testing.assert_allclose([x, y], pose[:2], atol=0.051)
        # An untrained network corrects by some pixels; centers are 20 apart.
        np.testing.assert_allclose([x, y], center, atol=9)
        assert degrees == pytest.approx(np.degrees(np.arctan2(*pose[3:1:-1])), abs=0.51)
    expected = method.pictures(cut)["poses"].convert("RGB")
    np.testing.assert_array_equal(Image.open(shown).convert("RGB"), expected)


def test_a_segment_that_is_not_there_has_no_pose(method):
    view = PoseView(method)
    _, rows = view.show(np.uint8([[[200, 0, 0]]]).repeat(30, 0).repeat(70, 1))
    assert rows[1:] == [[2, 0.0, None, None, None], [3, 0.0, None, None, None]]
    assert rows[0][1] == 100.0 and None not in rows[0]
    picture = np.asarray(view.templates.convert("RGB")).astype(float)
    for color in 255 * np.eye(3):
        assert (np.abs(picture - color).max(-1) < 60).sum() > 100


def test_without_templates_there_is_no_tab(segmenter, finished, tmp_path):
    assert pose_view(finished) is None  # of `cirs`
    assert pose_view(tmp_path) is None
    app = demo_app(segmenter, "colors", [], 10**6, tmp_path)
    assert "Templates and poses" not in str(app.get_config_file())


def test_only_the_three_functions_can_be_called(client):
    assert client.view_api(return_format="dict")["named_endpoints"].keys() == {
        "/segment",
        "/regions",
        "/poses",
    }


def test_opacity_and_names_reach_the_picture():
    image, labels = np.full((30, 200, 3), 40, np.uint8), np.zeros((30, 200), np.uint8)
    shown = Shown(image, labels, "", (0.75, 0.25))
    plain = np.asarray(_picture(shown, 0.0, [[0, None, None], [1, "", None]]))
    assert (plain[:30] == 40).all()
    named = np.asarray(_picture(shown, 0.0, [[0, "sky", None], [1, "", None]]))
    unnamed = np.asarray(_picture(shown, 0.0, [[0, "", None], [1, "", None]]))
    assert named.shape != unnamed.shape or (named != unnamed).any()
    assert np.array_equal(plain, unnamed)


def test_the_command_listens_to_this_machine_alone(
    finished, pictures, monkeypatch, tmp_path
):
    launched = {}
    monkeypatch.setattr(gradio.Blocks, "launch", lambda _, **how: launched.update(how))
    assert demo.main([str(finished), "--examples", str(pictures), "--port", "0"]) == 0
    assert launched["server_name"] == "127.0.0.1" and launched["share"] is False
    assert launched["max_file_size"] == "50mb"
    assert launched["allowed_paths"] == [
        str(path) for path in sorted(pictures.iterdir())
    ]


def test_in_a_browser(served, pictures):
    webdriver = pytest.importorskip("selenium.webdriver")
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(flag)
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.get(served)

        def until(selector, found):
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                for element in driver.find_elements("css selector", selector):
                    if found(element):
                        return element
                time.sleep(0.2)
            raise AssertionError(driver.find_element("css selector", "body").text)

        upload = until("#picture input[type=file]", lambda element: True)
        upload.send_keys(str(pictures / "colors.png"))
        until("#segments img", lambda image: image.get_property("naturalWidth") >= 60)
        until("[role=gridcell], td", lambda cell: cell.text.strip() == "50")
        requests = driver.execute_script(
            "return performance.getEntriesByType('resource').map(e => e.name)"
        )
        assert requests
        assert [url for url in requests if not url.startswith((served, "data:"))] == []
        driver.refresh()
        upload = until("#picture input[type=file]", lambda element: True)
        upload.send_keys(str(pictures / "text.png"))
        until("body", lambda body: "text.png: not an image" in body.text)
    finally:
        driver.quit()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nowhere"], "nowhere: no such folder; expected a run or an exported model"),
        (["a", "--max-megabytes", "0"], "--max-megabytes: expected at least 1, got 0"),
        (["nowhere", "--port", "70000"], "--port: expected 0 to 65535, got 70000"),
        (["nowhere", "--examples", "gone"], "gone: no such file or folder"),
    ],
)
def test_bad_input_is_one_line(argv, message, capsys):
    assert demo.main(argv) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_without_gradio_the_extra_is_named(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "gradio", None)
    assert demo.main(["nowhere"]) == 1
    assert "pip install 'cirs-tf[demo]'" in capsys.readouterr().err
