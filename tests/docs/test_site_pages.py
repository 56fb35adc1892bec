"""Pages of the site that are made from elsewhere."""

import importlib.util
import re
from pathlib import Path

import pytest

from cirs_tf.config.settings import describe
from cirs_tf.methods.registry import METHODS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def site_pages():
    """Return docs/site_pages.py, or skip where MkDocs (extra docs) is not there."""
    pytest.importorskip("mkdocs")
    spec = importlib.util.spec_from_file_location("site_pages", DOCS / "site_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_method_has_a_page_with_the_same_headings():
    wanted = ["Idea", "Formula", "When to use it", "What it needs", "Command"]
    for name in METHODS:
        text = (DOCS / "methods" / f"{name}.md").read_text()
        headings = re.findall(r"^## (.*)$", text, re.M)
        assert headings[:6] == [*wanted, "Expected result"], name


def test_every_module_of_the_reference_folders_is_shown():
    folders = ("layers", "losses", "metrics", "models", "models/backbones", "hierarchy")
    for folder in folders:
        page = DOCS / "api" / f"{Path(folder).name}.md"
        modules = (DOCS.parent / "cirs_tf" / folder).glob("*.py")
        names = {path.stem for path in modules} - {"__init__"}
        package = re.escape(folder.replace("/", "."))
        found = re.findall(rf"::: cirs_tf\.{package}\.(\w+)", page.read_text())
        assert set(found) == names


def test_the_settings_page_lists_every_setting_once(site_pages):
    keys = re.findall(r"^\| `([\w.]+)` \|", site_pages.settings_page(), re.M)
    every = {s.key for m in METHODS.values() for s in describe(m.config_class())}
    assert sorted(keys) == sorted(every)


def test_links_of_the_front_page_follow_the_site(site_pages):
    text = "![a](docs/a.png) [b](docs/b.md#c), [d](LICENSE), [e](CHANGELOG.md)"
    expected = "![a](a.png) [b](b.md#c), d, [e](changelog.md)"
    assert site_pages.site_links(text) == expected
