//! What SQL means is what is computed, or it is refused.

use super::*;

/// What is wrong of each would have passed for right: nothing else says it.
#[test]
fn whole_numbers_are_as_wide_as_in_sql() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT COUNT(*) - 100 AS a, COUNT(likes) - 100 AS b FROM pin", &["-88|-96"]),
        ("SELECT COUNT(DISTINCT category) - 10 AS a, -COUNT(*) AS b FROM pin", &["-8|-12"]),
        ("SELECT COUNT(*) FILTER (WHERE n > 2) - 100 AS a FROM pin", &["-91"]),
        ("SELECT COUNT(*) * 1000000000 AS a FROM pin", &["12000000000"]),
        ("SELECT SUM(likes) * 1000000000 AS a FROM pin", &["380000000000"]),
        ("SELECT SUM(likes * 100000000) AS a FROM pin", &["38000000000"]),
        ("SELECT SUM(likes * 100000000) OVER () AS a FROM pin LIMIT 1", &["38000000000"]),
        ("SELECT SUM(CAST(likes AS INT) * 100000000) AS a FROM pin", &["38000000000"]),
        ("SELECT SUM(n > 1) - 100 AS a, SUM((n IS NULL)) - 1 AS b FROM pin", &["-90|-1"]),
        ("SELECT SUM(CASE WHEN n >= 0 THEN 1000000000 ELSE 0 END) AS a FROM pin", &["12000000000"]),
        ("SELECT SUM(a) AS a FROM (SELECT -1000000000 AS a FROM pin) AS x", &["-12000000000"]),
        ("SELECT SUM(IF(n >= 0, 1000000000, 0)) AS a FROM pin", &["12000000000"]),
        ("SELECT LENGTH('abc') - 10 AS a, STRPOS('abc', 'c') - 4 AS b", &["-7|-1"]),
        ("SELECT ARRAY_LENGTH(tags) - 10 AS a FROM pin LIMIT 1", &["-8"]),
        ("SELECT POSITION('c' IN 'abc') - 10 AS a, BIT_LENGTH('a') - 10 AS b", &["-7|-2"]),
        ("SELECT EXTRACT(YEAR FROM at) * 1000000 AS a FROM pin LIMIT 1", &["2024000000"]),
        ("SELECT EXTRACT(MONTH FROM at) * 1000 AS a FROM pin LIMIT 1", &["1000"]),
        ("SELECT DATE_PART('day', at) * 1000 AS a FROM pin LIMIT 1", &["1000"]),
        (
            "SELECT EXTRACT(EPOCH FROM TIMESTAMP '2024-01-01 00:00:00.5') - 1704067200 AS a",
            &["0.5"],
        ),
        ("SELECT n, ROW_NUMBER() OVER (ORDER BY n DESC) - 100 AS a FROM pin LIMIT 1", &["0|-88"]),
        ("SELECT n, RANK() OVER (ORDER BY n) - 10 AS a FROM pin LIMIT 1", &["0|-9"]),
        ("SELECT n, DENSE_RANK() OVER (ORDER BY n) - 10 AS a FROM pin LIMIT 1", &["0|-9"]),
        (
            "SELECT category AS c, COUNT(*) - 10 AS a FROM pin GROUP BY c HAVING COUNT(*) - 5 < 0 \
             ORDER BY COUNT(*) - 10, c",
            &["null|-6", "art|-6", "food|-6"],
        ),
        (
            "SELECT EXTRACT(HOUR FROM at) * 100 AS h, COUNT(*) FROM pin GROUP BY h ORDER BY h LIMIT 1",
            &["0|1"],
        ),
        (
            "SELECT DISTINCT LENGTH(category) * -1 AS l FROM pin WHERE category IS NOT NULL ORDER BY l",
            &["-4", "-3"],
        ),
        ("SELECT n FROM pin QUALIFY ROW_NUMBER() OVER (ORDER BY n DESC) - 3 < -1", &["11"]),
    ];
    all_answer(cases);
}

#[test]
fn columns_without_a_name_are_called_as_polars_calls_them() {
    let [world, _] = worlds().map(World::filled);
    for (sql, expected) in [
        (
            "SELECT COUNT(*), SUM(n), EXTRACT(YEAR FROM at), LENGTH(category) FROM pin",
            ["len", "n", "at", "category"],
        ),
        ("SELECT *  EXCLUDE (tags) FROM pin", ["n", "category", "at", "likes"]),
    ] {
        let frame = world.answer(sql).unwrap();
        let names: Vec<&str> = frame.get_column_names().iter().map(|name| name.as_str()).collect();
        assert_eq!(names, expected, "{sql}");
    }
}

