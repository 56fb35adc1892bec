"""Tables of label-free selection: what each signal chooses, and how well it ranks."""

from cirs_tf.reproduce.markdown import table
from cirs_tf.reproduce.tables import Values

_SIGNALS = ("loss", "agreement", "equivariance")


def selection_values(results: dict) -> Values:
    """Return `choices` and `correlations`: tables with a row per system.

    Returns:
        Both tables; `images`: how many validation images the signals see at most.
    """
    systems = list(results["selection"].values())
    choices = [
        (
            system["title"],
            str(len({candidate["seed"] for candidate in system["candidates"]})),
            str(len(system["candidates"])),
            *(_choice(system, signal) for signal in _SIGNALS),
            f"{system['choices']['oracle']['miou']:.3f}",
            f"{system['mean']:.3f}",
            system["version"],
        )
        for system in systems
    ]
    correlations = [
        (system["title"], *(_correlation(system, signal) for signal in _SIGNALS))
        for system in systems
    ]
    header = ("", "seeds", "checkpoints", *_SIGNALS, "oracle", "mean", "version")
    return {
        "choices": table(header, choices),
        "correlations": table(("", *_SIGNALS), correlations),
        "images": str(max(system["images"] for system in systems)),
    }


def _choice(system: dict, signal: str) -> str:
    """Return test `miou` of a signal's choice, and its distance from the oracle's."""
    if signal not in system["choices"]:
        return ""
    choice = system["choices"][signal]
    gap = round(choice["gap"], 3) + 0.0  # no -0.000
    return f"{choice['miou']:.3f} ({gap:.3f})"


def _correlation(system: dict, signal: str) -> str:
    value = system["rank_correlation"].get(signal)
    return "" if value is None else f"{value:+.2f}"
