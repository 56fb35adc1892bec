"""How tests read tables in Markdown."""


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of a Markdown table's rows, without header and rule."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]
