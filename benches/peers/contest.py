"""All clean one bucket in turns."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from compare import differences
from engines import Job
from measuring.bucket import count, warm
from measuring.process import Failed, measure
from measuring.program import environment

ROWS = Path(__file__).resolve().parent / "rows.py"


@dataclass
class Result:
    """What one peer did with one bucket."""

    engine: object
    costs: list = field(default_factory=list)
    # The run that was ended.
    ended: object = None
    output: int | None = None
    digest: dict | None = None
    problems: list = field(default_factory=list)

    @property
    def spent(self):
        return sum(cost.wall for cost in self.costs)


def contest(tools, bucket, engines, options):
    """The results of each peer on a bucket; none has problems if all agree."""
    results = [Result(engine) for engine in engines]
    for turn in range(options.rounds):
        # Another one begins each round, so that none always follows the same one.
        first = turn % len(results)
        for result in results[first:] + results[:first]:
            if result.ended or result.problems or result.spent >= options.limit:
                continue
            warm(bucket)
            run(tools, bucket, result, options.timeout)
            say(turn, result)
    compare(results)
    return results


def run(tools, bucket, result, timeout):
    binary, python, work = tools
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    job = Job(binary, python, bucket.path, work / "out", work)
    # What earlier runs wrote is not to be written out during this one.
    os.sync()
    try:
        cost = measure(result.engine.command(job), work, timeout, environment())
    except Failed as failure:
        result.problems.append(str(failure))
        return
    if not cost.finished:
        result.ended = cost
    else:
        result.costs.append(cost)
        if result.engine.writes and result.digest is None:
            note_rows(result, python, job.out)
    shutil.rmtree(work)


def note_rows(result, python, out):
    """Notes what rows a peer wrote. That it wrote none must not end the contest."""
    result.output = count(out, ".parquet")[1]
    command = [python, ROWS, out]
    said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if said.returncode == 0:
        result.digest = json.loads(said.stdout)
    else:
        result.problems.append(f"its rows cannot be read: {said.stderr[-2000:].strip()}")


def compare(results):
    """Holds all against the first one that wrote rows."""
    wrote = [result for result in results if result.digest]
    for result in wrote[1:]:
        for what in differences(wrote[0].digest, result.digest):
            result.problems.append(f"not the rows of {wrote[0].engine.name}: {what}")


def say(turn, result):
    if result.problems:
        what = "failed"
    elif result.ended:
        what = f"ended after {result.ended.wall:.0f} s"
    else:
        cost = result.costs[-1]
        what = f"{cost.wall:.2f} s, {cost.cpu:.2f} s of processors, {cost.peak / 1e6:.0f} MB"
    print(f"  round {turn + 1}: {result.engine.name}: {what}", file=sys.stderr, flush=True)
