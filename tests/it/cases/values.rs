//! Values where types end, through the binary, on every backend: what is taken is
//! in the table as it is, and what is not is in the quarantine with its reason.

use parquet::record::Field;

use super::records::{GEO, PIN, geo, key, pin};
use super::site::{Site, write};

const TRANSFORMS: &str = r#"
version = 1
table = "values"
topics = ["*.values"]
column = [
    { name = "id", type = "int32", field = "id" },
    { name = "i", type = "int32", field = "i" },
    { name = "l", type = "int64", field = "l", range = { max = 9007199254740993 } },
    { name = "f", type = "float64", field = "f", null_values = [""] },
    { name = "k", type = "float64", field = "k", suffixes = { k = 1_000 } },
    { name = "b", type = "bool", field = "b", null_values = ["", "n/a"] },
    { name = "d", type = "date", field = "d" },
    { name = "e", type = "date", field = "e", formats = ["%d/%m/%Y"] },
    { name = "t", type = "timestamp", field = "t" },
]
"#;

/// A column, a value as JSON, and what becomes of it.
type Case = (&'static str, &'static str, Result<Field, &'static str>);

fn numbers() -> Vec<Case> {
    use Field::{Bool, Double, Int, Long, Null};
    vec![
        ("i", "2147483647", Ok(Int(i32::MAX))),
        ("i", "\"1.\"", Ok(Int(1))),
        ("i", "2147483648", Err("overflow")),
        ("i", "\"+1\"", Err("type")),
        ("i", "\"\"", Err("type")),
        ("l", "9007199254740993", Ok(Long(9_007_199_254_740_993))),
        ("l", "9007199254740994", Err("range")),
        ("f", "\".5\"", Ok(Double(0.5))),
        ("f", "\"-.5\"", Ok(Double(-0.5))),
        ("f", "\"1.\"", Ok(Double(1.0))),
        ("f", "3.141592653589793238", Ok(Double(std::f64::consts::PI))),
        ("f", "1e23", Ok(Double(1e23))),
        ("f", "9007199254740992", Ok(Double(9_007_199_254_740_992.0))),
        ("f", "9007199254740993", Err("overflow")),
        ("f", "\"9007199254740993\"", Err("overflow")),
        ("f", "9007199254740993.0", Err("overflow")),
        ("f", "\"1e-400\"", Err("overflow")),
        ("f", "1e-400", Err("overflow")),
        ("f", "1e400", Err("overflow")),
        ("f", "\".\"", Err("type")),
        ("f", "\"NaN\"", Err("not_finite")),
        ("f", "\"\"", Ok(Null)),
        ("k", "\"1.129k\"", Ok(Double(1129.0))),
        ("k", "\".5k\"", Ok(Double(500.0))),
        ("k", "\"9007199254740.993k\"", Err("overflow")),
        ("b", "1", Ok(Bool(true))),
        ("b", "\"0\"", Ok(Bool(false))),
        ("b", "\"n/a\"", Ok(Null)),
        ("b", "2", Err("type")),
        ("b", "\"True\"", Err("type")),
    ]
}

fn times() -> Vec<Case> {
    let instant = || Ok(Field::TimestampMicros(1_598_586_767_000_000));
    vec![
        ("d", "\"2024-03-15\"", Ok(Field::Date(19_797))),
        ("d", "\"24-03-15\"", Err("format")),
        ("d", "\"2024-3-15\"", Err("format")),
        ("e", "\"15/03/2024\"", Ok(Field::Date(19_797))),
        ("e", "\"15/03/24\"", Err("format")),
        ("t", "\"2020-08-28T03:52:47Z\"", instant()),
        ("t", "\"2020-08-28 03:52:47\"", instant()),
        ("t", "\"2020-08-28T05:52:47.000000000+02\"", instant()),
        ("t", "\"2020-08-28T03:52:47-00:00\"", instant()),
        ("t", "\"24-03-15T10:00:00Z\"", Err("format")),
        ("t", "\"2020-08-28T12:00:60Z\"", Err("format")),
        ("t", "\"2020-08-28T12:00:60\"", Err("format")),
        ("t", "\"20-8-28T3:52:47Z\"", Err("format")),
        ("t", "\"2020-08-2803:52:47Z\"", Err("format")),
        ("t", "\"2020-08-28T03:52:47.1234567890Z\"", Err("format")),
        ("t", "\"+2020-08-28T03:52:47Z\"", Err("format")),
        ("t", "\"2020-08-28T24:00:00Z\"", Err("format")),
        ("t", "\"2020-08-28t03:52:47z\"", Err("format")),
        ("t", "\"2020-08-28T03:52:47 +00:00\"", Err("format")),
        ("t", "\"2020-08-28T03:52:47+24:00\"", Err("format")),
        ("t", "\"2020-08-28T03:52:47\u{2212}05:00\"", Err("format")),
        ("t", "\"2020:08:28 03:52:47\"", Err("format")),
    ]
}

#[test]
fn a_value_is_in_the_table_without_loss_or_in_the_quarantine_with_its_reason() {
    let cases = [numbers(), times()].concat();
    let lines = cases
        .iter()
        .enumerate()
        .map(|(id, (column, json, _))| format!("{{\"id\":{id},\"{column}\":{json}}}\n"));
    let lines: String = lines.collect();
    for site in Site::all() {
        write(&site.home.path().join("transforms/values.toml"), TRANSFORMS.as_bytes());
        site.put(&key("u.values", 0, 0), lines.as_str());
        let ran = site.run(&["--transforms", "transforms"]).done();
        let good = cases.iter().filter(|(.., outcome)| outcome.is_ok()).count() as u64;
        let all = cases.len() as u64;
        assert_eq!(ran.counts(), [all, good, all - good, 0]);
        let (rows, rejects) = (site.out().rows("values"), site.rejects("values"));
        for (id, (column, json, expected)) in cases.iter().enumerate() {
            let is_row = |row: &&crate::table::Row| row[0].1 == Field::Int(id as i32);
            let row = rows.iter().find(is_row);
            let value = row.map(|row| &row.iter().find(|(name, _)| name == column).unwrap().1);
            let reject = rejects.iter().find(|reject| reject.offset == id as i64);
            let code = reject.map(|reject| {
                assert_eq!(reject.column.as_deref(), Some(*column), "{json}");
                reject.code.as_str()
            });
            assert_eq!(
                (value, code),
                (expected.as_ref().ok(), expected.as_ref().err().copied()),
                "{column} {json}"
            );
        }
    }
}

#[test]
fn an_empty_text_is_null_in_every_column_of_the_three_tables() {
    let empty = [
        (GEO, geo(1), r#"{"ind":"","timestamp":"","latitude":"","longitude":2.5,"country":""}"#),
        (
            "u.user",
            r#"{"ind":1,"first_name":"Ada","last_name":"Byron","age":36,"date_joined":"2016-02-29T10:20:30"}"#
                .to_owned(),
            r#"{"ind":"","first_name":"","last_name":"Byron","age":"","date_joined":""}"#,
        ),
        (
            PIN,
            pin(1, "7"),
            r#"{"index":"","unique_id":"","title":"","description":"","follower_count":"","poster_name":"","tag_list":"","is_image_or_video":"","image_src":"","save_location":"","category":""}"#,
        ),
    ];
    for site in Site::all() {
        for (topic, good, empty) in &empty {
            site.put(&key(topic, 0, 0), format!("{good}\n{empty}\n"));
        }
        let ran = site.run(&[]).done();
        assert_eq!(ran.counts(), [6, 6, 0, 0]);
        for table in ["geo", "user", "pin"] {
            let rows = site.out().rows(table);
            let row = rows.iter().find(|row| row[0].1 == Field::Null);
            let row = row.unwrap_or_else(|| panic!("{table}: {rows:#?}"));
            let others = row.iter().filter(|(name, _)| name != "coordinates");
            assert!(others.clone().all(|(_, value)| *value == Field::Null), "{table}: {row:#?}");
            assert_eq!(ran.report()["tables"][table]["columns"]["ind"]["null_values \"\""], 1);
        }
        let changes = &ran.report()["tables"]["geo"]["columns"];
        assert_eq!(changes["coordinates"]["null_values \"\""], 1, "{changes}");
    }
}
