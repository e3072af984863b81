"""The documented cleaning in Spark's SQL, by PySpark: raw objects to Parquet.

    spark_clean.py OUT PATTERN SCRATCH

`{table}` in the pattern of folders is pin, geo or user; the rows go to `OUT/<table>/`.
A pattern of files would be slow: Spark lists each file that it finds in a task of its own.
"""

import sys

from pyspark.sql import SparkSession

FIELDS = {
    "pin": "`index` INT, unique_id STRING, title STRING, description STRING, poster_name STRING,"
    " follower_count STRING, tag_list STRING, is_image_or_video STRING, image_src STRING,"
    " save_location STRING, category STRING",
    "geo": "ind INT, `timestamp` STRING, latitude DOUBLE, longitude DOUBLE, country STRING",
    "user": "ind INT, first_name STRING, last_name STRING, age INT, date_joined STRING",
}
FOLLOWERS = "CAST(substr(follower_count, 1, length(follower_count) - 1) AS DECIMAL(18, 6))"
CLEANING = {
    "pin": [
        "`index` AS ind",
        "nullif(unique_id, '') AS unique_id",
        "CASE WHEN title NOT IN ('', 'No Title Data Available') THEN title END AS title",
        "CASE WHEN description NOT IN ('', 'No description available',"
        " 'No description available Story format') THEN description END AS description",
        f"""CASE WHEN follower_count IN ('', 'User Info Error') THEN NULL
            WHEN endswith(follower_count, 'k') THEN CAST({FOLLOWERS} * 1000 AS INT)
            WHEN endswith(follower_count, 'M') THEN CAST({FOLLOWERS} * 1000000 AS INT)
            ELSE CAST(follower_count AS INT) END AS follower_count""",
        "CASE WHEN poster_name NOT IN ('', 'User Info Error') THEN poster_name END AS poster_name",
        "CASE WHEN tag_list NOT IN ('', 'N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e')"
        " THEN tag_list END AS tag_list",
        "nullif(is_image_or_video, '') AS is_image_or_video",
        "CASE WHEN image_src NOT IN ('', 'Image src error.') THEN image_src END AS image_src",
        "nullif(CASE WHEN startswith(save_location, 'Local save in ')"
        " THEN substr(save_location, 15) ELSE save_location END, '') AS save_location",
        "nullif(category, '') AS category",
    ],
    "geo": ["ind", "nullif(country, '') AS country", "array(latitude, longitude) AS coordinates",
            "CAST(nullif(`timestamp`, '') AS TIMESTAMP) AS `timestamp`"],
    "user": ["ind", "concat(nullif(first_name, ''), nullif(last_name, '')) AS user_name", "age",
             "CAST(nullif(date_joined, '') AS TIMESTAMP) AS date_joined"],
}


def session(scratch):
    return (
        SparkSession.builder.master("local[*]").appName("clean")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "4g")
        .config("spark.local.dir", scratch)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.compression.codec", "zstd")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        # Small files are packed into few tasks. By default one counts as 4 MiB.
        .config("spark.sql.files.openCostInBytes", "16384")
        .getOrCreate()
    )


def main(out, pattern, scratch):
    spark = session(scratch)
    for table, cleaning in CLEANING.items():
        raw = spark.read.schema(FIELDS[table]).json(pattern.replace("{table}", table))
        raw.selectExpr(*cleaning).write.parquet(f"{out}/{table}")
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
