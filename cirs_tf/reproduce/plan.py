"""Which runs the results need, and with which settings at which budget."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from cirs_tf.config_files import load_config
from cirs_tf.reproduce.systems import (
    HARDER,
    HARDER_METHODS,
    SYSTEMS,
    TARGETS,
    harder_system,
)
from cirs_tf.runs.queue import Run

# Regions of fewer pixels are merged; BSDS500's whole images are a `val` split.
MERGED_BELOW = {"test": 16, "val": 100}


@dataclasses.dataclass(frozen=True)
class Budget:
    """How large and long runs are.

    Attributes:
        meaning: For help and results.
        overrides: Method to settings; `` is for all.
        lengths: System to epochs and mini-batches an epoch (None: one pass); a system
            that is not there keeps its configuration's.
    """

    meaning: str
    overrides: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    lengths: dict[str, tuple[int, int | None]] = dataclasses.field(default_factory=dict)

    def settings(self, name: str) -> tuple[str, ...]:
        """Return the overrides of one system."""
        method = load_config(SYSTEMS[name].config).method
        settings = [*self.overrides.get("", ()), *self.overrides.get(method, ())]
        if name in self.lengths:
            epochs, steps = self.lengths[name]
            settings.append(f"training.epochs={epochs}")
            if steps is not None:
                settings.append(f"training.steps_per_epoch={steps}")
        return tuple(settings)


# Their rate falls over a length of their own.
_OWN_LENGTH = ("cirs_aligned", "cirs_plus", "cut_and_paste", "supervised")
_TINY = ("segmenter.width=2", "segmenter.depth=1")
_SMALL = ("segmenter.width=8", "training.validation_images=500")

BUDGETS = {
    "smoke": Budget(
        "shows that everything runs, in about a minute; its figures mean nothing",
        {
            "": ("training.batch_size=8", "training.strategy=one"),
            "cirs": (*_TINY, "feature_net.hidden=[8]", "feature_net.features=4"),
            "air": (*_TINY, "air.hidden=[8]"),
            "wnet": (*_TINY, "wnet.radius=2", "wnet.xla=false"),
            "iic": ("iic.width=1",),
            "autoencoder": ("autoencoder.hidden=[16,16,16]",),
            "supervised": _TINY,
            "cirs_plus": (*_TINY, "air.hidden=[8]", "cirs.start_steps=4"),
            "cut_and_paste": (*_TINY, "cut_and_paste.members=4"),
            "cirs_aligned": (
                *_TINY,
                "cirs_aligned.start_steps=4",
                "cirs_aligned.start_pose_steps=4",
            ),
        },
        {name: (2, 4) for name in SYSTEMS},
    ),
    "cpu": Budget(
        "at most 15 minutes a run on 2 CPU cores",
        {
            **dict.fromkeys(
                ("cirs", "cirs_aligned", "cirs_plus", "air", "wnet", "supervised"),
                _SMALL,
            ),
            "iic": ("iic.width=8", "training.validation_images=500"),
            "cut_and_paste": ("training.validation_images=500",),
        },
        {
            "cirs_balanced": (4, None),
            "cirs_imbalanced": (8, None),
            # An epoch is one cycle: 100 mini-batches for S, 5 for g.
            "cirs_segmenter_heavy": (10, 105),
            "wnet_thesis": (3, 100),
            "wnet_paper": (3, 150),
            "wnet_bsds": (3, 150),
            "air": (4, None),
            "air_per_segment": (4, None),
            "iic": (3, 150),
            **{
                name: (2, 100 if config == "iic" else 150)
                for config in HARDER_METHODS.values()
                if config not in _OWN_LENGTH
                for data in HARDER
                if (name := harder_system(config, data))
            },
        },
    ),
    "thesis": Budget(
        "170 epochs, batch 40, as in the thesis; resumable over days",
        lengths={
            name: (170, None)
            for name, system in SYSTEMS.items()
            if system.data.startswith(("fruit", "bsds"))
            and system.config not in _OWN_LENGTH
        },
    ),
}


def systems_of(targets: Iterable[str]) -> list[str]:
    """Return the systems that some targets need, each once, in the order of SYSTEMS."""
    needed = {name for target in targets for name in TARGETS[target]}
    return [name for name in SYSTEMS if name in needed]


def planned_runs(
    targets: Iterable[str],
    budget: str,
    seeds: Sequence[int],
    out: Path,
    data: dict[str, Path],
) -> list[Run]:
    """Return every run that the targets need, the first seed of all systems first.

    Args:
        targets: Keys of `TARGETS`.
        budget: Key of `BUDGETS`.
        seeds: Of the runs.
        out: Folder of all results; runs go to `out/runs/BUDGET/SYSTEM/seed-S`.
        data: Folder of each data set; systems whose data set is not there are left
            out.
    """
    runs = []
    for number, seed in enumerate(seeds):
        for name in systems_of(targets):
            system = SYSTEMS[name]
            if system.data not in data or number >= system.seeds:
                continue
            overrides = (
                *BUDGETS[budget].settings(name),
                *system.overrides,
                f"seed={seed}",
                f"data={data[system.data]}",
            )
            folder = out / "runs" / budget / name / f"seed-{seed}"
            runs.append(Run(name, seed, folder, system.config, overrides))
    return runs
