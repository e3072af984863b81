"""What rows a peer wrote, as sums of hashes: equal for equal rows in any order.

    rows.py OUT

prints an object of tables: `rows`, `columns` as [name, type, sum], and the sum of whole
`records`. One engine reads the output of all, by their exact values.
"""

import json
import sys
from pathlib import Path

import duckdb

TABLES = ["pin", "geo", "user"]


def files(folder):
    """The Parquet files that are the table: those of the Delta log, if it has one."""
    if (folder / "_delta_log").is_dir():
        from deltalake import DeltaTable

        return DeltaTable(str(folder)).file_uris()
    return [str(path) for path in sorted(folder.glob("*.parquet"))]


def digest(db, folder):
    db.execute("CREATE OR REPLACE VIEW rows AS SELECT * FROM read_parquet($1)".replace(
        "$1", "[" + ", ".join("'" + file.replace("'", "''") + "'" for file in files(folder)) + "]"))
    columns = [(name, kind) for name, kind, *_ in db.execute("DESCRIBE rows").fetchall()]
    quoted = [f'"{name}"' for name, _ in columns]
    sums = [f"sum(hash({name})::HUGEINT)::VARCHAR" for name in [*quoted, ", ".join(quoted)]]
    count, *sums, whole = db.execute(f"SELECT count(*), {', '.join(sums)} FROM rows").fetchone()
    columns = [[name, kind, total] for (name, kind), total in zip(columns, sums)]
    return {"rows": count, "columns": columns, "records": whole}


def main(out):
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    print(json.dumps({table: digest(db, Path(out, table)) for table in TABLES}))


if __name__ == "__main__":
    main(*sys.argv[1:])
