//! Nulls stand first when ascending and last when descending, as in Spark, unless the
//! statement says otherwise.

use std::cmp::Ordering;

use super::*;

/// `pin` with nulls in columns of every type. [`Column::of`] has the same values.
const MIXED: &str = "WITH mixed AS (SELECT n, category AS s, \
    CASE WHEN n % 4 = 1 THEN NULL ELSE n % 5 END AS x, \
    CASE WHEN n % 3 = 0 THEN NULL ELSE at END AS t, \
    CASE WHEN n % 4 = 2 THEN NULL ELSE n % 2 = 0 END AS b, \
    CASE WHEN n % 5 = 0 THEN NULL ELSE (n % 3) / 2.0 END AS f FROM pin) ";

const ROWS: std::ops::Range<i64> = 0..12;

/// A column of `mixed`, or an expression over it.
#[derive(Clone, Copy, PartialEq)]
enum Column {
    Text,
    Number,
    Time,
    Bool,
    Float,
    Sum,
}

impl Column {
    const ALL: [Column; 6] =
        [Column::Text, Column::Number, Column::Time, Column::Bool, Column::Float, Column::Sum];

    fn sql(self) -> &'static str {
        match self {
            Column::Text => "s",
            Column::Number => "x",
            Column::Time => "t",
            Column::Bool => "b",
            Column::Float => "f",
            Column::Sum => "n + x",
        }
    }

    /// The value in row `n`, as a number that orders alike.
    fn of(self, n: i64) -> Option<i64> {
        match self {
            Column::Text => (n % 3 != 2).then_some(n % 2),
            Column::Number => (n % 4 != 1).then_some(n % 5),
            Column::Time => (n % 3 != 0).then_some(n),
            Column::Bool => (n % 4 != 2).then_some(i64::from(n % 2 == 0)),
            Column::Float => (n % 5 != 0).then_some(n % 3),
            Column::Sum => Column::Number.of(n).map(|x| n + x),
        }
    }
}

/// A key of ORDER BY.
#[derive(Clone, Copy)]
struct SortKey {
    column: Column,
    descending: bool,
    nulls_first: Option<bool>,
}

impl SortKey {
    /// All keys of a column.
    fn all(column: Column) -> Vec<SortKey> {
        let mut keys = Vec::new();
        for descending in [false, true] {
            for nulls_first in [None, Some(true), Some(false)] {
                keys.push(SortKey { column, descending, nulls_first });
            }
        }
        keys
    }

    fn sql(self) -> String {
        let direction = if self.descending { " DESC" } else { "" };
        let nulls = match self.nulls_first {
            None => "",
            Some(true) => " NULLS FIRST",
            Some(false) => " NULLS LAST",
        };
        format!("{}{direction}{nulls}", self.column.sql())
    }

    fn compare(self, a: i64, b: i64) -> Ordering {
        let nulls_first = self.nulls_first.unwrap_or(!self.descending);
        match (self.column.of(a), self.column.of(b)) {
            (Some(a), Some(b)) if self.descending => b.cmp(&a),
            (Some(a), Some(b)) => a.cmp(&b),
            (None, None) => Ordering::Equal,
            (None, Some(_)) if nulls_first => Ordering::Less,
            (Some(_), None) if !nulls_first => Ordering::Less,
            _ => Ordering::Greater,
        }
    }
}

/// The order that a statement asks for.
struct SortOrder(Vec<SortKey>);

impl SortOrder {
    fn sql(&self) -> String {
        self.0.iter().map(|key| key.sql()).collect::<Vec<_>>().join(", ")
    }

