"""Settings of version 0.1.0: errors with the new name, runs translated."""

import pytest

from cirs_tf.config.renamed import RENAMED, is_from_0_1, migrate_from_0_1
from cirs_tf.config.settings import flatten
from cirs_tf.errors import ConfigError
from cirs_tf.methods.registry import METHODS, load_config

KEYS = {name: set(flatten(entry.config_class())) for name, entry in METHODS.items()}


@pytest.mark.parametrize("old", RENAMED)
def test_an_old_key_says_its_new_name(old):
    method = old.partition(".")[0]
    assert RENAMED[old] in KEYS[method]
    with pytest.raises(ConfigError) as caught:
        load_config(method, [f"{old}=1"])
    assert str(caught.value) == f"--set: {old!r} is now called {RENAMED[old]!r}"


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("training.strategy", "one", "single"),
        ("cirs.augmentation", "shift_flip_turn", "shift_flip_rotate"),
        ("feature_net.input", "area_normalised", "area_normalized"),
        ("pretraining.pseudo_labels", "colours", "colors"),
    ],
)
def test_an_old_value_says_its_new_name(key, old, new):
    with pytest.raises(ConfigError) as caught:
        load_config("cirs", [f"{key}={old}"])
    assert str(caught.value) == f"{key}: {old!r} is now called {new!r}"


def document(method, **sections):
    """Return a config.yaml as 0.1.0 wrote it, with a few settings."""
    every = {"cirs": {}, "cirs_aligned": {}, "air": {}, "wnet": {}, "iic": {}}
    return {"method": method, "segments": 4, **every, **sections}


def test_only_the_earlier_version_stored_every_method():
    assert is_from_0_1(document("cirs"))
    assert not is_from_0_1({"method": "cirs", "cirs": {}})


def test_settings_that_a_method_borrowed_are_its_own_now():
    old = document(
        "cirs_plus",
        cirs={"start": "colours", "start_steps": 7, "alpha_1": 3.0},
        cirs_aligned={"start_steps": 9, "start_images": 11, "difference": 0.5},
        air={"hidden": [8], "dropout": 0.1, "error": "combined"},
        wnet={"radius": 1.0},
        training={"strategy": "one"},
    )
    assert migrate_from_0_1(old, KEYS["cirs_plus"]) == {
        "method": "cirs_plus",
        "segments": 4,
        "pretraining.pseudo_labels": "colors",
        "pretraining.steps": 7,
        "pretraining.images": 11,
        "background.threshold": 0.5,
        "cirs_plus.alpha_1": 3.0,
        "cirs_plus.hidden": [8],
        "cirs_plus.dropout": 0.1,
        "training.strategy": "single",
    }


def test_the_threshold_of_cut_and_paste_has_another_unit_now():
    old = document("cut_and_paste", cut_and_paste={"difference": 0.02, "members": 3})
    settings = migrate_from_0_1(old, KEYS["cut_and_paste"])
    assert settings["background.threshold"] == pytest.approx(0.005)
    assert settings["cut_and_paste.patches_per_class"] == 3
