"""README: its length, its methods are the registry's, its links are good."""

import re
from pathlib import Path

from cirs_tf.methods.registry import METHODS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def section(title: str) -> str:
    """Return the text below a heading of README."""
    text = README.read_text().split(f"\n## {title}\n")[1]
    return text.split("\n## ")[0]


def test_is_at_most_220_lines():
    assert len(README.read_text().splitlines()) <= 220


def test_the_table_of_methods_is_the_registrys():
    rows = re.findall(r"^\| \[`(\w+)`\]\((\S+)\) \| (.*) \|$", section("Methods"), re.M)
    assert rows == [
        (entry.name, f"docs/methods/{entry.name}.md", entry.summary)
        for entry in METHODS.values()
    ]


def test_the_first_training_command_is_of_a_method_that_works():
    first = re.search(r"cirs_tf\.train.*", README.read_text()).group()
    assert "--model cirs_aligned" in first


def test_every_training_command_of_the_docs_names_a_method_or_configuration():
    pages = [README, *sorted((ROOT / "docs").rglob("*.md"))]
    text = "\n".join(
        page.read_text() for page in pages if page.name not in ("RESULTS.md",)
    )
    models = set(re.findall(r"--model (\w+)", text)) - {"METHOD"}
    assert models <= METHODS.keys()
    configs = set(re.findall(r"--config ([\w/]+)(?![\w/.])", text)) - {"NAME"}
    missing = [name for name in configs if not (ROOT / f"configs/{name}.yaml").exists()]
    assert missing == []


def test_links_lead_to_files_of_the_repository():
    targets = {
        target.partition("#")[0]
        for page in (README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md")
        for target in _LINK.findall(page.read_text())
        if "://" not in target
    }
    assert [target for target in targets if not (ROOT / target).exists()] == []
