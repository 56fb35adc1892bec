"""Configuration: defaults, files of differences, overrides and every check."""

import dataclasses
import itertools
import json
import re

import pytest
import yaml
from cirs_tf.config_files import (
    config_folder,
    find_config,
    installed_configs,
    load_config,
    save_config,
    to_yaml,
)

from cirs_tf.config import Config, SegmenterConfig, flatten
from cirs_tf.errors import ConfigError

CHECKS = [
    # (bad override, good override at the edge, what the message expects)
    ("method=magic", "method=cirs", "one of cirs"),
    ("segments=1", "segments=2", "2 to 255"),
    ("segments=256", "segments=255", "2 to 255"),
    ("seed=-1", "seed=0", "0 to 2"),
    ("seed=2147483648", "seed=2147483647", "0 to 2"),
    ("segmenter.width=0", "segmenter.width=1", "at least 1"),
    ("segmenter.depth=0", "segmenter.depth=1", "1 to 6"),
    ("segmenter.depth=7", "segmenter.depth=6", "1 to 6"),
    ("segmenter.norm=group", "segmenter.norm=none", "none, batch, layer"),
    ("segmenter.dropout=1", "segmenter.dropout=0.99", r"\[0, 1\)"),
    ("segmenter.dropout=-0.1", "segmenter.dropout=0", r"\[0, 1\)"),
    ("segmenter.upsampling=no", "segmenter.upsampling=bilinear", "transposed, bil"),
    ("feature_net.kind=rnn", "feature_net.kind=conv", "dense, conv"),
    ("feature_net.hidden=[8,0]", "feature_net.hidden=[]", "at least 1"),
    ("feature_net.features=0", "feature_net.features=1", "at least 1"),
    ("feature_net.norm=group", "feature_net.norm=layer", "none, batch, layer"),
    ("feature_net.dropout=1", "feature_net.dropout=0", r"\[0, 1\)"),
    (
        "feature_net.segment_number=on",
        "feature_net.segment_number=one_hot",
        "off, scalar, one_hot",
    ),
    ("feature_net.output=tanh", "feature_net.output=l2", "none, l2, batch_norm"),
    ("cirs.alpha_1=-1", "cirs.alpha_1=0", "at least 0"),
    ("cirs.alpha_1=.nan", "cirs.alpha_1=0.5", "at least 0"),
    ("cirs.alpha_1=.inf", "cirs.alpha_1=1e9", "finite"),
    ("training.learning_rate=.inf", "training.learning_rate=1", "finite"),
    ("cirs.alpha_2=-0.1", "cirs.alpha_2=0", "at least 0"),
    ("cirs.schedule=random", "cirs.schedule=alternating", "joint, alternating"),
    ("cirs.segmenter_steps=0", "cirs.segmenter_steps=1", "at least 1"),
    ("cirs.feature_net_steps=0", "cirs.feature_net_steps=1", "at least 1"),
    ("cirs.augmentation=crop", "cirs.augmentation=shift_flip_turn", "none, shift_fl"),
    ("cirs.usage_weight=-1", "cirs.usage_weight=0.5", "at least 0"),
    ("cirs.usage_floor=0", "cirs.usage_floor=0.1", r"\(0, 1\)"),
    ("cirs.usage_of=pixels", "cirs.usage_of=masks", "probabilities, masks"),
    ("cirs.feature_learning_rate=0", "cirs.feature_learning_rate=1e-4", "> 0"),
    ("cirs.reset_every=-1", "cirs.reset_every=1", "at least 0"),
    ("cirs.start=random", "cirs.start=components", "none, components, colors"),
    ("cirs.start_steps=-1", "cirs.start_steps=0", "at least 0"),
    ("cirs.feature_start_steps=-1", "cirs.feature_start_steps=1", "at least 0"),
    ("feature_net.input=mask", "feature_net.input=pooled", "image, pooled, area_norm"),
    ("feature_net.cells=0", "feature_net.cells=1", "at least 1"),
    ("air.hidden=[8,0]", "air.hidden=[]", "at least 1"),
    ("air.bottleneck=0", "air.bottleneck=1", "at least 1"),
    ("air.dropout=1", "air.dropout=0", r"\[0, 1\)"),
    ("air.norm=group", "air.norm=layer", "none, batch, layer"),
    ("air.error=each", "air.error=per_segment", "combined, per_segment"),
    ("air.usage_weight=-1", "air.usage_weight=0.5", "at least 0"),
    ("air.usage_floor=0", "air.usage_floor=0.1", r"\(0, 1\)"),
    ("air.kl_weight=-1", "air.kl_weight=0", "at least 0"),
    ("air.kl_weight=.inf", "air.kl_weight=1e9", "finite"),
    ("air.kl_weight=.nan", "air.kl_weight=0.5", "at least 0"),
    ("air.schedule=random", "air.schedule=alternating", "joint, alternating"),
    ("air.segmenter_steps=0", "air.segmenter_steps=1", "at least 1"),
    ("air.autoencoder_steps=0", "air.autoencoder_steps=1", "at least 1"),
    ("segmenter.convolution=1d", "segmenter.convolution=depthwise_first", "plain"),
    ("feature_net.norm=instance", "feature_net.norm=none", "none, batch, layer"),
    ("wnet.radius=0", "wnet.radius=1.5", "> 0"),
    ("wnet.sigma_intensity=0", "wnet.sigma_intensity=3", "> 0"),
    ("wnet.sigma_position=.inf", "wnet.sigma_position=1", "finite"),
    ("wnet.reconstruction=l1", "wnet.reconstruction=bce", "mse, bce"),
    ("wnet.schedule=random", "wnet.schedule=joint", "joint, alternating"),
    ("iic.width=0", "iic.width=1", "at least 1"),
    ("iic.over_clustering=0", "iic.over_clustering=1", "at least 1"),
    ("iic.reach=-1", "iic.reach=0", "at least 0"),
    ("iic.jitter=1", "iic.jitter=0", r"\[0, 1\)"),
    ("cirs_aligned.canvas=1", "cirs_aligned.canvas=0.99", r"\(0, 1\)"),
    ("cirs_aligned.usage_floor=0", "cirs_aligned.usage_floor=0.1", r"\(0, 1\)"),
    ("cirs_aligned.outside=0", "cirs_aligned.outside=1", "> 0"),
    ("cirs_aligned.difference=0", "cirs_aligned.difference=1", "> 0"),
    ("cirs_aligned.held_steps=-1", "cirs_aligned.held_steps=0", "at least 0"),
    (
        "cirs_aligned.start_learning_rate=0",
        "cirs_aligned.start_learning_rate=1",
        "> 0",
    ),
    (
        "cirs_aligned.assignment_weight=-1",
        "cirs_aligned.assignment_weight=0",
        "at least 0",
    ),
    ("cut_and_paste.canvas=1", "cut_and_paste.canvas=0.5", r"\(0, 1\)"),
    ("cut_and_paste.difference=0", "cut_and_paste.difference=1", "> 0"),
    ("cut_and_paste.members=0", "cut_and_paste.members=1", "at least 1"),
    ("cut_and_paste.start_images=1", "cut_and_paste.start_images=2", "at least 2"),
    ("cirs_plus.cirs_weight=-1", "cirs_plus.cirs_weight=0", "at least 0"),
    ("cirs_plus.assignment_weight=-1", "cirs_plus.assignment_weight=0", "at least 0"),
    ("cirs_plus.usage_weight=-1", "cirs_plus.usage_weight=0", "at least 0"),
    ("cirs_plus.usage_floor=1", "cirs_plus.usage_floor=0.1", r"\(0, 1\)"),
    ("cirs_aligned.behind=-1", "cirs_aligned.behind=0", "at least 0"),
    ("cirs_aligned.outline_weight=-1", "cirs_aligned.outline_weight=0", "at least 0"),
    ("cirs_aligned.pose_weight=-1", "cirs_aligned.pose_weight=0", "at least 0"),
    ("cirs_aligned.usage_weight=-1", "cirs_aligned.usage_weight=0", "at least 0"),
    ("cirs_aligned.start_images=1", "cirs_aligned.start_images=2", "at least 2"),
    ("cirs_aligned.start_steps=-1", "cirs_aligned.start_steps=0", "at least 0"),
    ("cirs_aligned.start_pose_steps=-1", "cirs_aligned.start_pose_steps=0", "at least"),
    ("training.decay_steps=0", "training.decay_steps=1", "at least 1"),
    ("autoencoder.hidden=[0]", "autoencoder.hidden=[1]", "at least 1"),
    ("autoencoder.bottleneck=0", "autoencoder.bottleneck=1", "at least 1"),
    ("autoencoder.dropout=1", "autoencoder.dropout=0", r"\[0, 1\)"),
    ("training.epochs=0", "training.epochs=1", "at least 1"),
    ("training.steps_per_epoch=0", "training.steps_per_epoch=null", "at least 1"),
    ("training.batch_size=1", "training.batch_size=2", "2 or more"),
    ("training.learning_rate=0", "training.learning_rate=1e-9", "> 0"),
    ("training.strategy=tpu", "training.strategy=multi_worker", "auto, one, mirr"),
    ("training.logical_cpus=0", "training.logical_cpus=2", "at least 1"),
    ("training.checkpoints_kept=0", "training.checkpoints_kept=1", "at least 1"),
    ("training.log_every=0", "training.log_every=1", "at least 1"),
    ("training.validation_images=0", "training.validation_images=1", "at least 1"),
    ("training.selection=test", "training.selection=oracle", "loss, oracle"),
]


