"""Configurations as files: differences, overrides, names, and every refusal."""

import dataclasses
import itertools
import json
import re
from pathlib import Path

import pytest
import yaml

from cirs_tf.config.files import (
    find_config,
    installed_configs,
    save_config,
    to_yaml,
)
from cirs_tf.config.folder import config_folder
from cirs_tf.config.settings import flatten
from cirs_tf.errors import ConfigError
from cirs_tf.methods.cirs import CirsConfig as Config
from cirs_tf.methods.registry import METHODS, load_config

ROOT = Path(__file__).parents[2]


def refused(*arguments, **keywords) -> str:
    """Load, and return the one line in which it is refused."""
    with pytest.raises(ConfigError) as caught:
        load_config(*arguments, **keywords)
    message = str(caught.value)
    return message


def test_defaults_are_valid():
    assert load_config() == Config()
    for name, entry in METHODS.items():
        assert load_config(overrides=[f"method={name}"]) == entry.config_class()


def test_a_setting_of_another_method_is_unknown():
    message = refused("cirs", ["air.bottleneck=3"])
    assert message.startswith("--set: unknown key 'air' of method 'cirs'")
    assert refused(overrides=["method=magic"]).startswith("method: expected one of ")


def test_convolutional_feature_net_needs_a_hidden_layer():
    message = refused(overrides=["feature_net.kind=conv", "feature_net.hidden=[]"])
    assert message.startswith("feature_net.hidden: ")


def test_file_holds_differences_only(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("seed: 7\nsegmenter:\n  width: 8\nfeature_net: {hidden: [5, 6]}\n")
    expected = dataclasses.replace(
        Config(),
        seed=7,
        segmenter=dataclasses.replace(Config().segmenter, width=8),
        feature_net=dataclasses.replace(Config().feature_net, hidden=(5, 6)),
    )
    assert load_config(path) == expected
    assert isinstance(load_config(path).feature_net.hidden, tuple)


def test_empty_file_is_the_defaults(tmp_path):
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert load_config(tmp_path / "empty.yaml") == Config()


def test_overrides_go_over_the_file_and_the_last_one_wins(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("segmenter: {width: 8, depth: 2}\n")
    overrides = ["segmenter.width=4", "segmenter.width=5", "data=/a=b"]
    config = load_config(path, overrides)
    assert (config.segmenter.width, config.segmenter.depth) == (5, 2)
    assert config.data == "/a=b"
    reversed_ = load_config(path, overrides[1::-1])
    assert reversed_.segmenter.width == 4


def test_base_in_place_of_the_defaults():
    base = Config(seed=3, segments=5)
    assert load_config(overrides=["seed=4"], base=base) == Config(seed=4, segments=5)
    assert base.seed == 3


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("sede", "seed"),
        ("segmenter.wdth", "segmenter.width"),
        ("wdth", "segmenter.width"),
        ("hiden", "feature_net.hidden"),
        ("segmenters.width", None),
        ("segment", "segments"),
        ("cirs.alpha1", "cirs.alpha_1"),
        ("training.epoch", "training.epochs"),
        ("epochs", "training.epochs"),
        ("learning_rate", "training.learning_rate"),
        ("zzzzzz", None),
    ],
)
def test_unknown_key_names_the_nearest(tmp_path, key, nearest):
    message = refused(overrides=[f"{key}=1"])
    assert message.startswith("--set: unknown key ")
    if nearest:
        assert message.endswith(f"{key!r} of method 'cirs'; did you mean {nearest!r}?")
    path = tmp_path / "mine.yaml"
    nested = "1"
    for part in reversed(key.split(".")):
        nested = f"{{{part}: {nested}}}"
    path.write_text(nested)
    assert refused(path) == message.replace("--set", str(path))


def test_nothing_is_suggested_for_what_is_near_nothing():
    message = refused(overrides=["zzzzzz=1"])
    assert message == "--set: unknown key 'zzzzzz' of method 'cirs'"


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("seed=abc", "seed"),
        ("seed=1.5", "seed"),
        ("seed=true", "seed"),
        ("seed=", "seed"),
        ("training.epochs=null", "training.epochs"),
        ("training.learning_rate=fast", "training.learning_rate"),
        ("feature_net.hidden=8", "feature_net.hidden"),
        ("segmenter.width=[1]", "segmenter.width"),
        ("segmenter=3", "SegmenterConfig"),
        ("segmenter=null", "segmenter"),
    ],
)
def test_value_of_another_type(override, key):
    message = refused(overrides=[override])
    assert message.startswith("--set: ")
    assert key in message


@pytest.mark.parametrize(
    "override",
    ["seed", "seed=[1", "seed=${x}", "feature_net.hidden[0]=3", "=3"]
    + ["seed=!!int ''", "seed=!!timestamp x", "seed=" + 400 * "[" + 400 * "]"]
    + ["seed=0x" + 5000 * "f"],
)
def test_override_that_is_none(override):
    assert refused(overrides=[override]).startswith("--set")