#[test]
fn what_polars_would_compute_as_something_else_is_computed_as_sql_has_it() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT COUNT(*) AS a FROM pin WHERE likes > 70 IS NOT TRUE", &["8"]),
        ("SELECT COUNT(*) AS a FROM pin WHERE likes > 70 IS NOT FALSE", &["12"]),
        ("SELECT COUNT(*) AS a FROM pin WHERE NOT (likes > 100 IS TRUE)", &["11"]),
        (
            "SELECT (likes > 100) IS FALSE AS a, COUNT(*) AS b FROM pin GROUP BY a ORDER BY a",
            &["false|9", "true|3"],
        ),
        ("SELECT - -n AS a, -(-n) AS b FROM pin WHERE n = 3", &["3|3"]),
        // One row for each, not one of all.
        ("SELECT COUNT(*) OVER () AS a FROM pin LIMIT 2", &["12", "12"]),
        (
            "SELECT n, COUNT(*) OVER w AS a, RANK() OVER w AS b FROM pin \
             WINDOW w AS (ORDER BY n ROWS UNBOUNDED PRECEDING) ORDER BY n LIMIT 2",
            &["0|1|1", "1|2|2"],
        ),
        (
            "SELECT likes, ROW_NUMBER() OVER (ORDER BY likes NULLS LAST) AS a FROM pin ORDER BY a LIMIT 1",
            &["80|1"],
        ),
        (
            "SELECT likes, ROW_NUMBER() OVER (ORDER BY likes DESC NULLS LAST) AS a FROM pin ORDER BY a LIMIT 1",
            &["110|1"],
        ),
        (
            "SELECT likes, RANK() OVER (ORDER BY likes DESC NULLS FIRST) AS a FROM pin ORDER BY a DESC LIMIT 1",
            &["80|12"],
        ),
        (
            "SELECT category, COUNT(*) FROM pin GROUP BY category ORDER BY COUNT(*), category DESC LIMIT 1",
            &["food|4"],
        ),
        (
            "SELECT category, MAX(n) AS m FROM pin GROUP BY category ORDER BY MAX(n) * -1 LIMIT 1",
            &["null|11"],
        ),
        // Both have an `n`, and the third is joined to the second.
        (
            "SELECT a.n, b.n AS m, c.n AS o FROM pin a JOIN plain b ON a.n = b.n + 1 \
             JOIN geo c ON c.n = b.n",
            &[],
        ),
        (
            "SELECT a.code, b.n, c.n AS o FROM (SELECT 'x' AS code, 2 AS k) AS a \
             JOIN pin b ON a.k = b.n JOIN plain c ON c.n = b.n",
            &["x|2|2"],
        ),
        (
            "SELECT a.n, c.likes FROM plain a, pin b, pin c WHERE b.n = a.n AND c.n = b.n AND a.n = 2",
            &["2|null"],
        ),
    ];
    all_answer(cases);
}

