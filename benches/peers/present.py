"""Results as a table in Markdown, and as JSON. Pure."""

from dataclasses import asdict
from statistics import median

from measuring.figures import megabytes, seconds, spread, table

HEAD = ["", "time", "ratio", "processors", "peak memory", "output", "runs"]


def markdown(contests, facts):
    """One table for each bucket, and what it was measured on."""
    parts = []
    for title, _, results in contests:
        rows = [row(result, results[0]) for result in results]
        parts.append(f"{title}:\n\n{table(HEAD, rows)}\n")
    parts.append("\n".join(f"- {name}: {fact}" for name, fact in facts.items()) + "\n")
    return "\n".join(parts)


def row(result, first):
    label, runs = result.engine.label, str(len(result.costs))
    if result.problems:
        return [label, "failed", "", "", "", "", runs]
    if not result.costs:
        ended = result.ended
        return [label, f"> {ended.wall:.0f} s", ratio(ended.wall, first, "> "), "",
                f"> {megabytes(ended.peak)}", "", runs]
    costs = result.costs
    return [
        label,
        spread([cost.wall for cost in costs]),
        ratio(median(cost.wall for cost in costs), first),
        seconds(median(cost.cpu for cost in costs)),
        megabytes(max(cost.peak for cost in costs)),
        "" if result.output is None else megabytes(result.output),
        runs,
    ]


def ratio(value, first, sign=""):
    if not first.costs:
        return ""
    times = value / median(cost.wall for cost in first.costs)
    return f"{sign}{times:.0f}" if times >= 100 else f"{sign}{times:.1f}" if times >= 10 \
        else f"{sign}{times:.2f}"


def figures(contests, facts):
    """All that was measured, to be kept as JSON."""
    return {
        "facts": facts,
        "buckets": [
            {
                "objects": bucket.objects,
                "bytes": bucket.bytes,
                "peers": {
                    result.engine.name: {
                        "runs": [asdict(cost) for cost in result.costs],
                        "ended": result.ended and asdict(result.ended),
                        "output_bytes": result.output,
                        "rows": result.digest and {
                            table: digest["rows"] for table, digest in result.digest.items()
                        },
                        "problems": result.problems,
                    }
                    for result in results
                },
            }
            for _, bucket, results in contests
        ],
    }
