"""Every number of the results, from finished runs, as one JSON object."""

import platform
from importlib import metadata

from cirs_tf.reproduce.autoencoder_scores import autoencoder_scores
from cirs_tf.reproduce.baseline_scores import baseline_scores, benchmark_set_scores
from cirs_tf.reproduce.class_scores import class_scores
from cirs_tf.reproduce.experiments import Target
from cirs_tf.reproduce.plan import Plan
from cirs_tf.reproduce.postprocessing_scores import (
    photograph_scores,
    postprocessing_scores,
)
from cirs_tf.reproduce.proof_scores import proof_scores
from cirs_tf.reproduce.row_facts import row_facts
from cirs_tf.reproduce.scores import evaluate_once, metric_statistics
from cirs_tf.reproduce.selection_scores import selection_scores

_PACKAGES = ("tensorflow-cpu", "tensorflow", "keras", "numpy", "cirs-tf")


def collect_scores(plan: Plan) -> dict:
    """Gather the numbers of the plan's targets.

    Args:
        plan: Its runs are finished.

    Returns:
        What `results.json` holds: what was made and where, `systems` (every segmenter's
        facts and scores, by name), and what each table has besides, by its kind; of
        kind `classes`, by target.
    """
    results = {
        "targets": list(plan.targets),
        "budget": plan.budget_name,
        "budget_meaning": plan.budget.meaning,
        "seeds": list(plan.seeds),
        "machine": _versions(),
        "systems": {
            name: segmenter_scores(plan, name)
            for name in plan.systems
            if plan.experiments.is_segmenter(name)
        },
    }
    for name in plan.targets:
        target = plan.experiments.targets[name]
        if target.table == "classes":
            results.setdefault("classes", {})[name] = class_scores(plan, target)
        elif scores := _table_scores(plan, target):
            results[target.table] = scores
    return results


def segmenter_scores(plan: Plan, system: str) -> dict:
    """Return the facts of one system's runs, and its scores by protocol.

    Args:
        plan: Its runs are finished.
        system: Name of a segmenter.

    Returns:
        `row_facts`; `label_free` and `oracle`: statistics of `miou` and `miou_thesis`
        over seeds.
    """
    evaluations = [evaluate_once(run).scores for run in plan.runs_of(system)]
    return row_facts(plan, system) | {
        protocol: metric_statistics(
            [scores["by_checkpoint"][checkpoint] for scores in evaluations]
        )
        for protocol, checkpoint in (("label_free", "loss"), ("oracle", "oracle"))
    }


def _table_scores(plan: Plan, target: Target) -> dict | None:
    """Return what a target's table needs besides the scores of segmenters."""
    match target.table:
        case "autoencoders":
            return autoencoder_scores(plan, target.systems)
        case "baselines":
            return baseline_scores(plan)
        case "benchmark_sets":
            return benchmark_set_scores(plan)
        case "photographs":
            return photograph_scores(plan, *target.systems)
        case "postprocessing":
            return postprocessing_scores(plan, *target.systems)
        case "proof":
            return proof_scores()
        case "selection":
            return selection_scores(plan, target.systems)
    return None


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
