"""What a run costs that finds few new objects among many old ones."""

import json
import shutil
from dataclasses import asdict, dataclass, replace

from measuring.bucket import count, emulate
from measuring.figures import spread, table
from sizes import SEED, TABLES, first_run, has_room, of_objects, run


@dataclass(frozen=True)
class Case:
    """Runs of one kind, and what the last of them asked of the store."""

    name: str
    objects: int
    costs: list
    requests: dict

    def figures(self):
        return {"name": self.name, "objects": self.objects, "requests": self.requests,
                "runs": [asdict(cost) for cost in self.costs]}


def increment(binary, options):
    """A full run, one with nothing new, one with little new, and one over that little alone.

    Yields each when it is measured; none if the disk has no room.
    """
    old = replace(of_objects(options.old), partitions=options.partitions)
    new = replace(of_objects(options.new), partitions=options.partitions, start=old.rows)
    # The new ones are there twice, and the tables are copied.
    if not has_room((old.disk + 2 * new.disk) * (1 + 2 * TABLES), options):
        return
    full, alone, tables = (options.work / name for name in ("increment", "alone", "tables"))
    emulate(binary, old, full)
    emulate(binary, new, alone)
    report = options.work / "report.json"

    def case(name, measure_once, rounds=options.rounds):
        costs = [measure_once() for _ in range(rounds)]
        found = json.loads(report.read_text())
        objects = sum(each["objects"] for each in found["tables"].values())
        return Case(name, objects, costs, found["requests"])

    def afresh(source):
        return lambda: first_run(binary, source, options, "--report", report)

    def again():
        out = options.work / "out"
        shutil.rmtree(out)
        shutil.copytree(tables, out)
        return run(binary, full, out, options, "--report", report)

    yield case("all of the bucket", afresh(full), rounds=1)
    shutil.copytree(options.work / "out", tables)
    yield case("again, nothing new", again)
    emulate(binary, new, full)
    little = case("again, after the new ones came", again)
    yield little
    only = case("a bucket of the new ones alone", afresh(alone))
    yield only
    assert little.objects == only.objects == count(alone)[0], (little.objects, only.objects)


def markdown(cases):
    head = ["run", "objects read", "time", "LIST", "GET"]
    rows = [[case.name, f"{case.objects:,}", spread([cost.wall for cost in case.costs]),
             f"{case.requests['list']:,}", f"{case.requests['get']:,}"] for case in cases]
    return table(head, rows)
