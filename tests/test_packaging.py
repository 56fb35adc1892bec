"""What setup.cfg, setup.py and MANIFEST.in say; scripts/wheel_check builds by them."""

import ast
import configparser
import fnmatch
import importlib.util
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETUP = configparser.ConfigParser(interpolation=None)
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")
SOURCE = SETUP["metadata"]["url"]


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def test_setup_lists_every_package():
    listed = SETUP["options"]["packages"].split()
    assert len(listed) == len(set(listed))
    folders = {
        str(path.parent.relative_to(ROOT)).replace(os.sep, ".")
        for package in ("cirs_tf", "data_gen")
        for path in modules(package)
    }
    configs = {
        ".".join(("cirs_tf", *path.parent.relative_to(ROOT).parts))
        for path in (ROOT / "configs").rglob("*.yaml")
    }
    assert set(listed) == folders | configs
    for name in sorted(folders):
        assert (ROOT / name.replace(".", os.sep) / "__init__.py").exists(), name
    placed = dict(
        line.split(" = ")
        for line in SETUP["options"]["package_dir"].strip().splitlines()
    )
    data = SETUP["options.package_data"]
    for name in configs:
        assert placed[name] == name.removeprefix("cirs_tf.").replace(".", "/")
        assert data[name] == "*.yaml"


def test_every_file_of_a_package_is_code_or_listed_as_its_data():
    data = SETUP["options.package_data"]
    for name in ("cirs_tf", "data_gen"):
        for path in (ROOT / name).rglob("*"):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                package = ".".join(path.relative_to(ROOT).parts[:-1])
                patterns = data.get(package, "").split()
                assert any(fnmatch.fnmatch(path.name, p) for p in patterns), path


@pytest.mark.parametrize("package", ["cirs_tf", "data_gen"])
def test_both_packages_say_that_they_are_typed(package):
    assert (ROOT / package / "py.typed").is_file()
    assert "py.typed" in SETUP["options.package_data"][package].split()


def test_version_is_that_of_the_package():
    tree = ast.parse((ROOT / "cirs_tf" / "__init__.py").read_text())
    versions = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__version__"
    ]
    assert versions == [SETUP["metadata"]["version"]]


def test_extras_are_there_and_tensorflow_is_in_them_alone():
    extras = SETUP["options.extras_require"]
    assert {"cpu", "gpu", "crf", "docs", "dev"} <= set(extras)
    for line in SETUP["options"]["install_requires"].split():
        assert not line.startswith("tensorflow"), line
    (cpu,), (gpu,) = extras["cpu"].split(), extras["gpu"].split()
    assert cpu.removeprefix("tensorflow-cpu") == gpu.removeprefix(
        "tensorflow[and-cuda]"
    )
    # keras-hub needs the whole of it: the extra takes cpu's place.
    assert cpu.replace("-cpu", "") in extras["hub"].split()


def test_the_versions_of_python_are_the_same_everywhere():
    versions = re.findall(r"Python :: (3\.\d+)", SETUP["metadata"]["classifiers"])
    assert versions == ["3.11", "3.12", "3.13"]
    assert SETUP["options"]["python_requires"] == ">=3.11,<3.14"
    script = (ROOT / "scripts" / "venv").read_text()
    assert re.findall(r"(3\.\d+)\.\*", script) == versions


# What setuptools adds by itself.
ALWAYS = {"README.md", "LICENSE", "MANIFEST.in", "pyproject.toml", "setup.cfg"}


def is_packed(path: str) -> bool:
    """Return whether MANIFEST.in takes a file into the source distribution."""
    packed = path in ALWAYS
    for line in (ROOT / "MANIFEST.in").read_text().splitlines():
        command, *patterns = line.split()
        if command == "graft":
            packed |= path.startswith(f"{patterns[0]}/")
        elif command == "include":
            packed |= path in patterns
        elif command == "global-exclude":
            name = path.rpartition("/")[2]
            packed &= not any(fnmatch.fnmatch(name, p) for p in patterns)
        else:
            assert command == "#", f"MANIFEST.in: {line}"
    return packed


@pytest.mark.parametrize(
    "folder",
    [".ci", "benchmarks", "configs", "deploy", "docs", "notebooks", "scripts", "tests"],
)
def test_the_source_distribution_has_every_file_of(folder):
    paths = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    names = [path.relative_to(ROOT).as_posix() for path in paths]
    missing = [name for name in names if not is_packed(name)]
    assert names
    assert all(name.endswith(".pyc") for name in missing), missing


def test_the_source_distribution_has_no_leftovers():
    for name in ("tests/__pycache__/a.pyc", "notebooks/.DS_Store", "data/a.tfrecord"):
        assert not is_packed(name)


def load_setup():
    """Return setup.py as a module; it calls `setup` only when it is run."""
    spec = importlib.util.spec_from_file_location("setup_of_cirs_tf", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MARKDOWN = """
[page](docs/a.md#top) ![picture](docs/a.png) [![both](b.svg)](c.md) [far](https://x.y/z)
[here](#limits) <img src="docs/a.png"> <a href="d.md">d</a> `f[0](x)` [`code`](e.md)
[mail](mailto:a@b.c)

[name]: f.md

```python
call[0](images=images)
```
"""
ABSOLUTE = """
[page](https://github.com/o/r/blob/HEAD/docs/a.md#top) \
![picture](https://raw.githubusercontent.com/o/r/HEAD/docs/a.png) \
[![both](https://raw.githubusercontent.com/o/r/HEAD/b.svg)]\
(https://github.com/o/r/blob/HEAD/c.md) [far](https://x.y/z)
[here](https://github.com/o/r#limits) \
<img src="https://raw.githubusercontent.com/o/r/HEAD/docs/a.png"> \
<a href="https://github.com/o/r/blob/HEAD/d.md">d</a> `f[0](x)` \
[`code`](https://github.com/o/r/blob/HEAD/e.md)
[mail](mailto:a@b.c)

[name]: https://github.com/o/r/blob/HEAD/f.md

```python
call[0](images=images)
```
"""


def test_links_of_the_long_description_are_made_absolute():
    absolute = load_setup().with_absolute_links(MARKDOWN, "https://github.com/o/r")
    assert absolute == ABSOLUTE


def links(markdown: str) -> list[str]:
    """Return the targets of the links outside of code."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", markdown, flags=re.DOTALL)
    return re.findall(r"(?:\]\(|(?:src|href)=\")([^)\s\"]+)", text)


def test_the_readmes_links_lead_somewhere_here_and_on_a_package_index():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in links(readme):
        path = target.partition("#")[0]
        assert target.startswith("https://") or not path or (ROOT / path).exists()
    described = links(load_setup().long_description())
    assert len(described) == len(links(readme)) > 5
    assert all(target.startswith("https://") for target in described)


def test_addresses_of_the_project():
    lines = SETUP["metadata"]["project_urls"].strip().splitlines()
    addresses = dict(line.split(" = ") for line in lines)
    assert {"Documentation", "Source"} <= set(addresses)
    assert addresses["Source"] == SOURCE
    for address in addresses.values():
        assert address.startswith(SOURCE)
        # What lies in this repository is there.
        _, _, path = address.partition("/HEAD/")
        assert (ROOT / path).exists()
    assert SETUP["metadata"]["author"] == "cirs_tf contributors"
