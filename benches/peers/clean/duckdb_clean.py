"""The documented cleaning in DuckDB's SQL: raw objects to Parquet.

    duckdb_clean.py OUT PATTERN

`{table}` in the pattern is pin, geo or user; the rows go to `OUT/<table>/`. The rules
also say in the tests what pinclean has to write.
"""

import sys
from pathlib import Path

import duckdb

# What is read: the types that the senders use, so that no text is made of a number.
FIELDS = {
    "pin": {
        "index": "INTEGER", "unique_id": "VARCHAR", "title": "VARCHAR", "description": "VARCHAR",
        "poster_name": "VARCHAR", "follower_count": "VARCHAR", "tag_list": "VARCHAR",
        "is_image_or_video": "VARCHAR", "image_src": "VARCHAR", "save_location": "VARCHAR",
        "category": "VARCHAR",
    },
    "geo": {"ind": "INTEGER", "timestamp": "VARCHAR", "latitude": "DOUBLE",
            "longitude": "DOUBLE", "country": "VARCHAR"},
    "user": {"ind": "INTEGER", "first_name": "VARCHAR", "last_name": "VARCHAR",
             "age": "INTEGER", "date_joined": "VARCHAR"},
}
# Of a relation `raw` with these fields. A time without a zone is UTC, as the session is.
CLEANING = {
    "pin": """
        SELECT "index" AS ind,
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
               nullif(CASE WHEN starts_with(save_location, 'Local save in ')
                    THEN save_location[15:] ELSE save_location END, '') AS save_location,
               nullif(category, '') AS category
        FROM raw""",
    "geo": """
        SELECT ind, nullif(country, '') AS country, [latitude, longitude] AS coordinates,
               nullif("timestamp", '')::TIMESTAMPTZ AS "timestamp"
        FROM raw""",
    "user": """
        SELECT ind, CASE WHEN first_name <> '' AND last_name <> ''
                    THEN first_name || last_name END AS user_name,
               age, nullif(date_joined, '')::TIMESTAMPTZ AS date_joined
        FROM raw""",
}


def connect():
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    return db


def raw(table, pattern, options=""):
    """SQL that reads the objects of a table."""
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in FIELDS[table].items())
    return f"""SELECT * FROM read_json('{pattern.replace("{table}", table)}',
        format = 'newline_delimited', columns = {{{columns}}}{options})"""


def main(out, pattern):
    db = connect()
    # Parquet may be written in any order, which is faster.
    db.execute("SET preserve_insertion_order = false")
    for table, cleaning in CLEANING.items():
        folder = Path(out, table)
        folder.mkdir(parents=True)
        db.execute(f"""COPY (WITH raw AS ({raw(table, pattern)}) {cleaning})
            TO '{folder}/rows.parquet' (FORMAT parquet, COMPRESSION zstd)""")


if __name__ == "__main__":
    main(*sys.argv[1:])
