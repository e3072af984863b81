//! Examples that pass, and how each way not to is told.

use super::*;
use crate::spec::{load, parse};

const HEAD: &str = r#"version = 1
table = "t"
topics = ["*.t"]
[[column]]
name = "n"
type = "int32"
field = "n"
range = { min = 0 }
[[column]]
name = "at"
type = "timestamp"
field = "at"
[[column]]
name = "xs"
type = "list<float64>"
array = ["x", "y"]
[[column]]
name = "must"
type = "string"
field = "must"
allowed = ["a", "b"]
on_error = "fail"
[[example]]
name = "e"
"#;

/// What is said of the one example, on line 23.
fn said(example: &str) -> Vec<String> {
    let spec = parse("f.toml", &format!("{HEAD}{example}")).unwrap();
    match check(&[spec]) {
        Ok(_) => Vec::new(),
        Err(Error::Spec(problems)) => problems.list.iter().map(ToString::to_string).collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn examples_that_hold_pass() {
    for example in [
        r#"input = '{"n": 7, "at": "2020-08-28 03:52:47.25", "x": 1, "must": "a"}'
           output = { n = 7, at = 2020-08-28T03:52:47.250Z, must = "a" }"#,
        r#"input = '{"x": 1.5, "y": 2}'
           output = { xs = [1.5, 2] }
           nulls = ["n", "at", "must"]"#,
        r#"input = '{"n": "x"}'
           reject = { code = "type" }"#,
        r#"input = '{"must": "c"}'
           reject = { code = "not_allowed", column = "must" }"#,
        r#"input = '{"value": {"n": 7}}'
           output = { n = 7 }"#,
        r#"input = '[1]'
           reject = { code = "not_an_object" }"#,
        "input = '''\n{\"n\": 7}\n'''\noutput = { n = 7 }",
        // A year of two digits is not the year 24.
        r#"input = '{"at": "24-03-15T10:00:00Z"}'
           reject = { code = "format", column = "at" }"#,
        r#"input = '{"at": "2024-03-15T10:00:60Z"}'
           reject = { code = "format", column = "at" }"#,
        r#"input = '{"x": "9007199254740993"}'
           reject = { code = "overflow", column = "xs" }"#,
    ] {
        assert_eq!(said(example), Vec::<String>::new(), "{example}");
    }
}

#[test]
fn each_difference_is_told_with_its_place() {
    for (example, expected) in [
        (
            r#"input = '{"n": 7, "at": "2020-08-28 03:52:47.25", "x": 1}'
               output = { n = 8, at = 2020-08-28T03:52:47Z, xs = [1, 2] }
               nulls = ["must"]"#,
            &[
                r#"f.toml:23:1: example "e": column at: expected "2020-08-28T03:52:47Z", got "2020-08-28T03:52:47.250Z""#,
                r#"f.toml:23:1: example "e": column n: expected 8, got 7"#,
                r#"f.toml:23:1: example "e": column xs: expected [1.0,2.0], got [1.0,null]"#,
            ][..],
        ),
        (
            r#"input = '{"n": -7}'
               output = { n = -7 }"#,
            &[
                r#"f.toml:23:1: example "e": expected a row, got the reject range of column n: -7 is outside of 0 and more"#,
            ],
        ),
        (
            r#"input = '{"n": 7}'
               reject = { code = "range", column = "n" }"#,
            &[
                r#"f.toml:23:1: example "e": expected the reject range of column n, got the row {"n":7}"#,
            ],
        ),
        (
            r#"input = '{"n": "x"}'
               reject = { code = "range", column = "n" }"#,
            &[
                r#"f.toml:23:1: example "e": expected the reject range of column n, got the reject type of column n: "x" is no int32"#,
            ],
        ),
        (
            r#"input = '{"n": "x"}'
               reject = { code = "type", column = "at" }"#,
            &[
                r#"f.toml:23:1: example "e": expected the reject type of column at, got the reject type of column n: "x" is no int32"#,
            ],
        ),
        (
            r#"input = '{"records": [{"value": {"n": 7}}, {"value": {"n": "x"}}]}'
               output = { n = 7 }"#,
            &[
                r#"f.toml:23:1: example "e": the input gives 1 rows and 1 rejects; an example is one record, on one line"#,
            ],
        ),
        (
            "input = ''\noutput = { n = 7 }",
            &[r#"f.toml:23:1: example "e": the input holds no record"#],
        ),
    ] {
        assert_eq!(said(example), expected, "{example}");
    }
}

#[test]
fn the_examples_of_all_tables_are_told_together() {
    let text = format!("{HEAD}input = '{{\"n\": 7}}'\noutput = {{ n = 8 }}");
    let specs: Vec<_> =
        ["b.toml", "a.toml"].iter().map(|file| parse(file, &text).unwrap()).collect();
    let Err(Error::Spec(problems)) = check(&specs) else { panic!("no problems") };
    let files: Vec<_> = problems.list.iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!(files, ["a.toml", "b.toml"]);
}

#[test]
fn the_shipped_transforms_pass_and_are_summed_up() {
    let specs = load(None).unwrap();
    let summary: Vec<_> = check(&specs).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        summary,
        [
            "geo: 4 columns, 6 examples passed",
            "pin: 11 columns, 6 examples passed",
            "user: 4 columns, 5 examples passed",
        ]
    );
}
