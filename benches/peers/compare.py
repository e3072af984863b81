"""Whether two peers wrote the same rows, and if not, where they differ. Pure."""


def differences(first, other):
    """Sentences; none if the digests of `rows.py` are equal."""
    return [f"{table}: {what}" for table in first for what in of_table(first[table], other[table])]


def of_table(first, other):
    kinds = [[column[:2] for column in digest["columns"]] for digest in (first, other)]
    if kinds[0] != kinds[1]:
        return [f"the columns are {shown(kinds[1])}, not {shown(kinds[0])}"]
    if first["rows"] != other["rows"]:
        return [f"{other['rows']:,} rows, not {first['rows']:,}"]
    columns = zip(first["columns"], other["columns"])
    differing = [f"column {ours[0]} differs" for ours, theirs in columns if ours != theirs]
    if not differing and first["records"] != other["records"]:
        return ["the columns are equal, but not row by row"]
    return differing


def shown(kinds):
    return ", ".join(f"{name} {kind}" for name, kind in kinds)
