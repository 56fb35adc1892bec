from pathlib import Path

import pytest

import cirs_tf
from cirs_tf.config.folder import config_folder
from cirs_tf.errors import ConfigError

OURS = "[metadata]\nname = cirs-tf\n"


@pytest.fixture
def package(tmp_path):
    """Return the folder of a package in a folder that may be anything."""
    folder = tmp_path / "cirs_tf"
    folder.mkdir()
    return folder


def test_this_checkout_or_installation_has_them():
    folder = config_folder()
    assert (folder / "cirs.yaml").is_file()
    assert (folder / "thesis" / "cirs_balanced.yaml").is_file()
    assert Path(cirs_tf.__file__).parent.parent in folder.parents


def test_installed_configs_win_over_a_strangers_folder(package):
    (package / "configs").mkdir()
    (package.parent / "configs").mkdir()
    assert config_folder(package) == package / "configs"


def test_installed_configs_win_also_in_our_source_tree(package):
    (package / "configs").mkdir()
    (package.parent / "configs").mkdir()
    (package.parent / "setup.cfg").write_text(OURS)
    assert config_folder(package) == package / "configs"


def test_our_source_tree_is_known_by_its_setup_file(package):
    (package.parent / "configs").mkdir()
    (package.parent / "setup.cfg").write_text(OURS)
    assert config_folder(package) == package.parent / "configs"


@pytest.mark.parametrize(
    "setup",
    [
        None,
        b"",
        b"[metadata]\nname = another\n",
        b"[metadata]\n",
        b"name = cirs-tf\n",  # before any section
        b"[metadata]\nname = cirs-tf\xff\n",
        b"[metadata]\nname = %(cirs-tf\n",
    ],
)
def test_a_strangers_folder_alone_is_not_taken(package, setup):
    (package.parent / "configs").mkdir()
    if setup is not None:
        (package.parent / "setup.cfg").write_bytes(setup)
    with pytest.raises(ConfigError, match="install cirs-tf again") as raised:
        config_folder(package)
    assert str(package / "configs") in str(raised.value)


def test_no_folder_at_all_is_one_clear_line(package):
    (package.parent / "setup.cfg").write_text(OURS)
    with pytest.raises(ConfigError, match="no such folder"):
        config_folder(package)