# A folder, and switches of two positions.
NO_RANGE = {
    "data",
    "segmenter.relu_logits",
    "cirs.freeze_feature_net",
    "cut_and_paste.overlap",
    "air.remask_gradient",
    "air.variational",
    "wnet.xla",
    "iic.flip",
    "training.validation_masks",
}


def refused(*arguments, **keywords) -> str:
    """Load, and return the one line in which it is refused."""
    with pytest.raises(ConfigError) as caught:
        load_config(*arguments, **keywords)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_defaults_are_valid():
    assert load_config() == Config()


@pytest.mark.parametrize(("bad", "good", "expected"), CHECKS)
def test_range_checks(bad, good, expected):
    key, value = bad.split("=")
    message = refused(overrides=[bad])
    assert re.search(rf"^{re.escape(key)}: expected .*{expected}.*, got ", message)
    load_config(overrides=[good])


def test_every_key_has_a_range_check_or_needs_none():
    checked = {bad.split("=")[0] for bad, _, _ in CHECKS}
    assert set(flatten(Config())) - checked == NO_RANGE


def test_convolutional_feature_net_needs_a_hidden_layer():
    message = refused(overrides=["feature_net.kind=conv", "feature_net.hidden=[]"])
    assert message.startswith("feature_net.hidden: ")


