"""Images for the laws: objects placed on a background of zeros."""

from hypothesis import strategies as st

OBJECT = st.text("123456789", min_size=1, max_size=4)


def placed(draw, objects: list[str], length: int, gap: int) -> str:
    """Return an image with the objects in a drawn order, `gap` zeros between them."""
    order = draw(st.permutations(objects))
    free = length - sum(map(len, objects)) - gap * (len(objects) - 1)
    # Zeros before, between and after: a composition of `free`.
    marks = sorted(
        draw(st.lists(st.integers(0, free), min_size=len(order), max_size=len(order)))
    )
    zeros = [b - a for a, b in zip([0, *marks], [*marks, free], strict=True)]
    image = "0" * zeros[0]
    for index, (item, after) in enumerate(zip(order, zeros[1:], strict=True)):
        between = gap if index < len(order) - 1 else 0
        image += item + "0" * (after + between)
    return image


@st.composite
def one_object(draw) -> tuple[str, list[str]]:
    """Draw an object and images of it, each with background."""
    item = draw(OBJECT)
    length = draw(st.integers(len(item) + 1, 8))
    count = draw(st.integers(1, 4))
    return item, [placed(draw, [item], length, gap=0) for _ in range(count)]


@st.composite
def several_objects(draw, gaps: tuple[int, ...]) -> tuple[list[str], list[str]]:
    """Draw two or three objects and images, those of gap 1 with the objects apart."""
    sizes = draw(st.sampled_from([(1, 1), (2, 1), (2, 2), (3, 2), (4, 2), (1, 2, 1)]))
    objects = [
        draw(st.text("12", min_size=size, max_size=size))
        if draw(st.booleans())
        else draw(st.text("123456789", min_size=size, max_size=size))
        for size in sizes
    ]
    length = draw(st.integers(sum(sizes) + len(sizes) - 1, 8))
    return objects, [placed(draw, objects, length, gap) for gap in gaps]
