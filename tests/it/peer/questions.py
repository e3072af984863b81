"""The business questions over clean tables, by PySpark, from their words alone.

Arguments: folders of tables. Prints one JSON object: folder -> answer -> lines, where
an answer is a question with its parameters, as in "top-category-by-year ties=one", and
each of its lines is a row as a JSON object.
"""
import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    # For many small queries: nothing is spread, and nothing compiled.
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.sql.adaptive.enabled", "false")
    .config("spark.sql.codegen.wholeStage", "false")
    .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
    .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def lines(frame, order):
    rows = [row.asDict() for row in frame.orderBy(*order).collect()]
    return [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]


def best(frame, per, name, number, ties):
    """Of each group the rows with the largest number: all, or the first by name."""
    most = frame.groupBy(*per).agg(F.max(number).alias(number))
    top = frame.join(most, [*per, number]).select(*per, name, number).distinct()
    if ties == "one":
        top = top.groupBy(*per, number).agg(F.min(name).alias(name))
    return lines(top.select(*per, name, number), [*per, name])


def age_group(users):
    age = F.col("age")
    group = (
        F.when(age.between(18, 24), "18-24")
        .when(age.between(25, 35), "25-35")
        .when(age.between(36, 50), "36-50")
        .when(age > 50, "50+")
    )
    return users.withColumn("age_group", group).where("age_group is not null")


def join_year(users):
    return users.withColumn("join_year", F.year("date_joined")).where("join_year is not null")


def posts(frame, per):
    """Posts of each category, by their unique ids."""
    known = frame.dropna(subset=[*per, "category"])
    return known.groupBy(*per, "category").agg(F.countDistinct("unique_id").alias("category_count"))


def median(pins, users, per, median, distinct):
    name = "median_follower_count"
    pins, users = pins.select("ind", "follower_count"), users.select("ind", *per)
    if distinct == "ind":
        pins = pins.groupBy("ind").agg(F.max("follower_count").alias("follower_count"))
        users = users.groupBy("ind").agg(F.max(F.struct(*per)).alias("of")).select("ind", "of.*")
    groups = pins.join(users, "ind").groupBy(*per)
    if median == "element":
        middle = F.percentile_approx("follower_count", 0.5)
    else:
        middle = F.expr("percentile(follower_count, 0.5)")
    return lines(groups.agg(middle.alias(name)), per)


def joined(users, count, distinct):
    known = users.where("date_joined is not null")
    if count == "people":
        known = known.select("user_name", "age", "date_joined").distinct()
    if count == "rows" and distinct == "ind":
        known = known.groupBy("ind").agg(F.max("date_joined").alias("date_joined"))
    number = F.countDistinct("user_name") if count == "names" else F.count(F.lit(1))
    years = known.groupBy(F.year("date_joined").alias("join_year"))
    return lines(years.agg(number.alias("users")), ["join_year"])


def answers(folder):
    pin, geo, user = (
        spark.read.parquet(f"{folder}/{table}/*.parquet").cache() for table in ("pin", "geo", "user")
    )
    placed = pin.join(geo, "ind").withColumn("post_year", F.year("timestamp")).cache()
    aged, years = age_group(user), join_year(user)
    by_year = posts(placed, ["post_year"]).cache()
    posters = placed.dropna(subset=["country", "poster_name", "follower_count"])
    countries = placed.dropna(subset=["country", "follower_count"])
    for first, last in ((2018, 2022), (2019, 2020), (2000, 2100)):
        within = by_year.where(F.col("post_year").between(first, last))
        order = ["post_year", F.desc("category_count"), "category"]
        yield f"posts-by-category-and-year from={first} to={last}", lines(within, order)
    for ties in ("all", "one"):
        per_country, per_age = posts(placed, ["country"]), posts(pin.join(aged, "ind"), ["age_group"])
        count = "category_count"
        for name, rows in {
            "top-category-by-country": best(per_country, ["country"], "category", count, ties),
            "top-category-by-year": best(by_year, ["post_year"], "category", count, ties),
            "top-category-by-age-group": best(per_age, ["age_group"], "category", count, ties),
            "top-poster-by-country": best(posters, ["country"], "poster_name", "follower_count", ties),
            "top-country-by-followers": best(countries, [], "country", "follower_count", ties),
        }.items():
            yield f"{name} ties={ties}", rows
    for distinct in ("ind", "none"):
        for how in ("element", "interpolated"):
            for name, users, per in (
                ("age-group", aged, ["age_group"]),
                ("join-year", years, ["join_year"]),
                ("age-group-and-join-year", join_year(aged), ["age_group", "join_year"]),
            ):
                rows = median(pin, users, per, how, distinct)
                yield f"median-followers-by-{name} median={how} distinct={distinct}", rows
        for count in ("people", "rows", "names"):
            rows = joined(user, count, distinct)
            yield f"users-joined-by-year count={count} distinct={distinct}", rows


print(json.dumps({folder: dict(answers(folder)) for folder in sys.argv[1:]}))
