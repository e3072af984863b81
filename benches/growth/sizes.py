"""Time and memory of a first run, at growing inputs."""

import os
import shutil
import sys
from dataclasses import dataclass
from statistics import median

from measuring.bucket import ROW_BYTES, TOPICS, Slice, bucket, drop, kept, warm
from measuring.figures import megabytes, seconds, spread, table
from measuring.process import Failed, measure
from measuring.program import environment

SEED = 4
# A bucket of more bytes on the disk than this is not kept.
KEPT = 2_000_000_000
# The tables are about a quarter of the input.
TABLES = 0.3


@dataclass(frozen=True)
class Point:
    """What runs over one bucket took."""

    bucket: object
    costs: list

    @property
    def wall(self):
        return median(cost.wall for cost in self.costs)

    @property
    def peak(self):
        return max(cost.peak for cost in self.costs)


def of_objects(count):
    """A bucket of about so many objects of one record."""
    return Slice(max(1, -(-count // TOPICS)), 1, SEED)


def of_bytes(size):
    """A bucket of about so many bytes, in objects of 10,000 records at most."""
    rows = max(1, size // ROW_BYTES)
    return Slice(rows, min(10_000, rows), SEED)


def points(binary, slices, options):
    """Measures all that the disk has room for; yields each when it is measured."""
    return filter(None, (measured(binary, each, options) for each in slices))


def measured(binary, slice_, options):
    there = kept(binary, slice_, options.data)
    if not has_room(slice_.disk * (TABLES if there else 1 + TABLES), options):
        return None
    of = bucket(binary, slice_, options.data)
    try:
        warm(of)
        costs = [first_run(binary, of.path, options) for _ in range(options.rounds)]
    finally:
        if slice_.disk > KEPT:
            drop(of)
    point = Point(of, costs)
    print(f"{of.size}: {point.wall:.2f} s, {point.peak / 1e6:.0f} MB", file=sys.stderr, flush=True)
    return point


def has_room(needed, options):
    """Whether the disk has so many bytes left. Says so if not."""
    if needed <= shutil.disk_usage(options.data).free:
        return True
    print(f"left out: no room on the disk for {megabytes(needed)}", file=sys.stderr)
    return False


def first_run(binary, source, options, *more):
    """The cost of cleaning a bucket into new tables, which stay in `out`."""
    out = options.work / "out"
    shutil.rmtree(out, ignore_errors=True)
    return run(binary, source, out, options, *more)


def run(binary, source, out, options, *more):
    os.sync()
    command = [binary, "run", "--source", source, "--out", out, "--quiet", "--max-rejects", "0"]
    cost = measure([*command, *more], options.work, options.timeout, environment())
    if not cost.finished:
        raise Failed(f"a run over {source} took more than {options.timeout:g} s")
    return cost


def markdown(found):
    head = ["objects", "input", "time", "a second", "processors", "peak memory"]
    rows = []
    for point in found:
        of = point.bucket
        tiny = of.bytes / of.objects < 10_000
        rate = f"{of.objects / point.wall:,.0f} objects" if tiny \
            else f"{megabytes(of.bytes / point.wall)}"
        cpu = median(cost.cpu for cost in point.costs)
        rows.append([f"{of.objects:,}", megabytes(of.bytes),
                     spread([cost.wall for cost in point.costs]), rate, seconds(cpu),
                     megabytes(point.peak)])
    return table(head, rows)
