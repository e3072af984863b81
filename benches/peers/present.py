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
    label, costs, ended = result.engine.label, result.costs, result.ended
    runs = f"{len(costs)} + 1 ended" if ended else str(len(costs))
    if result.problems:
        return [label, "failed", "", "", "", "", runs]
    # The run that was ended counts with what it had taken by then, so the truth is more.
    all_, more = [*costs, ended] if ended else costs, "> " if ended else ""
    walls = [cost.wall for cost in all_]
    return [
        label,
        more + (spread(walls) if costs else f"{ended.wall:.0f} s"),
        ratio(median(walls), first, more),
        more + seconds(median(cost.cpu for cost in all_)) if costs else "",
        more + megabytes(max(cost.peak for cost in all_)),
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