    fn compare(&self, a: i64, b: i64) -> Ordering {
        self.0.iter().map(|key| key.compare(a, b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// Rows in this order; those that are level by `n`.
    fn sorted(&self) -> Vec<i64> {
        let mut rows: Vec<i64> = ROWS.collect();
        rows.sort_by(|a, b| self.compare(*a, *b).then(a.cmp(b)));
        rows
    }

    fn rank(&self, n: i64) -> usize {
        1 + ROWS.filter(|other| self.compare(*other, n).is_lt()).count()
    }

    fn dense_rank(&self, n: i64) -> usize {
        let mut before: Vec<i64> = ROWS.filter(|other| self.compare(*other, n).is_lt()).collect();
        before.sort_by(|a, b| self.compare(*a, *b));
        before.dedup_by(|a, b| self.compare(*a, *b).is_eq());
        1 + before.len()
    }

    /// The rows of the partition that row `n` is in, which goes by `n % 2`.
    fn partition(&self, n: i64) -> Vec<i64> {
        self.sorted().into_iter().filter(|other| other % 2 == n % 2).collect()
    }
}

/// Every order by one key, and by two of different columns that say or do not say where
/// nulls stand.
fn orders() -> Vec<SortOrder> {
    let mut orders = Vec::new();
    for first in Column::ALL {
        for key in SortKey::all(first) {
            orders.push(SortOrder(vec![key]));
            for second in Column::ALL.into_iter().filter(|second| *second != first) {
                let keys = SortKey::all(second).into_iter().filter(|second| {
                    // One of both is enough for the words.
                    key.nulls_first.is_none() || second.nulls_first.is_none()
                });
                orders.extend(keys.map(|second| SortOrder(vec![key, second])));
            }
        }
    }
    orders
}

fn ask(catalog: &Catalog, sql: &str) -> Vec<String> {
    let sql = format!("{MIXED}{sql}");
    shown(&catalog.answer(&sql).unwrap_or_else(|e| panic!("{sql}: {e}")))
}

fn text(numbers: &[i64]) -> Vec<String> {
    numbers.iter().map(ToString::to_string).collect()
}

#[test]
fn a_statement_is_ordered_as_the_model_has_it() {
    let [world, _] = worlds().map(World::filled);
    let catalog = world.catalog(None);
    for order in orders() {
        let keys = order.sql();
        let sorted = order.sorted();
        let rows = ask(&catalog, &format!("SELECT n FROM mixed ORDER BY {keys}, n"));
        assert_eq!(rows, text(&sorted), "{keys}");
        let rows = ask(&catalog, &format!("SELECT n FROM mixed ORDER BY {keys}, n LIMIT 3"));
        assert_eq!(rows, text(&sorted[..3]), "{keys}");
    }
}

#[test]
fn windows_are_ordered_as_the_model_has_it() {
    let [world, _] = worlds().map(World::filled);
    let catalog = world.catalog(None);
    for order in orders() {
        let keys = order.sql();
        let over = format!("OVER (PARTITION BY n % 2 ORDER BY {keys}, n)");
        let sql = format!(
            "SELECT RANK() OVER (ORDER BY {keys}) AS a, DENSE_RANK() OVER (ORDER BY {keys}) AS b, \
             ROW_NUMBER() {over} AS c, FIRST_VALUE(n) {over} AS d, LAG(n) {over} AS e, \
             SUM(n) {over} AS f, COUNT(*) OVER (ORDER BY {keys}, n) AS g FROM mixed ORDER BY n"
        );
        // Polars calls both `n + x` and `n` n.
        let sql = match order.0.iter().any(|key| key.column == Column::Sum) {
            true => sql.replace("n + x", "x + n"),
            false => sql,
        };
        if sql.contains("x + n") && order.0.iter().any(|key| key.column == Column::Number) {
            continue;
        }
        let expected: Vec<String> = ROWS
            .map(|n| {
                let partition = order.partition(n);
                let at = partition.iter().position(|other| *other == n).unwrap();
                let lag = at.checked_sub(1).map(|before| partition[before].to_string());
                format!(
                    "{}|{}|{}|{}|{}|{}|{}",
                    order.rank(n),
                    order.dense_rank(n),
                    at + 1,
                    partition[0],
                    lag.unwrap_or_else(|| "null".to_owned()),
                    partition[..=at].iter().sum::<i64>(),
                    1 + order.sorted().iter().position(|other| *other == n).unwrap(),
                )
            })
            .collect();
        assert_eq!(ask(&catalog, &sql), expected, "{keys}");
    }
}

/// `likes` is null up to 7, and `category` for each third.
#[test]
fn nulls_stand_as_in_spark_wherever_something_is_ordered() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT likes FROM pin ORDER BY likes LIMIT 1", &["null"]),
        ("SELECT likes FROM pin ORDER BY likes DESC LIMIT 1", &["110"]),
        ("SELECT likes FROM pin ORDER BY likes NULLS LAST LIMIT 1", &["80"]),
        ("SELECT likes FROM pin ORDER BY likes DESC NULLS FIRST LIMIT 1", &["null"]),
        ("SELECT likes FROM pin ORDER BY 1 DESC FETCH FIRST 1 ROW ONLY", &["110"]),
        ("SELECT likes AS l FROM pin ORDER BY l DESC LIMIT 1 OFFSET 3", &["80"]),
        ("SELECT likes AS l FROM pin ORDER BY l LIMIT 2 OFFSET 7", &["null", "80"]),
        ("SELECT category, likes FROM pin ORDER BY ALL DESC LIMIT 1", &["food|90"]),
        ("SELECT category, likes FROM pin ORDER BY ALL LIMIT 1", &["null|null"]),
        ("SELECT DISTINCT category FROM pin ORDER BY category", &["null", "art", "food"]),
        ("SELECT DISTINCT category FROM pin ORDER BY category DESC", &["food", "art", "null"]),
        (
            "SELECT DISTINCT ON (category) category, likes FROM pin ORDER BY category, likes DESC",
            &["null|110", "art|100", "food|90"],
        ),
        (
            "SELECT category, MAX(likes) AS m FROM pin GROUP BY category ORDER BY category DESC",
            &["food|90", "art|100", "null|110"],
        ),
        (
            "SELECT n, MAX(likes) FROM pin WHERE n > 6 GROUP BY n ORDER BY MAX(likes) DESC, n LIMIT 1",
            &["11|110"],
        ),
        (
            "SELECT n % 6 AS m, MIN(likes) AS l FROM pin GROUP BY m ORDER BY l, m LIMIT 3",
            &["0|null", "1|null", "2|80"],
        ),
        ("SELECT likes FROM pin UNION SELECT n FROM geo ORDER BY likes LIMIT 1", &["null"]),
        ("SELECT likes FROM pin UNION SELECT n FROM geo ORDER BY likes DESC LIMIT 1", &["110"]),
        ("SELECT likes FROM pin INTERSECT SELECT likes FROM pin ORDER BY likes LIMIT 1", &["null"]),
        ("SELECT likes FROM pin EXCEPT SELECT n FROM pin ORDER BY 1 DESC LIMIT 1", &["110"]),
        (
            "(SELECT n FROM pin ORDER BY likes DESC, n LIMIT 1) UNION ALL \
             (SELECT n FROM pin ORDER BY likes, n LIMIT 1) ORDER BY n",
            &["0", "11"],
        ),
        ("(SELECT likes FROM pin) ORDER BY likes DESC LIMIT 1", &["110"]),
        ("WITH top AS (SELECT n FROM pin ORDER BY likes DESC LIMIT 1) SELECT n FROM top", &["11"]),
        ("SELECT n FROM (SELECT n FROM pin ORDER BY likes DESC LIMIT 1) AS x", &["11"]),
        ("SELECT n FROM pin WHERE n IN (SELECT n FROM pin ORDER BY likes DESC LIMIT 1)", &["11"]),
        ("SELECT n FROM pin ORDER BY UPPER(category) DESC, n LIMIT 1", &["1"]),
        ("SELECT n FROM pin ORDER BY likes * -1, n LIMIT 1", &["0"]),
        ("SELECT n FROM pin ORDER BY category DESC, likes, n DESC LIMIT 2", &["7", "3"]),
        ("SELECT category FROM pin ORDER BY RANK() OVER (ORDER BY category), n LIMIT 1", &["null"]),
        ("FROM pin SELECT likes ORDER BY likes DESC LIMIT 1", &["110"]),
        ("SELECT * FROM (VALUES (2), (NULL), (1)) AS v ORDER BY 1 DESC", &["2", "1", "null"]),
        // Smallest and largest are not of an order.
        ("SELECT MIN(likes), MAX(category) FROM pin", &["80|food"]),
    ];
    all_answer(cases);
}

#[test]
fn windows_rank_nulls_like_values() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT n, ROW_NUMBER() OVER (ORDER BY likes DESC) AS r FROM pin ORDER BY r LIMIT 2",
            &["11|1", "10|2"],
        ),
        (
            "SELECT likes, RANK() OVER (ORDER BY likes DESC) AS r, DENSE_RANK() OVER (ORDER BY likes) AS d \
             FROM pin WHERE n > 5 ORDER BY n",
            &["null|5|1", "null|5|1", "80|4|2", "90|3|3", "100|2|4", "110|1|5"],
        ),
        (
            "SELECT n, category FROM pin \
             QUALIFY ROW_NUMBER() OVER (PARTITION BY category ORDER BY n DESC) = 1 ORDER BY n",
            &["9|food", "10|art", "11|null"],
        ),
        (
            "SELECT category, likes FROM pin \
             QUALIFY RANK() OVER (PARTITION BY category ORDER BY likes DESC) = 1 ORDER BY category",
            &["null|110", "art|100", "food|90"],
        ),
        // ASC and DESC in one window.
        (
            "SELECT n, ROW_NUMBER() OVER (ORDER BY category, likes DESC, n) AS r FROM pin ORDER BY r",
            &[
                "11|1", "8|2", "2|3", "5|4", "10|5", "0|6", "4|7", "6|8", "9|9", "1|10", "3|11",
                "7|12",
            ],
        ),
        (
            "SELECT n, FIRST_VALUE(n) OVER (ORDER BY likes DESC, n DESC) AS a, \
             LAG(n) OVER (ORDER BY likes DESC, n) AS b, LEAD(n, 2) OVER (ORDER BY likes, n) AS c \
             FROM pin WHERE n > 6 ORDER BY n",
            &["7|11|8|9", "8|11|9|10", "9|11|10|11", "10|11|11|null", "11|11|null|null"],
        ),
        (
            "SELECT n, SUM(n) OVER (ORDER BY likes DESC) AS a, COUNT(likes) OVER (ORDER BY likes) AS b, \
             MIN(n) OVER (ORDER BY likes DESC) AS c, MAX(n) OVER (ORDER BY likes) AS d \
             FROM pin WHERE n > 6 ORDER BY n",
            &["7|45|0|7|7", "8|38|1|8|8", "9|30|2|9|9", "10|21|3|10|10", "11|11|4|11|11"],
        ),
        (
            "SELECT n, RANK() OVER w AS a, ROW_NUMBER() OVER w AS b FROM pin WHERE n > 6 \
             WINDOW w AS (ORDER BY likes DESC) ORDER BY n",
            &["7|5|5", "8|4|4", "9|3|3", "10|2|2", "11|1|1"],
        ),
        (
            "SELECT n, RANK() OVER (PARTITION BY category ORDER BY at DESC NULLS LAST) AS r FROM pin \
             WHERE n > 8 ORDER BY n",
            &["9|1", "10|1", "11|1"],
        ),
        ("SELECT RANK() OVER (ORDER BY likes) AS r FROM pin WHERE n < 0", &[]),
        ("SELECT RANK() OVER (ORDER BY likes DESC) AS r FROM pin WHERE n < 2", &["1", "1"]),
        (
            "SELECT RANK() OVER (ORDER BY tags DESC) AS r FROM pin WHERE n < 2 ORDER BY n",
            &["2", "1"],
        ),
    ];
    all_answer(cases);
}

