"""Every number of the results, from finished runs, as one JSON object."""

import json
import platform
from importlib import metadata
from pathlib import Path

from cirs_tf.reproduce.autoencoder_scores import autoencoder_scores
from cirs_tf.reproduce.baseline_scores import baseline_scores, benchmark_set_scores
from cirs_tf.reproduce.class_scores import class_scores
from cirs_tf.reproduce.experiments import Experiments, Target
from cirs_tf.reproduce.plan import Plan
from cirs_tf.reproduce.postprocessing_scores import (
    photograph_scores,
    postprocessing_scores,
)
from cirs_tf.reproduce.proof_scores import proof_scores
from cirs_tf.reproduce.run_facts import run_facts
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


def with_earlier(path: Path, results: dict, experiments: Experiments) -> dict:
    """Return results beside those that other targets have left in the same folder.

    Args:
        path: `results.json`, perhaps of an earlier call.
        results: Of this call; its targets and systems replace earlier ones, but for a
            system that ran before in the same way over these seeds and more.
        experiments: What there is; anything else is dropped.

    Returns:
        The results, with all that `path` has besides where the budget is the same; a
        target of which it lacks a system, as one that has got another row since, is
        dropped.
    """
    if not path.exists():
        return results
    earlier = json.loads(path.read_text())
    if earlier["budget"] != results["budget"]:
        return results
    made = {*earlier["targets"], *results["targets"]}
    systems = earlier["systems"] | {
        name: facts
        for name, facts in results["systems"].items()
        if not _has_more_seeds(earlier["systems"].get(name), facts)
    }
    known = [
        name
        for name, target in experiments.targets.items()
        if name in made
        and all(
            system in systems or not experiments.is_segmenter(system)
            for system in target.systems
        )
    ]
    shown = experiments.systems_of(known)
    return (
        earlier
        | results
        | {
            "targets": known,
            "seeds": sorted({*earlier["seeds"], *results["seeds"]}),
            "systems": {name: systems[name] for name in shown if name in systems},
            **{
                shared: earlier.get(shared, {}) | results.get(shared, {})
                for shared in ("figures", "classes")
                if shared in earlier or shared in results
            },
        }
    )


def segmenter_scores(plan: Plan, system: str) -> dict:
    """Return the facts of one system's runs, and its scores by protocol.

    Args:
        plan: Its runs are finished.
        system: Name of a segmenter.

    Returns:
        `run_facts`; `label_free` and `oracle`: statistics of `miou` and `miou_thesis`
        over seeds.
    """
    evaluations = [evaluate_once(run).scores for run in plan.runs_of(system)]
    return run_facts(plan, system) | {
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


# What two results of a system must share to be of the same runs.
_SAME = ("config", "settings", "epochs", "mini_batches", "batch_size", "version")


def _has_more_seeds(earlier: dict | None, facts: dict) -> bool:
    """Return whether earlier results are of the same runs and of others beside."""
    return (
        earlier is not None
        and all(earlier.get(key) == facts.get(key) for key in _SAME)
        and set(earlier.get("seeds", ())) > set(facts.get("seeds", ()))
    )
