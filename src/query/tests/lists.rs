//! Elements of lists.

use super::*;

/// In row `n`, `tags` is `[t0, null]` or `[t1, null]`.
#[test]
fn elements_count_from_one_and_backwards_from_minus_one() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT tags[1] AS a, tags[2] AS b, tags[3] AS c FROM pin WHERE n = 1", &["t1|null|null"]),
        (
            "SELECT tags[-1] AS a, tags[-2] AS b, tags[-3] AS c FROM pin WHERE n = 1",
            &["null|t1|null"],
        ),
        (
            "SELECT ELEMENT_AT(tags, 1) AS a, element_at(tags, -2) AS b, Element_At(tags, 9) AS c, \
             ELEMENT_AT(tags, -9) AS d FROM pin WHERE n = 1",
            &["t1|t1|null|null"],
        ),
        ("SELECT ARRAY_GET(tags, 1) AS a FROM pin WHERE n = 1", &["t1"]),
        ("SELECT p.tags[1] AS a, ELEMENT_AT(p.tags, 1) AS b FROM pin p WHERE n = 1", &["t1|t1"]),
        (
            "SELECT (tags)[1] AS a, tags[(1)] AS b, tags[+1] AS c FROM pin WHERE n = 1",
            &["t1|t1|t1"],
        ),
        ("SELECT tags[2 - 1] AS a, tags[CAST(1 AS INT)] AS b FROM pin WHERE n = 1", &["t1|t1"]),
        // A place that is computed may be 0 in some rows: there is no such element.
        (
            "SELECT n, tags[n] AS a, ELEMENT_AT(tags, n) AS b, tags[n - 2] AS c FROM pin \
             WHERE n < 3 ORDER BY n",
            &["0|null|null|t0", "1|t1|t1|null", "2|null|null|null"],
        ),
        (
            "SELECT tags[likes] AS a, ELEMENT_AT(tags, likes) AS b FROM pin WHERE n = 0",
            &["null|null"],
        ),
        ("SELECT COUNT(*) FROM pin WHERE ELEMENT_AT(tags, 1) = 't1'", &["6"]),
        (
            "SELECT tags[1] AS tag, COUNT(*) FROM pin GROUP BY tag ORDER BY tag DESC",
            &["t1|6", "t0|6"],
        ),
        ("SELECT n FROM pin ORDER BY ELEMENT_AT(tags, 1) DESC, n LIMIT 1", &["1"]),
        (
            "SELECT MAX(ELEMENT_AT(tags, 1)) AS a FROM pin GROUP BY category ORDER BY a LIMIT 1",
            &["t0"],
        ),
    ];
    all_answer(cases);
}

#[test]
fn a_place_that_no_list_has_is_refused() {
    let [world, _] = worlds().map(World::filled);
    let counts = "SQL counts from 1; the first element is tags[1] or ELEMENT_AT(tags, 1), the last \
                  one tags[-1]";
    let whole = "the place in a list is a whole number";
    for (place, expected) in [
        ("tags[0]", counts),
        ("tags[-0]", counts),
        ("tags[(0)]", counts),
        ("tags[+0]", counts),
        ("tags[00]", counts),
        ("tags[1 - 1]", counts),
        ("tags[CAST(0 AS BIGINT)]", counts),
        ("ELEMENT_AT(tags, 0)", counts),
        ("element_at(tags, - 0)", counts),
        ("ARRAY_GET(tags, 0)", counts),
        ("UPPER(tags[0])", counts),
        ("tags[NULL]", whole),
        ("tags['1']", whole),
        ("tags[1.0]", whole),
        ("tags[0.5]", whole),
        ("tags[TRUE]", whole),
        ("tags[99999999999999999999]", whole),
        ("ELEMENT_AT(tags, NULL)", whole),
        ("ELEMENT_AT(tags, '1')", whole),
        ("tags[1:2]", "a part of a list is not supported"),
        ("tags[1:]", "a part of a list is not supported"),
        ("tags[:2]", "a part of a list is not supported"),
        ("ELEMENT_AT(tags)", "write ELEMENT_AT(list, 1) for the first element"),
        ("ELEMENT_AT(tags, 1, 2)", "write ELEMENT_AT(list, 1) for the first element"),
    ] {
        for sql in [
            format!("SELECT {place} AS a FROM pin"),
            format!("SELECT n FROM pin WHERE {place} = 't1'"),
            format!("SELECT n FROM pin ORDER BY {place} LIMIT 1"),
            format!("SELECT * FROM (SELECT {place} AS a FROM pin) AS x"),
        ] {
            let error = world.answer(&sql).map(|frame| panic!("{sql}: {frame}")).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{sql}: {error}");
            assert!(error.to_string().contains(expected), "{sql}: {error}");
        }
    }
    let error = world.answer("SELECT p.tags[0] FROM pin p").unwrap_err().to_string();
    assert!(
        error.starts_with("p.tags[0]: SQL counts from 1; the first element is p.tags[1]"),
        "{error}"
    );
}