@pytest.mark.parametrize(
    "content",
    [
        b"42\n",
        b"true\n",
        b"- 1\n",
        b"hello\n",
        b"a: [1",
        b"\xff\xfe\x80",
        b"\x00",
        b"seed: 1\nseed: 2\n",
        b"null: 4\n",
        b"seed: !!int ''\n",
        b"seed: !!timestamp x\n",
        b"seed: ${x}\n",
        b"seed: 0x" + 5000 * b"f",
        b"seed: " + 300 * b"[" + 300 * b"]",
    ],
)
def test_file_that_is_no_mapping_is_named(tmp_path, content):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    assert refused(path).startswith(f"{path}: ")


def test_a_reference_to_nothing_is_the_file_s_fault_also_beside_overrides(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("seed: ${x}")
    assert refused(path, ["segments=5"]).startswith(f"{path}: seed: ")


def test_file_or_name_that_does_not_exist(tmp_path):
    path = tmp_path / "none.yaml"
    assert refused(path) == f"{path}: no such file"
    assert refused("circ") == "config 'circ': no such name; did you mean 'cirs'?"
    assert "did you mean 'thesis/cirs_balanced'" in refused("thesis/cirs_balancd")
    message = refused("zzzzzzzz")
    assert all(name in message for name in installed_configs())


OTHER = load_config(
    overrides=[
        "seed=3",
        "data=/some/where",
        "feature_net.hidden=[3]",
        "training.decay_steps=7",
        "training.deterministic=false",
        "cirs.schedule=alternating",
    ]
)


@pytest.mark.parametrize("config", [Config(), OTHER], ids=["defaults", "other"])
def test_written_and_read_again(tmp_path, config):
    save_config(config, tmp_path / "config.yaml")
    assert load_config(tmp_path / "config.yaml") == config
    plain = json.loads(json.dumps(dataclasses.asdict(config)))  # tuples as lists
    assert yaml.safe_load(to_yaml(config)) == plain


def test_loaded_configuration_is_frozen():
    config = load_config(overrides=["seed=1"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.segmenter.width = 2
    assert hash(config) == hash(load_config(overrides=["seed=1"]))


def test_flat_form():
    flat = flatten(Config())
    assert flat["segmenter.width"] == 16
    assert flat["feature_net.hidden"] == "256,64"
    assert flat["training.steps_per_epoch"] is None
    assert not any(dataclasses.is_dataclass(value) for value in flat.values())
    in_yaml = [line for line in to_yaml(Config()).splitlines() if ":" in line]
    sections = [line for line in in_yaml if line.endswith(":") and "hidden" not in line]
    assert len(flat) == len(in_yaml) - len(sections)


FILES = sorted(config_folder().rglob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_that_comes_with_the_package(path):
    name = str(path.relative_to(config_folder()).with_suffix(""))
    assert name in installed_configs()
    assert find_config(name) == path
    assert load_config(name) == load_config(path)
    # Differences from the defaults only; `method` says whose file it is.
    method = METHODS[load_config(path).method]
    defaults = dataclasses.asdict(method.config_class())
    for key, value in yaml.safe_load(path.read_text()).items():
        for inner in value if isinstance(value, dict) else ():
            assert value[inner] != defaults[key][inner], f"{key}.{inner} is the default"
        assert isinstance(value, dict) or key == "method" or value != defaults[key]


HEADER = ("Purpose", "Source", "Needs", "Cost", "Expect", "Command")


def header_of(path):
    """Return the entries of a file's header by name, lines joined."""
    lines = itertools.takewhile(
        lambda line: line[:1] == "#", path.read_text().splitlines()
    )
    entries, name = {}, "title"
    for line in lines:
        if line[2:3].strip():
            name, _, text = line[2:].partition(" ") if entries else ("title", "", line)
            entries[name] = text.strip()
        else:
            entries[name] += " " + line[1:].strip()
    return entries


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_header_of_a_file_says_what_to_expect_at_which_cost(path):
    header = header_of(path)
    assert [name for name in header if name in HEADER] == list(HEADER)
    assert all(header.values())
    measured = re.search(r"(?:minutes .*two cores|not measured)", header["Cost"])
    assert measured, header["Cost"]
    assert re.search(r"mIoU (?:0\.\d{3}|not measured)|no mIoU", header["Expect"])
    # A figure names where it is from, and it is there.
    for figure in re.findall(r"mIoU (0\.\d{3})", header["Expect"]):
        (source,) = set(re.findall(r"[\w/]+\.md", header["Expect"]))
        assert figure in (ROOT / source).read_text()
    for figure in re.findall(r"(\d+\.\d) minutes", header["Cost"]):
        (source,) = set(re.findall(r"[\w/]+\.md", header["Cost"]))
        assert figure in (ROOT / source).read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_header_of_a_file_has_a_command_that_runs_it(path):
    lines = itertools.takewhile(
        lambda line: line[:1] == "#", path.read_text().splitlines()
    )
    header = " ".join(line.lstrip("# ").strip() for line in lines)
    assert "Command " in header
    named = re.findall(r"--(?:config|model)[ =](\S+)", header.split("Command ")[1])
    assert named, "no --config or --model in the header's command"
    for name in named:
        find_config(name)
    assert str(path.relative_to(config_folder()).with_suffix("")) in named
    for override in re.findall(r"--set (\S+=\S+)", header):
        load_config(path, [override])
