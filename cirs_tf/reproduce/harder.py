"""The table of harder data sets: a row a method, a column a set."""

from cirs_tf.reproduce.cells import table
from cirs_tf.reproduce.systems import HARDER, HARDER_METHODS, harder_system

_PROTOCOLS = ("label_free", "oracle")


def harder_sets(results: dict) -> str:
    """Return a row a method, a column a data set: label-free `miou`, best by labels."""
    baselines, systems = results["harder"], results["systems"]

    def shown(config: str, data: str) -> str:
        name = harder_system(config, data)
        if name is None:
            return "not run"
        # The first seed alone, as of all others.
        found = [systems[name][kind]["miou"]["values"][0] for kind in _PROTOCOLS]
        return f"{found[0]:.3f} ({found[1]:.3f})"

    rows = [
        (
            "one segment everywhere",
            *(f"{baselines[data]['everywhere']['miou']:.3f}" for data in HARDER),
        ),
        (
            "k-means on RGB",
            *(f"{baselines[data]['kmeans']['miou']['mean']:.3f}" for data in HARDER),
        ),
    ]
    rows += [
        (f"{title} (`{config}`)", *(shown(config, data) for data in HARDER))
        for title, config in HARDER_METHODS.items()
    ]
    rows.append(("DTI-Sprites, as published", "", "", "0.840", "0.992"))
    return (
        "## Harder sets\n\n"
        f"{table(('', *(f'`{data}`' for data in HARDER)), rows)}\n"
        f"Label-free `miou` (oracle) of seed {results['seeds'][0]}. `twotone`: objects "
        "of two or three strong colors. `fruit_shift`: the fruit before a sky that "
        "moves. `dsprites`, `tetrominoes`: drawn here after multi-dSprites and "
        "Tetrominoes, classes by shape; DTI-Sprites (Monnier et al. 2021) was measured "
        "on the published images, so its row is an anchor, no comparison to a digit. "
        "`cirs_aligned` needs a static background and objects of fixed colors, which "
        "neither of the last three has: it was run as it is, but for `tetrominoes`, "
        "where it would need 19 pose networks. `cut_and_paste` needs one flat color "
        "behind the objects, which the first two do not have; on `tetrominoes` it was "
        "told that pieces never hide each other. Lengths differ, and so do widths: see "
        "*What was run*.\n"
    )
