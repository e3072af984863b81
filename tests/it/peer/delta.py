"""Reads Delta tables by engines that are not pinclean, and checks what their logs say.

Gets the tables as JSON: [{"table": folder, "version": number or null, "comments": are
there comments on the columns, "into": prefix of files}]. Each engine writes what it
reads to `<into>.<engine>.parquet`.
"""

import datetime
import json
import math
import sys
import urllib.parse

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

# A longer text may be cut in the statistics: its bound is then no value.
SHORT = 32


def values(column):
    """The values that have an order which statistics keep."""
    return [value for value in column.to_pylist()
            if value is not None and not (isinstance(value, float) and math.isnan(value))]


def check_bounds(where, column, stats, name):
    found = values(column)
    least, greatest = stats.get(f"min.{name}"), stats.get(f"max.{name}")
    if not found:
        assert least is None and greatest is None, f"{where}: bounds of no values"
        return
    assert least is not None and greatest is not None, f"{where}: no bounds"
    assert least <= min(found) and max(found) <= greatest, \
        f"{where}: {least!r} to {greatest!r} does not hold {min(found)!r} to {max(found)!r}"
    if isinstance(least, datetime.datetime):
        # Bounds may be cut to milliseconds, the upper one rounded up.
        assert min(found) - least < datetime.timedelta(milliseconds=1), where
        assert greatest - max(found) <= datetime.timedelta(milliseconds=1), where
    elif not isinstance(least, str):
        assert (least, greatest) == (min(found), max(found)), f"{where}: the bounds are wide"
    else:
        assert len(min(found)) > SHORT or least == min(found), f"{where}: the bound is wide"
        assert len(max(found)) > SHORT or greatest == max(found), f"{where}: the bound is wide"


def check_file(table, stats, schema):
    where = f"{table}/{stats['path']}"
    file = pq.read_table(f"{table}/{urllib.parse.unquote(stats['path'])}", partitioning=None)
    assert stats["num_records"] == file.num_rows > 0, f"{where}: {stats['num_records']} records"
    assert stats["size_bytes"] > 0
    for field in schema:
        if field.name not in file.column_names:
            continue
        at, column = f"{where}, {field.name}", file[field.name]
        # The writer keeps no statistics of bytes.
        if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            continue
        assert stats[f"null_count.{field.name}"] == column.null_count, f"{at}: nulls"
        if not pa.types.is_list(field.type) and not pa.types.is_large_list(field.type):
            check_bounds(at, column, stats, field.name)


def check_log(job, table):
    where = job["table"]
    protocol = table.protocol()
    assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2), f"{where}: {protocol}"
    assert not protocol.reader_features and not protocol.writer_features, f"{where}: {protocol}"
    assert table.metadata().name and table.metadata().description, f"{where}: {table.metadata()}"
    comments = {field.name: field.metadata.get("comment") for field in table.schema().fields}
    assert all(comments.values()) or not job["comments"], f"{where}: {comments}"
    for commit in table.history():
        assert commit["operation"] == "WRITE" and commit["pinclean"], f"{where}: {commit}"
    arrow = pa.schema(table.to_pyarrow_dataset().schema)
    adds = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    assert adds, f"{where}: no files"
    for stats in adds:
        check_file(where, stats, arrow)
    return len(adds)


for job in json.loads(sys.argv[1]):
    table = DeltaTable(job["table"], version=job["version"])
    files = check_log(job, table)
    by_deltalake = table.to_pyarrow_table()
    pq.write_table(by_deltalake, job["into"] + ".deltalake.parquet")
    by_polars = pl.scan_delta(job["table"], version=job["version"]).collect()
    by_polars.write_parquet(job["into"] + ".polars.parquet")
    assert by_polars.height == by_deltalake.num_rows > 0
    print(f"{job['table']} {by_polars.height} rows in {files} files", end="; ")
print("read")
