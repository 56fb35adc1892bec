"""The long description: README.md, its links made absolute. All else: setup.cfg.

In a checkout README.md links to files beside it, which no package index has.
"""

import configparser
import re
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
# Code, which stays as it is; or what stands before a link's target, and the target.
LINK = re.compile(
    r"(?P<code>^ *```.*?^ *```|`[^`\n]+`)"
    r"|(?P<before>\]\(|\bhref=\"|\bsrc=\"|^\[[^]\n]+\]: +)(?P<target>[^)\s\"]+)",
    re.DOTALL | re.MULTILINE,
)
PICTURES = (".gif", ".jpg", ".png", ".svg")


def with_absolute_links(markdown: str, source: str) -> str:
    """Return Markdown whose links to files lead to a repository on GitHub.

    Args:
        markdown: Text with links relative to the root of the repository.
        source: Address of the repository, such as `https://github.com/a/b`.

    Returns:
        The text; links within it lead to the repository's page, pictures to the files.
    """
    raw = source.replace("//github.com/", "//raw.githubusercontent.com/")

    def absolute(match: re.Match) -> str:
        target = match["target"]
        if match["code"] or re.match(r"[a-z]+:", target):
            return match[0]
        if target.startswith("#"):
            return f"{match['before']}{source}{target}"
        folder = f"{raw}/HEAD" if target.endswith(PICTURES) else f"{source}/blob/HEAD"
        return f"{match['before']}{folder}/{target}"

    return LINK.sub(absolute, markdown)


def long_description() -> str:
    """Return README.md with absolute links."""
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(ROOT / "setup.cfg", encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return with_absolute_links(readme, metadata["metadata"]["url"])


if __name__ == "__main__":
    setup(
        long_description=long_description(),
        long_description_content_type="text/markdown",
    )
