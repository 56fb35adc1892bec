"""A report of runs, read back as HTML."""

import base64
import html.parser
import io
import json
import re
import shutil

import numpy as np
import pytest
from command_line import set_flags
from PIL import Image

from cirs_tf import evaluate, train
from cirs_tf.pages import run_facts
from cirs_tf.pages.run_facts import find_runs
from cirs_tf.report import main
from cirs_tf.training.run_folder import RunFolder


class Page(html.parser.HTMLParser):
    """Tables as lists of rows, pictures, text; knows which tags are open."""

    VOID = {"meta", "img", "link", "br", "use", "path"}

    def __init__(self, text):
        super().__init__()
        self.tables, self.pictures, self.loaded, self.text = [], [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.loaded += [values[key] for key in ("src", "href") if values.get(key)]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "img":
            self.pictures.append(values["src"])
        self._cell = tag in ("td", "th") or (self._cell and tag != "tr")

    _cell = False

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data):
        self.text += data
        if self._cell:
            self.tables[-1][-1][-1] += data.strip()


@pytest.fixture(scope="module")
def sweep(fruit, tiny_air, tmp_path_factory):
    """Return a folder of two runs that differ in their seed."""
    folder = tmp_path_factory.mktemp("report") / "sweep"
    argv = ["--model", "air", "--data", str(fruit), "--epochs", "2"]
    argv += ["--steps-per-epoch", "2", *set_flags(tiny_air)]
    for seed in "01":
        run = folder / f"seed-{seed}"
        assert train.main([*argv, "--seed", seed, "--run", str(run)]) == 0
    return folder


