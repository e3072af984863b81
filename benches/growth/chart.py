"""Time and memory against the size of the input, as an SVG. Pure."""

from dataclasses import dataclass
from math import ceil, floor, log10

WIDTH, HEIGHT, LEFT, TOP, GAP = 330, 170, 64, 34, 70
INK, FAINT, LINE, MARK = "#333", "#ddd", "#1f6feb", "#d1242f"


@dataclass(frozen=True)
class Panel:
    """One graph. Both axes are logarithmic, but that of memory begins at nothing."""

    title: str
    unit: str
    # (x, y)
    points: list
    logarithmic: bool
    # What x is counted in, and its short names: (1e6, "1 MB").
    ticks: list
    # A line drawn across: y and what it is.
    limit: tuple | None = None

    def across(self, x):
        first, last = (log10(tick[0]) for tick in (self.ticks[0], self.ticks[-1]))
        return (log10(x) - first) / ((last - first) or 1) * WIDTH

    def marks(self):
        """The values that the upright axis names."""
        ys = [y for _, y in self.points]
        if self.logarithmic:
            return [10.0**power for power in range(floor(log10(min(ys))), ceil(log10(max(ys))) + 1)]
        top = max(*ys, self.limit[0] if self.limit else 0)
        return [step * 100.0 for step in range(ceil(top / 100) + 1)]

    def up(self, y):
        marks = self.marks()
        if self.logarithmic:
            first, last = log10(marks[0]), log10(marks[-1])
            return HEIGHT - (log10(y) - first) / ((last - first) or 1) * HEIGHT
        return HEIGHT - y / marks[-1] * HEIGHT

    def svg(self):
        yield text(0, -14, self.title, "start", "bold")
        for mark in self.marks():
            yield line(0, self.up(mark), WIDTH, self.up(mark), FAINT)
            yield text(-8, self.up(mark) + 4, f"{mark:g} {self.unit}", "end")
        for x, name in self.ticks:
            yield line(self.across(x), 0, self.across(x), HEIGHT, FAINT)
            yield text(self.across(x), HEIGHT + 18, name, "middle")
        if self.limit:
            y, name = self.limit
            yield line(0, self.up(y), WIDTH, self.up(y), MARK, 'stroke-dasharray="5 4"')
            yield text(WIDTH - 4, self.up(y) - 5, name, "end")
        if self.logarithmic:
            yield self.proportional()
        places = [(self.across(x), self.up(y)) for x, y in self.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="2"/>'
        for x, y in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{LINE}"/>'

    def proportional(self):
        """How it would grow to the last point in proportion to the input."""
        last, greatest = self.points[-1]
        least = max(self.marks()[0], greatest * self.points[0][0] / last)
        first = last * least / greatest
        return line(self.across(first), self.up(least), self.across(last), self.up(greatest),
                    INK, 'stroke-dasharray="2 4"')


def line(x1, y1, x2, y2, colour, more=""):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
            f' stroke="{colour}" {more}/>')


def text(x, y, words, anchor, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" fill="{INK}" text-anchor="{anchor}"'
            f' font-weight="{weight}">{words}</text>')


def chart(rows):
    """The SVG of rows of panels."""
    width = LEFT + max(map(len, rows)) * (WIDTH + GAP)
    height = TOP + len(rows) * (HEIGHT + GAP)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
             f' width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for down, panels in enumerate(rows):
        for right, panel in enumerate(panels):
            x, y = LEFT + right * (WIDTH + GAP), TOP + down * (HEIGHT + GAP)
            parts += [f'<g transform="translate({x} {y})">', *panel.svg(), "</g>"]
    return "\n".join([*parts, "</svg>", ""])
