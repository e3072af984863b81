"""What the user typed, and what is measured by default."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from engines import NAMES
from measuring.bucket import Slice
from measuring.figures import megabytes, positive, times

SEED = 4


@dataclass(frozen=True)
class Set:
    """A bucket that all clean."""

    name: str
    rows: int
    flush: int

    def slice(self, scale):
        rows = max(10, round(self.rows * scale))
        # At least a few objects, however small the scale.
        return Slice(rows, min(self.flush, max(1, rows // 5)), SEED)

    def title(self, bucket):
        of = "one record" if self.flush == 1 else "many records"
        return f"{bucket.objects:,} objects of {of}, {megabytes(bucket.bytes)}"


SETS = [Set("tiny", 60_000, 1), Set("few", 5_000, 1), Set("large", 480_000, 10_000)]


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        prog="benches/peers/run",
        description="Cleans the same buckets with pinclean and its peers, in turns, checks that"
        " the rows are the same, and prints a table.",
    )
    add = parser.add_argument
    sets = [each.name for each in SETS]
    add("--sets", type=names(sets), default=sets, help=f"some of {','.join(sets)} [default: all]")
    add("--peers", type=names(NAMES), default=NAMES,
        help=f"some of {','.join(NAMES)} [default: all]")
    add("--rounds", type=times, default=5, help="runs of each [default: 5]")
    add("--timeout", type=positive, default=60, metavar="S",
        help="a run is ended after so many seconds; the table says so [default: 60]")
    add("--limit", type=positive, default=90, metavar="S",
        help="none begins another run that has run for so long in a set [default: 90]")
    add("--scale", type=positive, default=1.0, help="times as many records [default: 1]")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "pinclean-bench")
    add("--data", type=Path, default=cache, metavar="FOLDER",
        help=f"keeps the buckets and the packages [default: {cache}]")
    add("--binary", metavar="FILE",
        help="the pinclean to measure [default: $PINCLEAN, else it is built]")
    add("--python", type=Path, metavar="FILE",
        help="a Python that has the packages already [default: they are installed]")
    add("--markdown", type=Path, metavar="FILE", help="writes the table here too")
    add("--json", type=Path, metavar="FILE",
        help="writes all figures here [default: results.json in the folder of the data]")
    options = parser.parse_args(arguments)
    # Before anything is measured: later it would lose what was.
    for file in filter(None, [options.markdown, options.json]):
        file.parent.mkdir(parents=True, exist_ok=True)
    return options


def names(known):
    def parse_names(text):
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return chosen
    return parse_names
