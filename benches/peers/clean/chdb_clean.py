"""The documented cleaning in ClickHouse's SQL, by chDB: raw objects to Parquet.

    chdb_clean.py OUT PATTERN

`{table}` in the pattern is pin, geo or user; the rows go to `OUT/<table>/`.
"""

import sys
from pathlib import Path

import chdb

TEXT, INT, REAL = "Nullable(String)", "Nullable(Int32)", "Nullable(Float64)"
TIME = "Nullable(DateTime64(6, 'UTC'))"
FIELDS = {
    "pin": {
        "index": INT, "unique_id": TEXT, "title": TEXT, "description": TEXT, "poster_name": TEXT,
        "follower_count": TEXT, "tag_list": TEXT, "is_image_or_video": TEXT, "image_src": TEXT,
        "save_location": TEXT, "category": TEXT,
    },
    "geo": {"ind": INT, "timestamp": TIME, "latitude": REAL, "longitude": REAL, "country": TEXT},
    "user": {"ind": INT, "first_name": TEXT, "last_name": TEXT, "age": INT, "date_joined": TIME},
}


def followers(suffix, factor):
    number = "toDecimal64(substring(follower_count, 1, length(follower_count) - 1), 6)"
    return f"endsWith(follower_count, '{suffix}'), toInt32({number} * {factor})"


CLEANING = {
    "pin": f"""
        SELECT "index" AS ind,
               nullIf(unique_id, '') AS unique_id,
               if(title IN ('', 'No Title Data Available'), NULL, title) AS title,
               if(description IN ('', 'No description available',
                  'No description available Story format'), NULL, description) AS description,
               multiIf(follower_count IN ('', 'User Info Error'), NULL,
                  {followers('k', 1000)}, {followers('M', 1000000)},
                  toInt32(follower_count)) AS follower_count,
               if(poster_name IN ('', 'User Info Error'), NULL, poster_name) AS poster_name,
               if(tag_list IN ('', 'N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e'), NULL,
                  tag_list) AS tag_list,
               nullIf(is_image_or_video, '') AS is_image_or_video,
               if(image_src IN ('', 'Image src error.'), NULL, image_src) AS image_src,
               nullIf(if(startsWith(save_location, 'Local save in '),
                  substring(save_location, 15), save_location), '') AS save_location,
               nullIf(category, '') AS category""",
    "geo": """SELECT ind, nullIf(country, '') AS country, [latitude, longitude] AS coordinates,
               "timestamp" """,
    "user": """SELECT ind, concat(nullIf(first_name, ''), nullIf(last_name, '')) AS user_name,
               age, date_joined""",
}
SETTINGS = """SETTINGS date_time_input_format = 'best_effort', prefer_column_name_to_alias = 1,
    output_format_parquet_compression_method = 'zstd', engine_file_truncate_on_insert = 1"""


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def main(out, pattern):
    for table, cleaning in CLEANING.items():
        folder = Path(out, table)
        folder.mkdir(parents=True)
        fields = ", ".join(f'"{name}" {kind}' for name, kind in FIELDS[table].items())
        source = quoted(pattern.replace("{table}", table))
        chdb.query(f"""INSERT INTO FUNCTION file({quoted(str(folder / 'rows.parquet'))}, Parquet)
            {cleaning} FROM file({source}, JSONEachRow, {quoted(fields)}) {SETTINGS}""")


if __name__ == "__main__":
    main(*sys.argv[1:])
