"""Numbers as people read them, and tables of them in Markdown."""

from statistics import median


def seconds(value):
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s" if value < 100 else f"{value:.0f} s"


def spread(values):
    """The median, with the least and the greatest behind it."""
    if len(values) == 1:
        return seconds(values[0])
    return f"{seconds(median(values))} ({seconds(min(values))[:-2]}–{seconds(max(values))[:-2]})"


def megabytes(value):
    mega = value / 1e6
    return f"{mega:,.0f} MB" if mega >= 10 else f"{mega:.1f} MB"


def table(head, rows):
    """A table in Markdown, its columns aligned for those who read the source."""
    rows = [head, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])
