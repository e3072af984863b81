//! Other engines give the same answers over the same files.

use serde_json::json;

use crate::command::{pinclean, said, succeed};
use crate::peer;

const SCRIPT: &str = include_str!("peers.py");

/// SQL that DuckDB understands too.
const BOTH: [&str; 26] = [
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

/// SQL that Polars for Python answers otherwise: in 32 bits, or by other tables.
const DUCKDB: [&str; 26] = [
    "SELECT category, COUNT(*) - 190 AS n, -COUNT(follower_count) AS m FROM pin GROUP BY category",
    "SELECT COUNT(*) * 10000000 AS n, COUNT(DISTINCT category) - 20 AS c FROM pin",
    "SELECT SUM(CAST(follower_count AS BIGINT) * 100000) AS s FROM pin",
    "SELECT category, SUM(follower_count) AS s, SUM(follower_count) - 9 AS t FROM pin GROUP BY category",
    "SELECT EXTRACT(MONTH FROM \"timestamp\") * 100 + EXTRACT(DAY FROM \"timestamp\") AS d, \
     EXTRACT(YEAR FROM \"timestamp\") * 1000000 AS y FROM geo",
    "SELECT EXTRACT(EPOCH FROM \"timestamp\") AS e, DATE_PART('hour', \"timestamp\") * 60 AS m FROM geo",
    "SELECT LENGTH(category) - 20 AS a, STRPOS(category, 'a') - 5 AS b FROM pin",
    "SELECT ind, ROW_NUMBER() OVER (ORDER BY ind) - 10 AS r FROM (SELECT DISTINCT ind FROM pin) AS x",
    "SELECT ind, RANK() OVER (ORDER BY category) - 10 AS r FROM pin WHERE category IS NOT NULL",
    "SELECT ind, DENSE_RANK() OVER (ORDER BY age DESC) AS r FROM \"user\" WHERE age IS NOT NULL",
    "SELECT SUM(CASE WHEN ind > 0 THEN 2000000 ELSE 0 END) AS s FROM pin",
    "SELECT SUM(ind) OVER () AS s, COUNT(*) OVER () AS n FROM geo",
    "SELECT SUM(ind) OVER () AS s FROM geo",
    "SELECT ind, SUM(ind) OVER (ORDER BY ind ROWS UNBOUNDED PRECEDING) AS s, \
     COUNT(*) OVER (ORDER BY ind DESC ROWS UNBOUNDED PRECEDING) AS n FROM (SELECT DISTINCT ind FROM geo) AS x",
    "SELECT ind, MAX(age) OVER (ORDER BY ind ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS a, \
     MIN(age) OVER (ORDER BY ind ROWS UNBOUNDED PRECEDING) AS b \
     FROM (SELECT ind, MAX(age) AS age FROM \"user\" GROUP BY ind) AS x",
    "SELECT ind, LAG(ind) OVER (ORDER BY ind) AS a, LEAD(ind, 2) OVER (ORDER BY ind) AS b, \
     FIRST_VALUE(ind) OVER (ORDER BY ind DESC) AS c FROM (SELECT DISTINCT ind FROM geo) AS x",
    "SELECT RANK() OVER (ORDER BY follower_count DESC NULLS LAST) AS r, follower_count FROM pin",
    "SELECT AVG(age) OVER (PARTITION BY user_name) AS a, MEDIAN(age) OVER (PARTITION BY user_name) AS m, \
     STDDEV(age) OVER (PARTITION BY age) AS s FROM \"user\"",
    "SELECT RANK() OVER w AS r, COUNT(*) OVER w AS n FROM (SELECT DISTINCT ind FROM geo) AS x \
     WINDOW w AS (ORDER BY ind ROWS UNBOUNDED PRECEDING)",
    "SELECT COUNT(*) AS n FROM pin WHERE (follower_count > 5) IS NOT TRUE",
    "SELECT (follower_count > 500) IS NOT FALSE AS a, (follower_count > 500) IS TRUE AS b FROM pin",
    "SELECT a.ind AS x, b.country AS y, c.age AS z FROM pin a JOIN geo b ON a.ind = b.ind \
     JOIN \"user\" c ON c.ind = a.ind AND c.ind = b.ind",
    "SELECT k.name, g.country, h.ind FROM (SELECT 'x' AS name) AS k CROSS JOIN geo g JOIN geo h \
     ON h.ind = g.ind AND h.country = g.country",
    "SELECT category, COUNT(*) AS n FROM pin GROUP BY category ORDER BY COUNT(*) DESC, category LIMIT 3",
    "SELECT g.country AS x, h.ind AS y FROM geo g, pin p, geo h WHERE p.ind = g.ind AND h.ind = p.ind",
    "SELECT ind FROM geo WHERE \"timestamp\" >= DATE '2020-02-29' AND \"timestamp\" < TIMESTAMP '2020-06-01 12:00:00'",
];

/// SQL whose answer has an order, with nulls in it.
const ORDERED: [&str; 22] = [
    "SELECT DISTINCT category FROM pin ORDER BY category LIMIT 5",
    "SELECT DISTINCT category FROM pin ORDER BY category DESC LIMIT 5",
    "SELECT follower_count FROM pin ORDER BY follower_count LIMIT 500",
    "SELECT follower_count FROM pin ORDER BY follower_count DESC",
    "SELECT follower_count FROM pin ORDER BY follower_count DESC NULLS FIRST LIMIT 500",
    "SELECT category, follower_count FROM pin ORDER BY category DESC, follower_count",
    "SELECT category, follower_count FROM pin ORDER BY 2 DESC, 1 NULLS LAST LIMIT 700 OFFSET 100",
    "SELECT follower_count * -1 AS f, poster_name FROM pin ORDER BY f, UPPER(poster_name) DESC, poster_name",
    "SELECT category, MAX(follower_count) AS m FROM pin GROUP BY category ORDER BY m DESC, category",
    "SELECT follower_count FROM pin UNION SELECT ind FROM geo ORDER BY follower_count DESC",
    "SELECT category FROM pin EXCEPT SELECT country FROM geo ORDER BY category",
    "WITH few AS (SELECT unique_id, follower_count FROM pin ORDER BY follower_count, unique_id LIMIT 9) \
     SELECT unique_id, follower_count FROM few ORDER BY follower_count DESC, unique_id",
    "SELECT follower_count, RANK() OVER (ORDER BY follower_count) AS a, \
     DENSE_RANK() OVER (ORDER BY follower_count DESC) AS b, \
     RANK() OVER (ORDER BY follower_count NULLS LAST) AS c FROM pin ORDER BY follower_count",
    "SELECT category, follower_count, RANK() OVER (PARTITION BY category ORDER BY follower_count DESC) AS r \
     FROM pin ORDER BY category, r",
    "SELECT category, follower_count, poster_name, \
     RANK() OVER (ORDER BY category DESC, follower_count, poster_name DESC NULLS FIRST) AS r \
     FROM pin ORDER BY r",
    "SELECT unique_id, ROW_NUMBER() OVER (ORDER BY follower_count DESC, unique_id) AS r \
     FROM (SELECT DISTINCT unique_id, follower_count FROM pin) AS x ORDER BY r",
    "SELECT category, unique_id FROM (SELECT DISTINCT category, unique_id, follower_count FROM pin) AS x \
     QUALIFY ROW_NUMBER() OVER (PARTITION BY category ORDER BY unique_id DESC) = 1 ORDER BY category",
    "SELECT unique_id, LAG(unique_id) OVER (ORDER BY follower_count, unique_id) AS a, \
     LEAD(unique_id, 2) OVER (ORDER BY follower_count DESC, unique_id) AS b, \
     FIRST_VALUE(unique_id) OVER (PARTITION BY follower_count ORDER BY unique_id DESC) AS c \
     FROM (SELECT DISTINCT unique_id, follower_count FROM pin) AS x ORDER BY unique_id, a, b",
    "SELECT unique_id, COUNT(*) OVER (ORDER BY follower_count DESC, unique_id ROWS UNBOUNDED PRECEDING) AS a, \
     COUNT(follower_count) OVER (ORDER BY follower_count, unique_id ROWS UNBOUNDED PRECEDING) AS b \
     FROM (SELECT DISTINCT unique_id, follower_count FROM pin) AS x ORDER BY unique_id, a",
    "SELECT category, ARRAY_AGG(follower_count ORDER BY follower_count DESC) AS a, \
     ARRAY_AGG(follower_count ORDER BY follower_count) AS b FROM pin GROUP BY category ORDER BY category DESC",
    "SELECT category, STRING_AGG(poster_name, '|' ORDER BY follower_count DESC, poster_name) AS a \
     FROM (SELECT DISTINCT category, poster_name, follower_count FROM pin) AS x \
     GROUP BY category ORDER BY category",
    "SELECT ind, coordinates[1] AS a, coordinates[2] AS b, coordinates[3] AS c, coordinates[-1] AS d \
     FROM geo ORDER BY ind, a, b, country",
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
    let both = BOTH.map(|sql| (sql, json!(["DuckDB", "Polars"]), false));
    let polars = POLARS.map(|sql| (sql, json!(["Polars"]), false));
    let duckdb = DUCKDB.map(|sql| (sql, json!(["DuckDB"]), false));
    let ordered = ORDERED.map(|sql| (sql, json!(["DuckDB"]), true));
    let all = both.into_iter().chain(polars).chain(duckdb).chain(ordered);
    for (number, (sql, engines, ordered)) in all.enumerate() {
        let answer = format!("{number}.parquet");
        let ask = ["query", sql, "--save", &answer];
        let output = pinclean(folder, &ask).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", said(&output));
        let case = json!({ "sql": sql, "answer": answer, "engines": engines, "ordered": ordered });
        cases.push_str(&format!("{case}\n"));
    }
    std::fs::write(folder.join("cases.ndjson"), cases).unwrap();
    let output = peer::run(&python, folder, SCRIPT, &["clean", "cases.ndjson"]);
    assert!(output.status.success(), "{}", said(&output));
    print!("{}", String::from_utf8_lossy(&output.stdout));
}
