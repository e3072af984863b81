//! Other engines give the same answers over the same files.

use serde_json::json;

use crate::command::{pinclean, said, succeed};
use crate::peer;

const SCRIPT: &str = include_str!("peers.py");

/// SQL that DuckDB understands too.
const BOTH: [&str; 27] = [
    "SELECT category, COUNT(*) AS posts, MAX(follower_count) AS top FROM pin GROUP BY category",
    "SELECT COUNT(*) AS n, COUNT(follower_count) AS known, COUNT(DISTINCT category) AS c FROM pin",
    "SELECT g.country, p.category, COUNT(*) AS n FROM pin p JOIN geo g ON p.ind = g.ind \
     GROUP BY g.country, p.category",
    "SELECT p.ind, u.age, u.user_name FROM pin p LEFT JOIN \"user\" u ON p.ind = u.ind",
    "SELECT p.ind, u.age FROM pin p JOIN \"user\" u ON p.ind = u.ind AND p.follower_count > u.age",
    "SELECT p.category, g.country, u.user_name FROM pin p JOIN geo g ON p.ind = g.ind \
     JOIN \"user\" u ON g.ind = u.ind WHERE u.age > 30",
    "SELECT country, ind, ROW_NUMBER() OVER (PARTITION BY country ORDER BY ind) AS place FROM geo",
    "WITH counted AS (SELECT g.country, p.category, COUNT(DISTINCT p.unique_id) AS n \
     FROM pin p JOIN geo g ON p.ind = g.ind GROUP BY g.country, p.category), \
     ranked AS (SELECT country, category, n, RANK() OVER (PARTITION BY country ORDER BY n DESC) AS r \
     FROM counted) SELECT country, category, n FROM ranked WHERE r = 1",
    "SELECT EXTRACT(YEAR FROM \"timestamp\") AS y, EXTRACT(MONTH FROM \"timestamp\") AS m, \
     COUNT(*) AS n FROM geo GROUP BY y, m",
    "SELECT ind, \"timestamp\" FROM geo WHERE \"timestamp\" >= '2019-06-01' AND \"timestamp\" < '2021-01-01'",
    "SELECT CAST(date_joined AS DATE) AS d, COUNT(*) AS n FROM \"user\" GROUP BY d",
    "SELECT ind, coordinates, ARRAY_LENGTH(coordinates) AS n FROM geo",
    "SELECT ind, coordinates[1] AS latitude FROM geo WHERE coordinates[2] > 0",
    "SELECT category, COUNT(*) AS n FROM pin GROUP BY category HAVING COUNT(*) > 20",
    "SELECT CASE WHEN age < 25 THEN 'young' WHEN age < 51 THEN 'grown' ELSE 'old' END AS a, \
     COUNT(*) AS n FROM \"user\" GROUP BY a",
    "SELECT ind FROM pin UNION ALL SELECT ind FROM geo",
    "SELECT ind FROM pin EXCEPT SELECT ind FROM geo WHERE ind < 6000",
    "SELECT ind, category FROM pin WHERE ind IN (SELECT ind FROM geo WHERE country LIKE 'A%')",
    "SELECT u.age, QUANTILE_DISC(p.follower_count, 0.5) AS median FROM pin p \
     JOIN \"user\" u ON p.ind = u.ind GROUP BY u.age",
    "SELECT DISTINCT UPPER(category) AS c, LENGTH(category) AS n, SUBSTR(category, 2, 3) AS s FROM pin",
    "SELECT DISTINCT category FROM pin ORDER BY category LIMIT 5",
    "SELECT code, \"column\", COUNT(*) AS n FROM quarantine_pin GROUP BY code, \"column\"",
    "SELECT COUNT(*) AS n, SUM(COALESCE(follower_count, -1)) AS s FROM pin \
     WHERE NOT (follower_count > 1000) OR title IS NULL",
    "SELECT category, AVG(follower_count) AS mean, STDDEV(follower_count) AS sd FROM pin \
     GROUP BY category HAVING COUNT(follower_count) > 1",
    "SELECT p.ind AS p, g.ind AS g FROM pin p FULL JOIN (SELECT * FROM geo WHERE ind > 5000) AS g \
     ON p.ind = g.ind",
    "SELECT p.category, SUM(p.follower_count) OVER (PARTITION BY p.category) AS s FROM pin p \
     WHERE p.ind NOT IN (SELECT ind FROM \"user\" WHERE age < 30)",
    "SELECT a.ind AS a, b.ind AS b FROM geo a JOIN geo b ON a.country = b.country AND a.ind < b.ind",
];

/// SQL with words of Polars alone.
const POLARS: [&str; 3] = [
    "SELECT ind FROM pin SEMI JOIN geo ON pin.ind = geo.ind",
    "SELECT category, QUANTILE_CONT(follower_count, 0.5) AS q, MEDIAN(follower_count) AS m \
     FROM pin GROUP BY category",
    "SELECT * FROM (SELECT country, COUNT(*) AS n FROM geo GROUP BY country) AS c ORDER BY n DESC, country LIMIT 3",
];

#[test]
fn other_engines_give_the_same_answers_over_the_same_files() {
    let Some(python) = peer::python() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    for rows in ["1500", "2500"] {
        let emulate = ["emulate", "in", "--rows", rows, "--bad-rate", "3%", "--flush-size", "100"];
        succeed(folder, &emulate);
        succeed(folder, &["run", "--source", "in"]);
    }
    let mut cases = String::new();
    let both = BOTH.map(|sql| (sql, json!(["DuckDB", "Polars"])));
    let polars = POLARS.map(|sql| (sql, json!(["Polars"])));
    for (number, (sql, engines)) in both.into_iter().chain(polars).enumerate() {
        let answer = format!("{number}.parquet");
        let ask = ["query", sql, "--save", &answer];
        let output = pinclean(folder, &ask).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", said(&output));
        let case = json!({ "sql": sql, "answer": answer, "engines": engines });
        cases.push_str(&format!("{case}\n"));
    }
    std::fs::write(folder.join("cases.ndjson"), cases).unwrap();
    let output = peer::run(&python, folder, SCRIPT, &["clean", "cases.ndjson"]);
    assert!(output.status.success(), "{}", said(&output));
    print!("{}", String::from_utf8_lossy(&output.stdout));
}