def test_checks_hold_outside_files_too():
    with pytest.raises(
        ConfigError, match="segmenter.width: expected at least 1, got 0"
    ):
        SegmenterConfig(width=0)
    with pytest.raises(ConfigError, match="segmenter.width"):
        dataclasses.replace(SegmenterConfig(), width=0)


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
        ("bottlenek", "air.bottleneck"),
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
        assert message.endswith(f"{key!r}; did you mean {nearest!r}?")
    path = tmp_path / "mine.yaml"
    nested = "1"
    for part in reversed(key.split(".")):
        nested = f"{{{part}: {nested}}}"
    path.write_text(nested)
    assert refused(path) == message.replace("--set", str(path))


def test_nothing_is_suggested_for_what_is_near_nothing():
    assert refused(overrides=["zzzzzz=1"]) == "--set: unknown key 'zzzzzz'"


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
    "override", ["seed", "seed=[1", "seed=${x}", "feature_net.hidden[0]=3", "=3"]
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
    ],
)
def test_file_that_is_no_mapping_is_named(tmp_path, content):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    assert refused(path).startswith(f"{path}: ")


def test_file_or_name_that_does_not_exist(tmp_path):
    path = tmp_path / "none.yaml"
    assert refused(path) == f"{path}: no such file"
    assert refused("circ") == "config 'circ': no such name; did you mean 'cirs'?"
    assert "did you mean 'thesis/cirs_balanced'" in refused("thesis/cirs_balancd")
    message = refused("zzzzzzzz")
    assert all(name in message for name in installed_configs())


OTHER = load_config(
    overrides=[good for _, good, _ in CHECKS if good != "feature_net.hidden=[]"]
    + ["data=/some/where", "feature_net.hidden=[3]"]
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
    defaults = dataclasses.asdict(Config())
    for key, value in yaml.safe_load(path.read_text()).items():
        for inner in value if isinstance(value, dict) else ():
            assert value[inner] != defaults[key][inner], f"{key}.{inner} is the default"
        assert isinstance(value, dict) or key == "method" or value != defaults[key]


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
