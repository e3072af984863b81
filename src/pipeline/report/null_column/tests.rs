use super::*;
use crate::spec::parse;

const TRANSFORM: &str = r#"
version = 1
table = "t"
topics = ["*.t"]
fields = ["raw"]

[[column]]
name = "ind"
type = "int32"
field = ["ind", "index"]

[[column]]
name = "place"
type = "list<float64>"
array = ["latitude", "longitude"]

[[column]]
name = "name"
type = "string"
concat = ["first", "last"]

[[column]]
name = "half"
type = "float64"
field = "half"
hidden = true

[[column]]
name = "whole"
type = "float64"
sql = "half * 2"

[[column]]
name = "more"
type = "float64"
sql = "whole + 1"

[[column]]
name = "other"
type = "string"
sql = "UPPER(raw)"

[[column]]
name = "origin"
type = "string"
constant = "kafka"

[[column]]
name = "time"
type = "timestamp"
field = "time"
on_error = "null"
"#;

fn spec() -> Spec {
    parse("t.toml", TRANSFORM).unwrap()
}

/// A table in whose rows only these columns have values, and in whose records only these
/// fields are.
fn table(rows: u64, columns: &[&str], fields: &[&str]) -> TableReport {
    let spec = spec();
    let written = spec.columns.iter().filter(|column| !column.hidden).enumerate();
    let with_value = written.filter(|(_, column)| columns.contains(&column.name.as_str()));
    let has = |names: &[String]| names.iter().any(|name| fields.contains(&name.as_str()));
    let slots = spec.slots.iter().enumerate().filter(|(_, slot)| has(&slot.names));
    TableReport {
        records_written: rows,
        seen: SeenValues {
            columns: with_value.map(|(place, _)| place).collect(),
            slots: slots.map(|(slot, _)| slot).collect(),
        },
        ..TableReport::default()
    }
}

const COLUMNS: [&str; 7] = ["ind", "place", "name", "whole", "more", "other", "time"];
const FIELDS: [&str; 9] =
    ["ind", "index", "latitude", "longitude", "first", "last", "half", "raw", "time"];

fn without<'a>(all: &[&'a str], some: &[&str]) -> Vec<&'a str> {
    all.iter().copied().filter(|name| !some.contains(name)).collect()
}

#[test]
fn a_column_whose_field_is_in_no_record_is_told_with_the_likely_one() {
    let cases: [(&[&str], &[&str], &[(&str, u64)], &[&str]); 9] = [
        // null columns, absent fields, unread fields → what is told
        (&[], &[], &[("idx", 3)], &[]),
        (
            &["ind"],
            &["ind", "index"],
            &[("extra", 3), ("idx", 3)],
            &[
                "column ind is null in all 3 rows of this run: no record has \"ind\" or \"index\" (did you mean \"idx\", which 3 records have?)",
            ],
        ),
        (
            &["ind"],
            &["ind", "index"],
            &[("a", 3), ("b", 4), ("c", 2), ("e", 3), ("f", 3)],
            &[
                "column ind is null in all 3 rows of this run: no record has \"ind\" or \"index\"; fields of every row that no column reads: a, b, e",
            ],
        ),
        (
            &["ind"],
            &["ind", "index"],
            &[],
            &["column ind is null in all 3 rows of this run: no record has \"ind\" or \"index\""],
        ),
        // One of its names is there, and null.
        (
            &["ind"],
            &["ind"],
            &[("idx", 3)],
            &[
                "column ind is null in all 3 rows of this run: the records have its field, but it is null or a placeholder",
            ],
        ),
        (
            &["place"],
            &["latitude", "longitude"],
            &[("lat", 1), ("lng", 3)],
            &[
                "column place is null in all 3 rows of this run: no record has \"latitude\" (did you mean \"lat\", which 1 record has?), no record has \"longitude\" (did you mean \"lng\", which 3 records have?)",
            ],
        ),
        (
            &["name"],
            &["last"],
            &[("surname", 3)],
            &[
                "column name is null in all 3 rows of this run: no record has \"last\"; fields of every row that no column reads: surname",
            ],
        ),
        (
            &["whole", "more"],
            &["half"],
            &[("Half", 3)],
            &[
                "column whole is null in all 3 rows of this run: no record has \"half\" (did you mean \"Half\", which 3 records have?)",
                "column more is null in all 3 rows of this run: no record has \"half\" (did you mean \"Half\", which 3 records have?)",
            ],
        ),
        (
            &["other"],
            &["raw"],
            &[],
            &["column other is null in all 3 rows of this run: no record has \"raw\""],
        ),
    ];
    for (null, absent, unread, expected) in cases {
        let mut table = table(3, &without(&COLUMNS, null), &without(&FIELDS, absent));
        table.unknown_fields = unread.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
        let found = NullColumn::all(&spec(), &table);
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(told, expected);
    }
}

#[test]
fn a_column_with_its_field_is_suspicious_if_the_rows_are_many_or_its_values_wrong() {
    let cases = [
        // rows, changes of the column → cause, whether it is worth a warning
        (1, None, NullCause::NoValues, false),
        (99, Some("null_values \"\""), NullCause::NoValues, false),
        (100, Some("null_values \"\""), NullCause::NoValues, true),
        (100, None, NullCause::NoValues, true),
        (1, Some("on_error format"), NullCause::WrongValues, true),
    ];
    for (rows, change, cause, is_suspicious) in cases {
        let mut table = table(rows, &without(&COLUMNS, &["time"]), &FIELDS);
        if let Some(rule) = change {
            table.columns.insert("time".to_owned(), [(rule.to_owned(), rows)].into());
        }
        let found = NullColumn::all(&spec(), &table);
        let [column] = &found[..] else { panic!("{found:?}") };
        assert_eq!((column.cause, column.is_suspicious()), (cause, is_suspicious), "{column}");
    }
}

#[test]
fn a_field_that_is_likely_of_one_column_is_not_offered_for_another() {
    let (null, absent) = (["ind", "other"], ["ind", "index", "raw"]);
    let mut table = table(3, &without(&COLUMNS, &null), &without(&FIELDS, &absent));
    let unread = ["a", "b", "c", "d", "idx"].map(|name| (name.to_owned(), 3));
    table.unknown_fields = unread.into();
    let found = NullColumn::all(&spec(), &table);
    let unread: Vec<_> = found.iter().map(|column| column.unread_fields.join(" ")).collect();
    assert_eq!(unread, ["", "a b c"]);
}

#[test]
fn without_a_row_no_column_is_null() {
    assert_eq!(NullColumn::all(&spec(), &table(0, &[], &[])), []);
    let all = NullColumn::all(&spec(), &table(1, &[], &[]));
    let names: Vec<&str> = all.iter().map(|column| column.column.as_str()).collect();
    assert_eq!(names, COLUMNS, "but for the constant");
    let only = "column time is null in the only row of this run: no record has \"time\"";
    assert_eq!(all.last().unwrap().to_string(), only);
}

#[test]
fn programs_read_why_a_column_is_null() {
    let mut table = table(3, &without(&COLUMNS, &["ind"]), &without(&FIELDS, &["ind", "index"]));
    table.unknown_fields.insert("idx".to_owned(), 2);
    let json = serde_json::to_value(NullColumn::all(&spec(), &table)).unwrap();
    let expected = serde_json::json!([{
        "column": "ind", "rows": 3, "cause": "field_absent",
        "absent_fields": [{ "names": ["ind", "index"], "likely": "idx", "records": 2 }],
        "unread_fields": [],
    }]);
    assert_eq!(json, expected);
}
