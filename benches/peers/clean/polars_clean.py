"""The documented cleaning in Polars for Python: raw objects to Parquet.

    polars_clean.py OUT PATTERN

`{table}` in the pattern is pin, geo or user; the rows go to `OUT/<table>/`. The rules
also say in the tests what pinclean has to write.
"""

import sys
from pathlib import Path

import polars as pl

TEXT, INT, REAL = pl.String, pl.Int32, pl.Float64
FIELDS = {
    "pin": {
        "index": INT, "unique_id": TEXT, "title": TEXT, "description": TEXT, "poster_name": TEXT,
        "follower_count": TEXT, "tag_list": TEXT, "is_image_or_video": TEXT, "image_src": TEXT,
        "save_location": TEXT, "category": TEXT,
    },
    "geo": {"ind": INT, "timestamp": TEXT, "latitude": REAL, "longitude": REAL, "country": TEXT},
    "user": {"ind": INT, "first_name": TEXT, "last_name": TEXT, "age": INT, "date_joined": TEXT},
}
PLACEHOLDERS = {
    "title": ["No Title Data Available"],
    "description": ["No description available", "No description available Story format"],
    "follower_count": ["User Info Error"],
    "poster_name": ["User Info Error"],
    "tag_list": ["N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e"],
    "image_src": ["Image src error."],
}


def text(name):
    nulls = ["", *PLACEHOLDERS.get(name, [])]
    return pl.when(~pl.col(name).is_in(nulls)).then(pl.col(name)).alias(name)


def followers():
    count = text("follower_count")
    factor = (
        pl.when(count.str.ends_with("k")).then(1_000)
        .when(count.str.ends_with("M")).then(1_000_000)
        .otherwise(1)
    )
    number = count.str.strip_chars_end("kM").cast(pl.Float64) * factor
    return number.round().cast(pl.Int32).alias("follower_count")


def time(name):
    plain = text(name).str.replace("T", " ", literal=True)
    return plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us").dt.replace_time_zone("UTC")


# Of a frame with these fields.
CLEANING = {
    "pin": [
        pl.col("index").alias("ind"),
        text("unique_id"), text("title"), text("description"), followers(), text("poster_name"),
        text("tag_list"), text("is_image_or_video"), text("image_src"),
        text("save_location").str.strip_prefix("Local save in "), text("category"),
    ],
    "geo": [
        pl.col("ind"), text("country"),
        pl.concat_list("latitude", "longitude").alias("coordinates"), time("timestamp"),
    ],
    "user": [
        pl.col("ind"), (text("first_name") + text("last_name")).alias("user_name"),
        pl.col("age"), time("date_joined"),
    ],
}


def main(out, pattern):
    for table, schema in FIELDS.items():
        folder = Path(out, table)
        folder.mkdir(parents=True)
        raw = pl.scan_ndjson(pattern.replace("{table}", table), schema=schema)
        raw.select(CLEANING[table]).sink_parquet(folder / "rows.parquet", compression="zstd",
                                                 maintain_order=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
