"""Numbers as people read them, and tables of them in Markdown."""

from statistics import median


def number(text):
    """What was typed as 1000 or 1e3."""
    value = int(float(text))
    if value < 0:
        raise ValueError
    return value


def numbers(text):
    return [number(part) for part in text.split(",") if part]


def times(text):
    """How often to do a thing: once at least."""
    return max(number(text), 1)


def positive(text):
    value = float(text)
    if value <= 0:
        raise ValueError
    return value


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
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
