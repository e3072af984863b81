"""Answers of pinclean against those of DuckDB and of Polars for Python.

Arguments: a folder of Delta tables, and a file of cases, each an object a line:
{"sql": ..., "answer": the Parquet file of pinclean's answer, "engines": [...],
"ordered": whether the rows have to come in the same order}.
"""

import collections
import datetime
import json
import math
import sys

import deltalake
import duckdb
import polars as pl

clean, cases = sys.argv[1:]


def plain(value):
    """A value that compares alike, whichever engine it is from."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (list, tuple, pl.Series)):
        return tuple(plain(v) for v in value)
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, (datetime.date, datetime.time, bytes)):
        return value
    value = float(value)
    return "nan" if math.isnan(value) else float(f"{value:.9g}")


def rows(all_rows, ordered):
    """Counted rows; if they are ordered, each with its place."""
    plain_rows = (plain(row) for row in all_rows)
    return collections.Counter(enumerate(plain_rows) if ordered else plain_rows)


duck = duckdb.connect()
duck.execute("SET TimeZone = 'UTC'")
# As Spark orders them.
duck.execute("SET default_null_order = 'nulls_first_on_asc_last_on_desc'")
python = pl.SQLContext()
for table in ["pin", "geo", "user"]:
    for name, folder in [(table, table), (f"quarantine_{table}", f"_quarantine/{table}")]:
        files = deltalake.DeltaTable(f"{clean}/{folder}").file_uris()
        read = f"read_parquet({files!r}, union_by_name = true)"
        frame = pl.scan_parquet(files)
        times = [n for n, ty in frame.collect_schema().items() if ty == pl.Datetime("us", "UTC")]
        utc = ", ".join(f'CAST("{n}" AS TIMESTAMP) AS "{n}"' for n in times)
        columns = f"* REPLACE ({utc})" if utc else "*"
        duck.execute(f'CREATE VIEW "{name}" AS SELECT {columns} FROM {read}')
        python.register(name, frame.with_columns(pl.col(times).dt.replace_time_zone(None)))

answered = 0
for line in open(cases):
    case = json.loads(line)
    ordered = case["ordered"]
    ours = rows(pl.read_parquet(case["answer"]).rows(), ordered)
    assert ours, f"nothing to compare: {case['sql']}"
    for engine in case["engines"]:
        if engine == "DuckDB":
            theirs = rows(duck.execute(case["sql"]).fetchall(), ordered)
        else:
            theirs = rows(python.execute(case["sql"], eager=True).rows(), ordered)
        only = list((ours - theirs).items())[:5], list((theirs - ours).items())[:5]
        assert ours == theirs, f"{engine}: {case['sql']}\nonly ours {only[0]}\nonly theirs {only[1]}"
        answered += 1
print(f"{answered} answers were alike")
