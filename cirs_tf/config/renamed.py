"""Keys of version 0.1.0, and what became of them."""

from collections.abc import Mapping
from typing import Any

# Old key to the new one.
RENAMED = {
    "cirs.start": "pretraining.pseudo_labels",
    "cirs.start_steps": "pretraining.steps",
    "cirs.feature_start_steps": "cirs.feature_net_pretraining_steps",
    "cirs_aligned.outside": "cirs_aligned.out_of_support_cost",
    "cirs_aligned.behind": "cirs_aligned.occlusion_penalty",
    "cirs_aligned.assignment_weight": "cirs_aligned.pseudo_label_weight",
    "cirs_aligned.difference": "background.threshold",
    "cirs_aligned.start_images": "pretraining.images",
    "cirs_aligned.start_steps": "pretraining.steps",
    "cirs_aligned.start_pose_steps": "cirs_aligned.pose_pretraining_steps",
    "cirs_aligned.start_learning_rate": "pretraining.learning_rate",
    "cirs_aligned.held_steps": "cirs_aligned.template_freeze_steps",
    "cut_and_paste.members": "cut_and_paste.patches_per_class",
    "cut_and_paste.difference": "background.threshold",
    "cut_and_paste.start_images": "cut_and_paste.source_images",
    "cirs_plus.assignment_weight": "cirs_plus.pseudo_label_weight",
}
# Sections that a method of 0.1.0 read beside its own and the shared ones.
_READ = {"cirs": {"cirs_aligned"}, "cirs_plus": {"cirs", "cirs_aligned", "air"}}
_SHARED = {"segmenter", "feature_net", "training"}
_BORROWED = {
    "cirs_plus": {
        "air.hidden": "cirs_plus.hidden",
        "air.bottleneck": "cirs_plus.bottleneck",
        "air.dropout": "cirs_plus.dropout",
        "air.norm": "cirs_plus.norm",
        "cirs.alpha_1": "cirs_plus.alpha_1",
        "cirs.alpha_2": "cirs_plus.alpha_2",
    },
}
_VALUES = {
    "area_normalised": "area_normalized",
    "colours": "colors",
    "one": "single",
    "shift_flip_turn": "shift_flip_rotate",
}
# Only 0.1.0 wrote the sections of all methods into every run folder.
_ALL_SECTIONS = {"cirs", "air", "wnet", "iic"}


def is_from_0_1(document: Mapping[str, Any]) -> bool:
    """Return whether a `config.yaml` was written by version 0.1.0."""
    return _ALL_SECTIONS <= document.keys()


def migrate_from_0_1(document: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    """Return the settings of a 0.1.0 run by their present keys.

    Settings of other methods, which that version wrote too, are left out.

    Args:
        document: The content of `config.yaml`.
        known: Every key that the run's method has now.

    Returns:
        Present dotted key to value.
    """
    method = document["method"]
    names = {**RENAMED, **_BORROWED.get(method, {})}
    read = {method} | _SHARED | _READ.get(method, set())
    settings: dict[str, Any] = {}
    for name, value in document.items():
        entries = value.items() if isinstance(value, Mapping) else [(None, value)]
        if isinstance(value, Mapping) and name not in read:
            continue
        for entry, content in entries:
            old = name if entry is None else f"{name}.{entry}"
            key = names.get(old, old)
            if key not in known:
                continue
            if key == "background.threshold" and name == "cut_and_paste":
                content /= 4  # its unit was four times the squared distance
            if isinstance(content, str):
                content = _VALUES.get(content, content)
            # `cirs.start_steps` and `cirs_aligned.start_steps` have one name now.
            if key not in settings or name == method:
                settings[key] = content
    return settings
