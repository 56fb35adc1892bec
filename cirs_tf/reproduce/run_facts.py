"""What was run for a row of the results: configuration, settings, length, time."""

import math

from cirs_tf.config.sections import Config
from cirs_tf.data.manifest import Manifest
from cirs_tf.reproduce.plan import Plan, settings_of, start_settings
from cirs_tf.reproduce.scores import seed_statistics
from cirs_tf.runs.queue import PlannedRun
from cirs_tf.training.run_folder import RunFolder


def run_facts(plan: Plan, system: str) -> dict:
    """Return what was run for one system.

    Args:
        plan: Its runs are finished.
        system: Name of a system that has runs.

    Returns:
        `title`, `config`, `settings` (overrides), `seeds`, `epochs`, `mini_batches`
        (of training, without pretraining; 0 for a method that trains nothing),
        `batch_size`, `seconds` (statistics over
        seeds), `thesis` (its figure or None), `remark`, `version` (of this package, of
        the first run).
    """
    runs, row = plan.runs_of(system), plan.experiments.systems[system]
    config, source = runs[0].config, row.starts_from
    trained = training_seconds(runs[0]) > 0
    return {
        "title": row.title,
        "config": row.config,
        "settings": [
            *settings_of(plan.experiments, system, plan.budget),
            *(start_settings(f"EXPORT_OF_{source}") if source else ()),
        ],
        "seeds": [run.config.seed for run in runs],
        "epochs": config.training.epochs if trained else 0,
        "mini_batches": config.training.epochs * steps_per_epoch(config) * trained,
        "batch_size": config.training.batch_size,
        "seconds": seed_statistics([training_seconds(run) for run in runs]),
        "thesis": row.thesis,
        "remark": row.remark,
        "version": RunFolder.open(runs[0].folder).read_versions().get("cirs-tf"),
    }


def steps_per_epoch(config: Config) -> int:
    """Return the mini-batches per epoch of a run: one pass where none are set."""
    options = config.training
    images = Manifest.read(config.data).split("train").examples
    return options.steps_per_epoch or math.ceil(images / options.batch_size)


def training_seconds(planned: PlannedRun) -> float:
    """Return the seconds of a run's mini-batches, without pretraining and validation.

    sum over epochs of images per epoch / images per second; 0 where none was trained
    """
    images = steps_per_epoch(planned.config) * planned.config.training.batch_size
    rows = RunFolder.open(planned.folder).read_metrics()
    speeds = [row["images_per_second"] for row in rows]
    return sum(images / speed for speed in speeds if speed)
