"""The documented cleaning in Polars for Python, compared with the tables of pinclean."""

import gzip
import io
import pathlib
import sys

import polars as pl

BUCKET, CLEAN = map(pathlib.Path, sys.argv[1:3])
FORMAT = sys.argv[3]
TEXT, INT, REAL = pl.String, pl.Int64, pl.Float64
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
    plain = pl.col(name).str.replace("T", " ")
    return plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us").dt.replace_time_zone("UTC")


CLEANING = {
    "pin": [
        pl.col("index").cast(pl.Int32).alias("ind"),
        text("unique_id"), text("title"), text("description"), followers(), text("poster_name"),
        text("tag_list"), text("is_image_or_video"), text("image_src"),
        text("save_location").str.strip_prefix("Local save in "), text("category"),
    ],
    "geo": [
        pl.col("ind").cast(pl.Int32), pl.col("country"),
        pl.concat_list("latitude", "longitude").alias("coordinates"), time("timestamp"),
    ],
    "user": [
        pl.col("ind").cast(pl.Int32), (pl.col("first_name") + pl.col("last_name")).alias("user_name"),
        pl.col("age").cast(pl.Int32), time("date_joined"),
    ],
}


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
