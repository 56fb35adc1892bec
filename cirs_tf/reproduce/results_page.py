"""RESULTS.md: the sections of the template, filled with the numbers of the results."""

import re
import string
from collections.abc import Iterable, Mapping
from pathlib import Path

from cirs_tf.reproduce.autoencoder_table import autoencoder_values
from cirs_tf.reproduce.benchmark_sets import benchmark_set_values
from cirs_tf.reproduce.experiments import Experiments
from cirs_tf.reproduce.selection_table import selection_values
from cirs_tf.reproduce.tables import (
    Values,
    ablation_values,
    baseline_values,
    class_values,
    photograph_values,
    postprocessing_values,
    proof_values,
    run_table,
    segmenter_values,
)

TEMPLATE_FILE = Path(__file__).with_name("results_template.md")
_MARKER = re.compile(r"^<!-- (.*) -->\n", re.MULTILINE)


def results_page(experiments: Experiments, results: dict) -> str:
    """Return RESULTS.md.

    Args:
        experiments: Systems and targets.
        results: What `results.json` holds.
    """
    sections = read_template()
    page = [sections["introduction"].substitute(_introduction(results))]
    if left_out := results["left_out"]:
        lines = [sections["left out"].substitute(line=line) for line in left_out]
        page.append("".join(lines))
    described: set[str] = set()
    for name in results["targets"]:
        target = experiments.targets[name]
        if target.table:
            values = _table_values(experiments, results, name)
            page.append(sections[f"table {name}"].substitute(values))
        if target.table == "segmenters":
            page += _distances(sections, results, target.systems, described)
        if name in results["figures"]:
            page.append(_figure(sections, name, results["figures"][name]))
    if table := run_table(results):
        page.append(sections["what was run"].substitute(table=table))
    return "\n".join(part.rstrip("\n") + "\n" for part in page)


def read_template(path: Path = TEMPLATE_FILE) -> dict[str, string.Template]:
    """Return the sections of the template by name; `<!-- NAME -->` begins one.

    Args:
        path: The template.
    """
    _, *parts = _MARKER.split(path.read_text())
    names, texts = parts[::2], parts[1::2]
    return {
        name: string.Template(text.strip("\n") + "\n")
        for name, text in zip(names, texts, strict=True)
    }


def _introduction(results: dict) -> Values:
    versions = ", ".join(f"{name} {v}" for name, v in results["machine"].items())
    return {
        "budget": results["budget"],
        "budget_meaning": results["budget_meaning"],
        "seeds": ", ".join(map(str, results["seeds"])),
        "machine": versions[0].upper() + versions[1:],
    }


def _table_values(experiments: Experiments, results: dict, name: str) -> Values:
    """Return what fills the section of a target's table."""
    target = experiments.targets[name]
    match target.table:
        case "ablation":
            rows = experiments.ablations[name].rows
            return ablation_values(results, rows, experiments.ablation_systems(name))
        case "autoencoders":
            return autoencoder_values(results)
        case "baselines":
            return baseline_values(results, target.systems)
        case "benchmark_sets":
            return benchmark_set_values(results, experiments.benchmark_sets)
        case "classes":
            return class_values(results["classes"][name])
        case "photographs":
            return photograph_values(results)
        case "postprocessing":
            return postprocessing_values(results)
        case "proof":
            return proof_values(results)
        case "segmenters":
            return segmenter_values(results, target.systems)
        case "selection":
            return selection_values(results)
    raise ValueError(f"table: expected one of TABLES, got {target.table!r}")


def _distances(
    sections: Mapping[str, string.Template],
    results: dict,
    systems: Iterable[str],
    described: set[str],
) -> list[str]:
    """Say how far each system is from the thesis, once (`described` holds names)."""
    sentences = []
    for name in systems:
        system = results["systems"][name]
        if system["thesis"] is None or name in described:
            continue
        described.add(name)
        gap = system["oracle"]["miou_thesis"]["mean"] - system["thesis"]
        sentence = sections["above the thesis" if gap >= 0 else "below the thesis"]
        filled = sentence.substitute(
            title=system["title"],
            gap=f"{abs(gap):.3f}",
            mini_batches=f"{system['mini_batches']:,}",
            remark=system["remark"],
        )
        sentences.append(filled.rstrip())
    return sentences


def _figure(
    sections: Mapping[str, string.Template], name: str, facts: Mapping[str, object]
) -> str:
    caption = sections["caption"].safe_substitute(facts).rstrip()
    return sections[f"figure {name}"].substitute(facts, caption=caption)