#[test]
fn what_polars_would_compute_as_something_else_is_refused() {
    let cases = [
        ("SELECT SUM(COUNT(*)) OVER () FROM pin GROUP BY category", "OVER together with GROUP BY"),
        ("SELECT CAST(n AS UTINYINT) FROM pin", "there is no UTINYINT here; use INTEGER"),
        ("SELECT TRY_CAST(n AS SMALLINT UNSIGNED) FROM pin", "no SMALLINT UNSIGNED here"),
        ("SELECT 1 + n::uint16 FROM pin", "use INTEGER"),
        (
            "SELECT category, ROW_NUMBER() OVER (ORDER BY category) FROM pin GROUP BY category",
            "OVER together with GROUP BY",
        ),
        (
            "SELECT SUM(COUNT(*)) OVER () FROM pin",
            "SUM(COUNT(*)) OVER (): an aggregate inside of OVER: group and count in WITH",
        ),
        ("SELECT RANK() OVER (ORDER BY MAX(n)) FROM pin", "an aggregate inside of OVER"),
        (
            "SELECT AVG(n) OVER (ORDER BY n) FROM pin",
            "AVG(n) OVER (ORDER BY n): this function is computed over whole partitions only",
        ),
        (
            "SELECT MEDIAN(n) OVER (PARTITION BY category ORDER BY n) FROM pin",
            "leave ORDER BY out of OVER",
        ),
        ("SELECT COUNT(DISTINCT n) OVER (ORDER BY n) FROM pin", "leave ORDER BY out of OVER"),
        (
            "SELECT SUM(n) OVER (PARTITION BY category ROWS UNBOUNDED PRECEDING) FROM pin",
            "goes with ORDER BY only",
        ),
        (
            "SELECT LAST_VALUE(n) OVER (ORDER BY n) FROM pin",
            "use FIRST_VALUE, and order the other way round",
        ),
        (
            "SELECT QUANTILE_CONT(n, 0.5) OVER (PARTITION BY category) FROM pin",
            "cannot be computed with OVER",
        ),
        ("SELECT COUNT(*) OVER w FROM pin", "there is no such WINDOW"),
        ("SELECT SUM(1) FROM pin", "SUM(1): there is no column in it; use COUNT(*)"),
        ("SELECT n FROM pin WHERE COUNT(*) > 1", "nothing to aggregate yet in WHERE; use HAVING"),
        ("SELECT 1 AS a WHERE 1 = 0", "WHERE 1 = 0 needs a table: add FROM"),
        ("SELECT n FROM pin RIGHT SEMI JOIN plain ON pin.n = plain.n", "FROM b SEMI JOIN a"),
        ("SHOW TABLES LIKE 'p%'", "SHOW TABLES goes without LIKE"),
        (
            "SELECT n FROM pin WHERE at < DATE '2024-02-30'",
            "DATE '2024-02-30': there is no such date",
        ),
        ("SELECT TIMESTAMP '2024-13-01 10:00:00' AS t", "there is no such date"),
        (
            "SELECT * EXCLUDE (categry) FROM pin",
            "there is no column categry in pin; did you mean `category`?",
        ),
        (
            "SELECT a.n FROM pin a JOIN plain b ON a.n = b.n JOIN geo c ON a.n = b.n",
            "ON a.n = b.n: a condition of a join has to compare the table that is joined",
        ),
        (
            "SELECT a.n FROM pin a JOIN plain b ON a.n = c.n JOIN geo c ON a.n = c.n",
            "the table that is joined",
        ),
        (
            "SELECT a.n FROM pin a JOIN plain b ON a.n = b.n AND a.n IN (1, 2)",
            "ON takes only comparisons",
        ),
        (
            "SELECT n FROM pin RIGHT JOIN plain USING (n)",
            "goes by ON only: say ON a.key = b.key, and COALESCE(a.key, b.key)",
        ),
        ("SELECT n FROM pin NATURAL FULL JOIN plain", "name the columns that both tables share"),
        (
            "SELECT category FROM pin GROUP BY category ORDER BY MAX(n)",
            "ORDER BY MAX(n): put it into the SELECT list, name it with AS",
        ),
        (
            "SELECT COUNT(*) FROM pin GROUP BY EXTRACT(YEAR FROM at), EXTRACT(DAY FROM at)",
            "GROUP BY has two keys called at: name them with AS in WITH",
        ),
        (
            "SELECT g.category FROM quarantine_pin g JOIN pin p ON g.code = p.category",
            "there is no column category in g\npin has n, category",
        ),
        (
            "SELECT b.category AS c, COUNT(*) FROM pin a JOIN pin b ON a.n = b.n GROUP BY b.category",
            "b.category cannot be used here: name it with AS",
        ),
        (
            "WITH pins AS (SELECT n FROM pin) SELECT n FROM pinz",
            "there is no table pinz in out; did you mean `pin`?",
        ),
        (
            "SELECT * FROM (WITH x AS (SELECT 1 AS a) SELECT * FROM x) AS z",
            "put WITH in front of the whole statement",
        ),
        (
            "SELECT COUNT(*) FROM pin GROUP BY category HAVING category LIKE 'a%'",
            "a column of GROUP BY goes into WHERE",
        ),
    ];
    let [world, _] = worlds().map(World::filled);
    for (sql, expected) in cases {
        let error = world.answer(sql).map(|frame| panic!("{sql}: {frame}")).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{sql}: {error}");
        assert!(error.to_string().contains(expected), "{sql}: {error}");
    }
}

#[test]
fn no_syntax_trees_are_shown() {
    let [world, _] = worlds().map(World::filled);
    for (sql, expected) in [
        (
            "SELECT n FROM pin WHERE EXISTS (SELECT 1 FROM plain WHERE n = 9)",
            "expressions of this kind are not supported: Exists",
        ),
        (
            "SELECT COUNT(DISTINCT (category, n)) FROM pin",
            "expressions of this kind are not supported: Tuple",
        ),
        (
            "SELECT category FROM pin GROUP BY ROLLUP(category)",
            "expressions of this kind are not supported: Rollup",
        ),
        (
            "SELECT COUNT(*) FROM pin HAVING COUNT(*) > 1",
            "HAVING clause not valid outside of GROUP BY",
        ),
        (
            "SELECT n FROM pin WHERE n = ANY (SELECT n FROM pin)",
            "a subquery cannot stand here, but after IN; for a single value, CROSS JOIN (SELECT …) AS x",
        ),
        (
            "SELECT n FROM pin WHERE n > (SELECT AVG(n) FROM pin)",
            "a subquery cannot stand here, but after IN; for a single value, CROSS JOIN (SELECT …) AS x",
        ),
        ("SELECT (n).x FROM pin", "dot-notation field access is currently unsupported"),
        ("SELECT n[1].x FROM pin", "complex field access chains are currently unsupported"),
    ] {
        let error = world.answer(sql).map(|frame| panic!("{sql}: {frame}")).unwrap_err();
        assert_eq!(error.to_string(), expected, "{sql}");
    }
}
