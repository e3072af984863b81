//! `JOIN … USING` shows each key once, in front.

use super::*;

/// Tables with keys at other places than the first.
const TABLES: &str = "WITH a AS (SELECT n AS x, n + 10 AS k, n % 2 AS m FROM pin WHERE n < 4), \
    b AS (SELECT n % 2 AS m, n + 11 AS k, category AS c FROM pin WHERE n < 3), \
    c AS (SELECT category AS c, n + 10 AS k, n AS w FROM pin WHERE n BETWEEN 1 AND 2) ";

fn columns(frame: &DataFrame) -> String {
    let names = frame.get_column_names();
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ")
}

/// Asks for the columns and the rows of each.
fn all_show(cases: &[(&str, &str, &[&str])]) {
    for world in worlds().map(World::filled) {
        let catalog = world.catalog(None);
        for (sql, expected, rows) in cases {
            let sql = format!("{TABLES}{sql}");
            let frame = catalog.answer(&sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
            assert_eq!(columns(&frame), *expected, "{sql}");
            assert_eq!(shown(&frame), *rows, "{sql}");
        }
    }
}

#[test]
fn keys_are_shown_once_and_before_all_others() {
    // a has (x, k, m) = (0, 10, 0) to (3, 13, 1); b (m, k, c) = (0, 11, art), (1, 12, food)
    // and (0, 13, null); c (c, k, w) = (food, 11, 1) and (null, 12, 2).
    all_show(&[
        (
            "SELECT * FROM a JOIN b USING (k) ORDER BY k",
            "k x m m:b c",
            &["11|1|1|0|art", "12|2|0|1|food", "13|3|1|0|null"],
        ),
        (
            "SELECT * FROM a LEFT JOIN b USING (k) ORDER BY k LIMIT 2",
            "k x m m:b c",
            &["10|0|0|null|null", "11|1|1|0|art"],
        ),
        ("SELECT * FROM a INNER JOIN b USING (k, m) ORDER BY k", "k m x c", &[]),
        (
            "SELECT * FROM a JOIN b USING (m) WHERE a.k = 10 ORDER BY b.k",
            "m x k k:b c",
            &["0|0|10|11|art", "0|0|10|13|null"],
        ),
        (
            "SELECT * FROM a JOIN b USING (k) JOIN c USING (k) ORDER BY k",
            "k x m m:b c c:c w",
            &["11|1|1|0|art|food|1", "12|2|0|1|food|null|2"],
        ),
        // The key of the last join comes first.
        (
            "SELECT * FROM a JOIN b USING (k) JOIN c USING (c)",
            "c k x m m:b k:c w",
            &["food|12|2|0|1|11|1"],
        ),
        (
            "SELECT * FROM a JOIN b USING (k) LEFT JOIN c ON c.k = a.k ORDER BY k",
            "k x m m:b c c:c k:c w",
            &["11|1|1|0|art|food|11|1", "12|2|0|1|food|null|12|2", "13|3|1|0|null|null|null|null"],
        ),
        ("SELECT * FROM a AS p JOIN a AS q USING (x, k) WHERE x = 1", "x k m m:q", &["1|11|1|1"]),
        ("SELECT * FROM a SEMI JOIN b USING (k) ORDER BY k LIMIT 1", "k x m", &["11|1|1"]),
        ("SELECT * FROM a ANTI JOIN b USING (k)", "k x m", &["10|0|0"]),
        (
            "SELECT *, x + 1 AS y FROM a JOIN b USING (k) WHERE k = 11",
            "k x m m:b c y",
            &["11|1|1|0|art|2"],
        ),
        (
            "SELECT 7 AS i, * FROM a JOIN b USING (k) WHERE k = 11",
            "i k x m m:b c",
            &["7|11|1|1|0|art"],
        ),
        ("SELECT * EXCLUDE (x, c) FROM a JOIN b USING (k) WHERE k = 11", "k m m:b", &["11|1|0"]),
        ("SELECT * EXCLUDE k FROM a JOIN b USING (k) WHERE k = 11", "x m m:b c", &["1|1|0|art"]),
        ("SELECT * EXCEPT (m) FROM a JOIN b USING (k) WHERE k = 11", "k x m:b c", &["11|1|0|art"]),
        ("FROM a JOIN b USING (k) ORDER BY k LIMIT 1", "k x m m:b c", &["11|1|1|0|art"]),
        ("FROM a JOIN b USING (k) SELECT * WHERE k = 11", "k x m m:b c", &["11|1|1|0|art"]),
        (
            "SELECT DISTINCT ON (m) * FROM a JOIN b USING (k) ORDER BY m, k DESC",
            "k x m m:b c",
            &["12|2|0|1|food", "13|3|1|0|null"],
        ),
        (
            "SELECT * FROM a JOIN b USING (k) QUALIFY ROW_NUMBER() OVER (ORDER BY k DESC) = 1",
            "k x m m:b c",
            &["13|3|1|0|null"],
        ),
        (
            "SELECT * FROM (SELECT * FROM a JOIN b USING (k)) AS d WHERE k = 11",
            "k x m m:b c",
            &["11|1|1|0|art"],
        ),
        (
            "SELECT * FROM (SELECT k, x FROM a) AS d JOIN (SELECT c, k FROM b) AS e USING (k) WHERE k = 11",
            "k x c",
            &["11|1|art"],
        ),
        (
            "SELECT * FROM a JOIN b USING (k) WHERE k = 11 UNION ALL \
             SELECT * FROM a JOIN b USING (k) WHERE k = 12 ORDER BY 1 DESC",
            "k x m m:b c",
            &["12|2|0|1|food", "11|1|1|0|art"],
        ),
        (
            "SELECT * FROM a JOIN b USING (k) ORDER BY 2 DESC LIMIT 1",
            "k x m m:b c",
            &["13|3|1|0|null"],
        ),
        // Of one table, its key is among its columns.
        ("SELECT a.* FROM a JOIN b USING (k) WHERE k = 11", "x k m", &["1|11|1"]),
        (
            "SELECT b.* FROM a LEFT JOIN b USING (k) ORDER BY a.k LIMIT 2",
            "m k c",
            &["null|null|null", "0|11|art"],
        ),
        ("SELECT COUNT(*) AS n FROM a JOIN b USING (k)", "n", &["3"]),
    ]);
}

#[test]
fn a_key_is_that_of_the_left_unless_a_table_is_named() {
    all_show(&[
        (
            "SELECT k, a.k AS i, b.k AS j FROM a LEFT JOIN b USING (k) ORDER BY k LIMIT 2",
            "k i j",
            &["10|10|null", "11|11|11"],
        ),
        ("SELECT x FROM a LEFT JOIN b USING (k) WHERE b.k IS NULL", "x", &["0"]),
        (
            "SELECT k, COUNT(b.k) AS n FROM a LEFT JOIN b USING (k) GROUP BY k ORDER BY k LIMIT 2",
            "k n",
            &["10|0", "11|1"],
        ),
        (
            "SELECT a.x, c.w FROM a LEFT JOIN b USING (k) LEFT JOIN c USING (k) ORDER BY k LIMIT 2",
            "x w",
            &["0|null", "1|1"],
        ),
    ]);
}

#[test]
fn joins_whose_columns_cannot_be_named_are_refused() {
    let [world, _] = worlds().map(World::filled);
    for (sql, expected) in [
        ("SELECT * FROM a NATURAL JOIN b", "name the columns that both tables share"),
        ("SELECT c FROM a NATURAL LEFT JOIN b", "as JOIN b USING (key)"),
        ("SELECT * FROM a RIGHT JOIN b USING (k)", "goes by ON only"),
        ("SELECT * FROM a FULL JOIN b USING (k)", "goes by ON only"),
        ("SELECT x FROM a RIGHT JOIN b ON a.k = b.k JOIN c USING (k)", "goes by ON only"),
        ("SELECT * FROM a, b JOIN c USING (k)", "go with joins in one line"),
        ("SELECT * FROM a JOIN (b JOIN c USING (k)) USING (k)", "go with joins in one line"),
        ("SELECT * FROM (a JOIN b USING (k))", "go with joins in one line"),
        (
            "SELECT * RENAME (k AS i) FROM a JOIN b USING (k)",
            "SELECT * RENAME (k AS i) after USING: put the join into WITH x AS",
        ),
        ("SELECT * REPLACE (1 AS k) FROM a JOIN b USING (k)", "put the join into WITH x AS"),
        ("SELECT *, k FROM a JOIN b USING (k)", "two columns of the answer are called k"),
        ("SELECT * FROM a JOIN b USING (x)", "x"),
    ] {
        let sql = format!("{TABLES}{sql}");
        let error = world.answer(&sql).map(|frame| panic!("{sql}: {frame}")).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{sql}: {error}");
        assert!(error.to_string().contains(expected), "{sql}: {error}");
    }
}
