"""The documented cleaning in DuckDB's SQL, compared with the tables of pinclean."""

import sys

import duckdb
from deltalake import DeltaTable

BUCKET, CLEAN, FORMAT = sys.argv[1:]
FIELDS = {
    "pin": "index unique_id title description poster_name follower_count tag_list"
    " is_image_or_video image_src downloaded save_location category",
    "geo": "ind timestamp latitude longitude country",
    "user": "ind first_name last_name age date_joined",
}
# A blank or a T between day and time, and microseconds or none.
TIME = "strptime(replace({0}, 'T', ' '), ['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M:%S.%f'])::TIMESTAMP"
CLEANING = {
    "pin": """
        SELECT "index"::INTEGER AS ind,
               nullif(unique_id, '') AS unique_id,
               CASE WHEN title NOT IN ('', 'No Title Data Available') THEN title END AS title,
               CASE WHEN description NOT IN ('', 'No description available',
                    'No description available Story format') THEN description END AS description,
               CASE WHEN follower_count IN ('', 'User Info Error') THEN NULL
                    WHEN follower_count LIKE '%k'
                        THEN (rtrim(follower_count, 'k')::DECIMAL(18, 6) * 1000)::INTEGER
                    WHEN follower_count LIKE '%M'
                        THEN (rtrim(follower_count, 'M')::DECIMAL(18, 6) * 1000000)::INTEGER
                    ELSE follower_count::INTEGER END AS follower_count,
               CASE WHEN poster_name NOT IN ('', 'User Info Error')
                    THEN poster_name END AS poster_name,
               CASE WHEN tag_list NOT IN ('', 'N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e')
                    THEN tag_list END AS tag_list,
               nullif(is_image_or_video, '') AS is_image_or_video,
               CASE WHEN image_src NOT IN ('', 'Image src error.') THEN image_src END AS image_src,
               nullif(regexp_replace(save_location, '^Local save in ', ''), '') AS save_location,
               nullif(category, '') AS category
        FROM raw""",
    "geo": f"""
        SELECT ind::INTEGER AS ind, country,
               [latitude::DOUBLE, longitude::DOUBLE] AS coordinates,
               {TIME.format('"timestamp"')} AS "timestamp"
        FROM raw""",
    "user": f"""
        SELECT ind::INTEGER AS ind,
               CASE WHEN first_name IS NOT NULL AND last_name IS NOT NULL
                    THEN first_name || last_name END AS user_name,
               age::INTEGER AS age,
               {TIME.format('date_joined')} AS date_joined
        FROM raw""",
}
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

db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")


def one(sql):
    return db.execute(sql).fetchone()[0]


for table, fields in FIELDS.items():
    columns = ", ".join(f"'{field}': 'VARCHAR'" for field in fields.split())
    db.execute(f"""CREATE OR REPLACE TABLE raw AS SELECT * FROM read_json(
        '{BUCKET}/topics/*.{table}/*/*.json*', format = 'newline_delimited',
        columns = {{{columns}}})""")
    for seen in SEEN[table]:
        assert one(f"SELECT count(*) FROM raw WHERE {seen}") > 0, f"no {table} with {seen}"

    db.execute(f"CREATE OR REPLACE TABLE theirs AS {CLEANING[table]}")
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
    # Theirs has no zone, and means UTC.
    theirs = {name: kind.replace("TIMESTAMP", "TIMESTAMP WITH TIME ZONE") for name, kind in theirs.items()}
    assert list(theirs.items()) == list(ours.items()), f"{table}: {theirs} and {ours}"

    rows = one("SELECT count(*) FROM ours")
    assert rows == one("SELECT count(*) FROM raw") > 0, f"{table}: {rows} rows"
    for a, b in (("ours", "theirs"), ("theirs", "ours")):
        db.execute(f"CREATE OR REPLACE TABLE extra AS FROM {a} EXCEPT ALL FROM {b}")
        extra = one("SELECT count(*) FROM extra")
        assert extra == 0, f"{table}: {extra} only in {a}: {db.execute('FROM extra LIMIT 3').fetchall()}"
    print(f"{table} {rows} rows", end="; ")
print("equal")
