"""Results of one call beside those that earlier calls have left in its folder."""

import json
from pathlib import Path

from cirs_tf.reproduce.experiments import Experiments
from cirs_tf.reproduce.scores import seed_statistics

# What two results of a system must share to be of the same runs.
_SAME = ("config", "settings", "epochs", "mini_batches", "batch_size", "version")


def with_earlier(path: Path, results: dict, experiments: Experiments) -> dict:
    """Return results beside those that other targets have left in the same folder.

    Args:
        path: `results.json`, perhaps of an earlier call.
        results: Of this call; its targets and systems replace earlier ones. A system
            that ran before in the same way keeps its other seeds.
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
        name: _with_other_seeds(earlier["systems"].get(name), facts)
        for name, facts in results["systems"].items()
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


def _with_other_seeds(earlier: dict | None, facts: dict) -> dict:
    """Return a system's facts and scores, with the seeds that it had before, too."""
    if earlier is None or any(earlier.get(key) != facts.get(key) for key in _SAME):
        return facts
    before, now = earlier["seeds"], facts["seeds"]
    joined = _joined(earlier, facts, before, now)
    return joined | {"seeds": sorted({*before, *now})}


def _joined(earlier: dict, facts: dict, before: list[int], now: list[int]) -> dict:
    """Return nested facts whose statistics are over the seeds of both."""
    if "values" in facts:
        values = dict(zip(before, earlier["values"], strict=True))
        values |= zip(now, facts["values"], strict=True)
        return seed_statistics([values[seed] for seed in sorted(values)])
    return {
        key: _joined(earlier[key], value, before, now)
        if isinstance(value, dict)
        else value
        for key, value in facts.items()
    }
