"""The documented cleaning in DuckDB's SQL, compared with the tables of pinclean."""

import sys

from deltalake import DeltaTable
from duckdb_clean import CLEANING, connect, raw

BUCKET, CLEAN, FORMAT = sys.argv[1:]
# What the bucket must hold, so that the comparison says something.
SEEN = {
    "pin": [
        "follower_count LIKE '%k'",
        "follower_count LIKE '%M'",
        "regexp_matches(title, '[\\x{1F300}-\\x{1FAFF}]')",
        "description = 'No description available Story format'",
    ],
    "geo": ['"timestamp" LIKE \'%T%\'', '"timestamp" LIKE \'% %\''],
    "user": ["date_joined LIKE '%T%'", "date_joined LIKE '% %'"],
}

db = connect()


def one(sql):
    return db.execute(sql).fetchone()[0]


for table, cleaning in CLEANING.items():
    objects = raw(table, f"{BUCKET}/topics/*.{{table}}/*/*.json*")
    db.execute(f"CREATE OR REPLACE TABLE raw AS {objects}")
    for seen in SEEN[table]:
        assert one(f"SELECT count(*) FROM raw WHERE {seen}") > 0, f"no {table} with {seen}"

    db.execute(f"CREATE OR REPLACE TABLE theirs AS {cleaning}")
    # DuckDB's own reader of Delta is an extension, which it would have to download.
    if FORMAT == "delta":
        live = DeltaTable(f"{CLEAN}/{table}").to_pyarrow_table()
        db.execute("CREATE OR REPLACE TABLE ours AS FROM live")
    else:
        db.execute(f"CREATE OR REPLACE TABLE ours AS FROM '{CLEAN}/{table}/*.parquet'")
    theirs, ours = (
        {name: kind for name, kind, *_ in db.execute(f"DESCRIBE {t}").fetchall()}
        for t in ("theirs", "ours")
    )
    assert list(theirs.items()) == list(ours.items()), f"{table}: {theirs} and {ours}"

    rows = one("SELECT count(*) FROM ours")
    assert rows == one("SELECT count(*) FROM raw") > 0, f"{table}: {rows} rows"
    for a, b in (("ours", "theirs"), ("theirs", "ours")):
        db.execute(f"CREATE OR REPLACE TABLE extra AS FROM {a} EXCEPT ALL FROM {b}")
        extra = one("SELECT count(*) FROM extra")
        assert extra == 0, f"{table}: {extra} only in {a}: {db.execute('FROM extra LIMIT 3').fetchall()}"
    print(f"{table} {rows} rows", end="; ")
print("equal")
