"""What was run for a row of the results: configuration, settings, length, time."""

from cirs_tf.data.manifest import Manifest
from cirs_tf.reproduce.plan import Plan, settings_of, start_settings
from cirs_tf.reproduce.scores import seed_statistics
from cirs_tf.runs.cost import steps_per_epoch, training_seconds
from cirs_tf.training.run_folder import RunFolder


def row_facts(plan: Plan, system: str) -> dict:
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
    folders = [RunFolder.open(run.folder) for run in runs]
    seconds = [
        training_seconds(folder, run.config)
        for folder, run in zip(folders, runs, strict=True)
    ]
    steps = steps_per_epoch(config, Manifest.read(config.data))
    trained = seconds[0] > 0
    return {
        "title": row.title,
        "config": row.config,
        "settings": [
            *settings_of(plan.experiments, system, plan.budget),
            *(start_settings(f"EXPORT_OF_{source}") if source else ()),
        ],
        "seeds": [run.config.seed for run in runs],
        "epochs": config.training.epochs if trained else 0,
        "mini_batches": config.training.epochs * steps * trained,
        "batch_size": config.training.batch_size,
        "seconds": seed_statistics(seconds),
        "thesis": row.thesis,
        "remark": row.remark,
        "version": folders[0].read_versions().get("cirs-tf"),
    }
