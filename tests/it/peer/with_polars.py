"""The documented cleaning in Polars for Python, compared with the tables of pinclean."""

import gzip
import io
import pathlib
import sys

import polars as pl
from polars_clean import CLEANING, FIELDS

BUCKET, CLEAN = map(pathlib.Path, sys.argv[1:3])
FORMAT = sys.argv[3]


def read(path):
    body = path.read_bytes()
    return gzip.decompress(body) if path.suffix == ".gz" else body


for table, schema in FIELDS.items():
    paths = sorted(BUCKET.glob(f"topics/*.{table}/*/*.json*"))
    lines = io.BytesIO(b"".join(map(read, paths)))
    theirs = pl.read_ndjson(lines, schema=schema).select(CLEANING[table])
    ours = CLEAN / table
    ours = pl.read_delta(str(ours)) if FORMAT == "delta" else pl.read_parquet(ours / "*.parquet")
    assert ours.schema == theirs.schema, f"{table}: {ours.schema} and {theirs.schema}"
    assert ours.height == theirs.height > 0, f"{table}: {ours.height} and {theirs.height} rows"
    ours, theirs = (
        frame.group_by(pl.all()).len("copies").sort(pl.struct(pl.all())) for frame in (ours, theirs)
    )
    assert ours.equals(theirs, null_equal=True), f"{table}: {ours} and {theirs}"
    print(f"{table} {ours['copies'].sum()} rows", end="; ")
print("equal")