#[test]
fn aggregates_are_ordered_between_their_brackets() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT ARRAY_TO_STRING(ARRAY_AGG(n ORDER BY likes, n), ' ') AS a, \
             ARRAY_TO_STRING(ARRAY_AGG(n ORDER BY likes DESC, n DESC), ' ') AS b FROM pin WHERE n > 5",
            &["6 7 8 9 10 11|11 10 9 8 7 6"],
        ),
        (
            "SELECT n % 2 AS g, STRING_AGG(n, '-' ORDER BY likes, n DESC) AS a, \
             LISTAGG(n, '-' ORDER BY likes DESC NULLS FIRST, n) AS b FROM pin WHERE n > 5 \
             GROUP BY g ORDER BY g",
            &["0|6-8-10|6-10-8", "1|7-9-11|7-11-9"],
        ),
        (
            "SELECT ARRAY_AGG(DISTINCT category ORDER BY category)[1] AS a, \
             ARRAY_AGG(DISTINCT category ORDER BY category DESC)[1] AS b, \
             ARRAY_AGG(n ORDER BY likes DESC LIMIT 1)[1] AS c FROM pin",
            &["null|food|11"],
        ),
        (
            "SELECT ARRAY_AGG(n ORDER BY category DESC, n) FILTER (WHERE n > 7)[1] AS a FROM pin",
            &["9"],
        ),
    ];
    all_answer(cases);
}

#[test]
fn an_order_that_cannot_be_had_is_refused() {
    let [world, _] = worlds().map(World::filled);
    for (sql, expected) in [
        ("VALUES (2), (1) ORDER BY 1", "write SELECT * FROM (VALUES …) AS v ORDER BY"),
        (
            "SELECT LISTAGG(category, ',') WITHIN GROUP (ORDER BY n) FROM pin",
            "WITHIN GROUP is not supported; order between the brackets",
        ),
        (
            "SELECT ARRAY_AGG(category IGNORE NULLS ORDER BY n) FROM pin",
            "IGNORE NULLS is not supported; leave values out by FILTER",
        ),
        (
            "SELECT RANK() OVER (ORDER BY n, n + 1) FROM pin",
            "ORDER BY in OVER has two keys called n: name them with AS",
        ),
    ] {
        let error = world.answer(sql).map(|frame| panic!("{sql}: {frame}")).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{sql}: {error}");
        assert!(error.to_string().contains(expected), "{sql}: {error}");
    }
}
