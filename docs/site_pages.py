"""Pages of the site that are made from what stands elsewhere (an MkDocs hook).

The front page is README.md; contributing and changelog are the files of those names;
the settings are the fields of the configuration classes. So no text stands twice.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from cirs_tf.config.settings import Described, describe
from cirs_tf.methods.registry import METHODS

ROOT = Path(__file__).parents[1]
# File at the root of the repository to its page.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
SETTINGS = "settings.md"
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
_TABLE_HEAD = "| setting | default | values | meaning |\n|---|---|---|---|\n"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made.

    Args:
        files: The files of `docs/`.
        config: The site.

    Returns:
        The same, with these pages.
    """
    made = {page: _root_page(ROOT / name) for name, page in PAGES.items()}
    made[SETTINGS] = settings_page()
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    return files


def site_links(text: str) -> str:
    """Return the Markdown of a file at the root with links as the site has them.

    A link into `docs/` loses that folder, one to another page of the site becomes that
    page, and one to any other file of the repository its text alone.

    Args:
        text: Markdown.

    Example:
        >>> site_links("[all](docs/RESULTS.md#baselines), [the license](LICENSE)")
        '[all](RESULTS.md#baselines), the license'
    """

    def replace(match: re.Match) -> str:
        label, target = match.groups()
        path, hash_, anchor = target.partition("#")
        if "://" in target or not path:
            return match.group()
        path = posixpath.normpath(path)
        if path in PAGES:
            return f"[{label}]({PAGES[path]}{hash_}{anchor})"
        if path.startswith("docs/"):
            return f"[{label}]({path.removeprefix('docs/')}{hash_}{anchor})"
        return label

    return _LINK.sub(replace, text).replace("](docs/", "](")


def settings_page() -> str:
    """Return the page of all settings, from the configuration classes."""
    shared: dict[str, list[Described]] = {}
    own: dict[str, list[Described]] = {}
    users: dict[str, list[str]] = {}
    for name, entry in METHODS.items():
        for setting in map(_general, describe(entry.config_class())):
            section = setting.key.rpartition(".")[0]
            users.setdefault(section, [])
            if name not in users[section]:
                users[section].append(name)
            settings = own if section == name else shared
            known = settings.setdefault(section, [])
            if setting.key not in {other.key for other in known}:
                known.append(setting)
    parts = [_SETTINGS_INTRODUCTION]
    for section, settings in (shared | own).items():
        parts.append(_section(section, settings, users[section]))
    return "\n".join([*parts, "</div>\n"])


def _general(setting: Described) -> Described:
    """Return what holds for all methods: `method` may have any of their names."""
    if setting.key != "method":
        return setting
    return setting._replace(default="", range="one of " + ", ".join(METHODS))


_SETTINGS_INTRODUCTION = """# Settings

Made from the configuration classes of the package. Give a setting by
`--set KEY=VALUE`, by `settings={"KEY": VALUE}` in Python, or in a YAML file;
[Training](training.md#settings) has examples. The defaults below are those of the
sections; a method may have its own, and
`python -m cirs_tf.train --model METHOD --show-config` prints what holds for it.

<div class="settings" markdown>
"""


def _section(section: str, settings: list[Described], users: list[str]) -> str:
    everyone = len(users) == len(METHODS)
    methods = "every method" if everyone else ", ".join(f"`{name}`" for name in users)
    rows = "".join(
        f"| `{setting.key}` | {_value(setting.default)} | {_cell(setting.range)} "
        f"| {_cell(setting.meaning)} |\n"
        for setting in settings
    )
    title = section or "Top level"
    return f"## {title}\n\nUsed by {methods}.\n\n{_TABLE_HEAD}{rows}"


def _value(value: object) -> str:
    if value is None or isinstance(value, bool):
        return f"`{ {None: 'null', True: 'true', False: 'false'}[value] }`"
    return (
        f"`{list(value) if isinstance(value, tuple) else value}`" if value != "" else ""
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _root_page(path: Path) -> str:
    return site_links(path.read_text())