@pytest.fixture(scope="module")
def page(sweep, tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "new" / "report.html"
    assert main([str(sweep), "--split", "test", "--out", str(out)]) == 0
    return Page(out.read_text())


def scores_of(run, folder):
    file = folder / f"{run.name}.json"
    argv = [str(run), "--split", "test", "--json", str(file), "--out", str(folder)]
    assert evaluate.main(argv) == 0
    return json.loads(file.read_text())


def test_scores_are_those_of_evaluate(page, sweep, tmp_path):
    header, first, second, statistics = page.tables[0]
    assert header[:5] == ["run", "method", "seed", "mIoU", "thesis mIoU"]
    expected = [scores_of(sweep / f"seed-{seed}", tmp_path) for seed in (0, 1)]
    for row, scores in zip((first, second), expected, strict=True):
        assert row[3] == f"{scores['miou']:.3f}"
        assert row[4] == f"{scores['miou_thesis']:.3f}"
        assert row[7:9] == ["2", "4"]  # epochs, mini-batches
    assert [first[0], second[0]] == ["seed-0", "seed-1"]
    mious = [scores["miou"] for scores in expected]
    assert statistics[1].startswith(f"{np.mean(mious):.3f} ({min(mious):.3f} to ")


def test_columns_of_the_confusion_sum_to_one(page, sweep, tmp_path):
    for number, table in enumerate(page.tables[1:3]):
        header, *rows = table
        scores = scores_of(sweep / f"seed-{number}", tmp_path)
        assert len(rows) == len(scores["segment_share"])
        columns = np.array(
            [[float(cell.removesuffix(" %")) for cell in row[4:]] for row in rows]
        )
        np.testing.assert_allclose(columns.sum(axis=0), 100, atol=0.25)
        classes = [cell.removeprefix("of ") for cell in header[4:]]
        for name, segment, iou in zip(
            classes, scores["assignment"], scores["per_class_iou"], strict=True
        ):
            assert rows[segment][2] == name
            assert rows[segment][3] == f"{iou:.3f}"
        shares = [float(row[1].removesuffix(" %")) / 100 for row in rows]
        np.testing.assert_allclose(shares, scores["segment_share"], atol=6e-4)


def test_nothing_is_loaded_and_every_picture_opens(page):
    outside = [link for link in page.loaded if not link.startswith(("data:", "#"))]
    assert outside == []
    assert len(page.pictures) == 2 * (1 + 2)  # the split, and two epochs
    for source in page.pictures:
        content = base64.b64decode(source.removeprefix("data:image/png;base64,"))
        Image.open(io.BytesIO(content)).verify()


def test_curves_have_a_point_for_each_epoch(sweep, tmp_path):
    out = tmp_path / "one.html"
    assert main([str(sweep / "seed-0"), "--out", str(out)]) == 0
    text = out.read_text()
    rows = RunFolder(sweep / "seed-0").read_metrics()
    loss = text[text.index("Validation loss") :]
    (line,) = re.findall(r'<path d="(M [^"]*)" clip-path', loss[: loss.index("</svg>")])
    heights = [float(y) for _, y in re.findall(r"[ML] (\S+) (\S+)", line)]
    assert len(heights) == len(rows) == 2
    falls = rows[1]["validation"]["loss"] < rows[0]["validation"]["loss"]
    assert (heights[1] > heights[0]) == falls  # y grows downwards


def test_settings_that_differ_are_shown(page, sweep, tmp_path):
    assert page.tables[-1][1:] == [["seed", "0", "1"]]
    out = tmp_path / "one.html"
    assert main([str(sweep / "seed-1"), "--out", str(out)]) == 0
    header, *rows = Page(out.read_text()).tables[-1]
    assert header[1:] == ["default", "run"]
    settings = {row[0]: row[1:] for row in rows}
    assert settings["seed"] == ["0", "1"]
    assert settings["segmenter.width"][1] == "2"
    assert "segments" not in settings


def test_data_that_were_moved_leave_a_remark(sweep, fruit, tmp_path, capsys):
    run = tmp_path / "moved <b>run"
    shutil.copytree(sweep / "seed-0", run)
    config = run / "config.yaml"
    config.write_text(config.read_text().replace(str(fruit), str(tmp_path / "gone")))
    out = tmp_path / "report.html"
    assert main([str(run), str(sweep / "seed-1"), "--out", str(out)]) == 1
    text = out.read_text()
    page = Page(text)
    assert "the data set of the run is not there" in page.text
    assert "<b>run" not in text and "moved <b>run" in page.text
    assert page.tables[0][1][3] == "–" and page.tables[0][2][3] != "–"
    assert "Validation loss" in page.text
    assert main([str(run), "--out", str(out), "--data", str(fruit)]) == 0
    assert "is not there" not in out.read_text()


@pytest.mark.parametrize(
    ("name", "text"),
    [("versions.json", '{"no end'), ("metrics.jsonl", "{}\n"), ("manifest.json", "{}")],
)
def test_a_damaged_file_is_named_before_anything_is_evaluated(
    name, text, sweep, tmp_path, capsys, monkeypatch
):
    run = tmp_path / "run"
    shutil.copytree(sweep / "seed-0", run)
    (run / name).write_text(text)
    monkeypatch.setattr(run_facts, "evaluate_run", lambda *_, **__: pytest.fail())
    out = tmp_path / "report.html"
    assert main([str(sweep / "seed-1"), str(run), "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert name in error and error.count("\n") == 1


def test_a_page_that_cannot_be_written_is_told_before_anything_is_evaluated(
    sweep, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(run_facts, "evaluate_run", lambda *_, **__: pytest.fail())
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "report.html"
    assert main([str(sweep), "--out", str(out)]) == 1
    assert f"error: {out}: cannot be written: " in capsys.readouterr().err


def test_runs_are_found_once(sweep):
    runs = find_runs([sweep / "seed-1", sweep])
    assert [run.path.name for run in runs] == ["seed-1", "seed-0"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nowhere", "--out", "a.html"], "nowhere: neither a run folder"),
        (["nowhere", "--out", "a.pdf"], "--out a.pdf: expected a name that ends in"),
    ],
)
def test_bad_input_is_one_line(argv, message, capsys):
    assert main(argv) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
