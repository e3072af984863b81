//! Transforms and a record → the row, or the reject: each rule, each type.

mod sql;

use serde_json::json;

use super::*;
use crate::spec::parse;
use crate::trial::{Trial, rows};

const HEAD: &str = "version = 1\ntable = \"t\"\ntopics = [\"*.t\"]\n";

fn spec(text: &str) -> Spec {
    match parse("t.toml", &format!("{HEAD}{text}")) {
        Ok(spec) => spec,
        Err(problems) => panic!("{text}\n{problems:?}"),
    }
}

/// The row as JSON; or code and column; or the failure of the run.
fn outcome(spec: &Spec, input: &str) -> String {
    let batch = match Trial::new(spec).unwrap().run(input.as_bytes()) {
        Ok(batch) => batch,
        Err(error) => return error.to_string(),
    };
    assert_eq!(batch.rows.len(), batch.frame.height());
    let rejects = batch.rejects.iter().map(|reject| match &reject.column {
        Some(column) => format!("{} {column}", reject.code),
        None => reject.code.to_string(),
    });
    let rows = rows(&batch.frame).into_iter().map(|row| {
        let values: Vec<_> = row.iter().map(|(name, value)| format!("{name}={value}")).collect();
        values.join(" ")
    });
    rows.chain(rejects).collect::<Vec<_>>().join("; ")
}

/// Transforms, and what records become with them.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)]);

fn check_table(cases: &[Case<'_>]) {
    let mut wrong = Vec::new();
    for (text, records) in cases {
        let spec = spec(text);
        for (input, expected) in *records {
            let actual = outcome(&spec, input);
            if actual != *expected {
                wrong.push(format!("{text}\n{input}\nexpected {expected}\nactual   {actual}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A column `a` that reads the field `a`.
fn column(keys: &str) -> String {
    format!("[[column]]\nname = \"a\"\nfield = \"a\"\n{keys}\n")
}

/// Checks records `{"a": <value>}` against one column `a`.
fn check_column(keys: &str, values: &[(&str, &str)]) {
    let inputs: Vec<_> = values.iter().map(|(value, _)| format!("{{\"a\": {value}}}")).collect();
    let records: Vec<_> = inputs
        .iter()
        .zip(values)
        .map(|(input, (_, expected))| (input.as_str(), *expected))
        .collect();
    check_table(&[(&column(keys), &records)]);
}

#[test]
fn an_integer_is_taken_without_loss() {
    // Straight from the decoder, and by way of the column's text rules.
    for rules in ["", "trim = true"] {
        check_column(
            &format!("type = \"int32\"\n{rules}"),
            &[
                ("20", "a=20"),
                ("\"20\"", "a=20"),
                ("3.0", "a=3"),
                ("-2147483648", "a=-2147483648"),
                ("2147483648", "overflow a"),
                ("\"2147483648\"", "overflow a"),
                ("9223372036854775808", "overflow a"),
                ("3.5", "type a"),
                ("\"12x\"", "type a"),
                ("\"\"", "type a"),
                ("true", "type a"),
                ("[1]", "type a"),
                ("{}", "type a"),
                ("null", "a=null"),
                ("\"\\ud800\"", "invalid_escape a"),
            ],
        );
        check_column(
            &format!("type = \"int64\"\n{rules}"),
            &[
                ("9223372036854775807", "a=9223372036854775807"),
                ("\"-9223372036854775808\"", "a=-9223372036854775808"),
                ("9223372036854775808", "overflow a"),
                ("1e3", "a=1000"),
            ],
        );
    }
}

#[test]
fn a_float_is_finite_and_a_bool_is_one() {
    for rules in ["", "trim = true"] {
        check_column(
            &format!("type = \"float64\"\n{rules}"),
            &[
                ("3", "a=3.0"),
                ("-89.9787", "a=-89.9787"),
                ("\"1e3\"", "a=1000.0"),
                ("\"NaN\"", "not_finite a"),
                ("\"-Infinity\"", "not_finite a"),
                ("1e400", "overflow a"),
                (".5", "invalid_json"),
                ("\".5\"", "a=0.5"),
                ("\"1.\"", "a=1.0"),
                ("\"-.5\"", "a=-0.5"),
                ("\".\"", "type a"),
                ("\"+1\"", "type a"),
                ("9007199254740992", "a=9007199254740992.0"),
                ("9007199254740993", "overflow a"),
                ("\"9007199254740993\"", "overflow a"),
                ("9007199254740993.0", "overflow a"),
                ("9.007199254740993e15", "overflow a"),
                ("1e-400", "overflow a"),
                ("\"1e-400\"", "overflow a"),
                ("4e-324", "overflow a"),
                ("1e23", "a=1e+23"),
                ("3.141592653589793238", "a=3.141592653589793"),
                ("0.1234567890123455", "a=0.1234567890123455"),
                ("-0.0", "a=-0.0"),
                ("\"north\"", "type a"),
                ("false", "type a"),
            ],
        );
        check_column(
            &format!("type = \"bool\"\n{rules}"),
            &[
                ("true", "a=true"),
                ("\"false\"", "a=false"),
                ("1", "a=true"),
                ("\"0\"", "a=false"),
                ("1.0", "a=true"),
                ("2", "type a"),
                ("-1", "type a"),
                ("\"True\"", "type a"),
                ("null", "a=null"),
            ],
        );
    }
}

#[test]
fn a_string_is_kept_as_it_is() {
    for rules in ["", "null_values = [\"none\"]"] {
        check_column(
            &format!("type = \"string\"\n{rules}"),
            &[
                ("\"\"", "a=\"\""),
                ("\" a\\u00a0\"", "a=\" a\u{a0}\""),
                ("\"\\uD83D\\uDC4D\\n\"", "a=\"👍\\n\""),
                ("1.50", "a=\"1.50\""),
                ("true", "a=\"true\""),
                ("null", "a=null"),
                ("[1]", "type a"),
                ("{\"b\": 1}", "type a"),
            ],
        );
    }
}

#[test]
fn times_are_read_in_the_formats_of_the_column() {
    check_column(
        "type = \"timestamp\"",
        &[
            ("\"2020-08-28T03:52:47\"", "a=\"2020-08-28T03:52:47Z\""),
            ("\"2020-08-28 03:52:47.25\"", "a=\"2020-08-28T03:52:47.250Z\""),
            ("\"2020-08-28T03:52:47.000+0100\"", "a=\"2020-08-28T02:52:47Z\""),
            ("\"2021-02-30T00:00:00\"", "format a"),
            ("1598586767", "format a"),
            ("null", "a=null"),
            ("\"24-03-15T10:00:00Z\"", "format a"),
            ("\"2024-03-15T12:00:60Z\"", "format a"),
            ("\"2024-03-15T12:00:60\"", "format a"),
            ("\"20-8-28T3:52:47Z\"", "format a"),
            ("\"2020-08-2803:52:47Z\"", "format a"),
            ("\"2020-08-28T03:52:47.1234567891Z\"", "format a"),
            ("\"+2020-08-28T03:52:47Z\"", "format a"),
            ("\"2020-08-28t03:52:47z\"", "format a"),
            ("\"2020-08-28T03:52:47 Z\"", "format a"),
            ("\"2020:08:28 03:52:47\"", "format a"),
            ("\"2020-08-28 03:52:47-00:00\"", "a=\"2020-08-28T03:52:47Z\""),
        ],
    );
    check_column(
        "type = \"timestamp\"\nformats = [\"%d/%m/%Y %I:%M %p\", \"%-d/%-m/%Y\\t%R\"]",
        &[
            ("\"28/08/2020 03:52 pm\"", "a=\"2020-08-28T15:52:00Z\""),
            ("\"28/08/20 03:52 pm\"", "format a"),
            ("\"8/08/2020 03:52 pm\"", "format a"),
            ("\"8/8/2020\\t03:52\"", "a=\"2020-08-08T03:52:00Z\""),
            ("\"08/8/2020\\t03:52\"", "format a"),
        ],
    );
    check_column(
        "type = \"list<date>\"",
        &[("[\"2024-03-15\"]", "a=[\"2024-03-15\"]"), ("[\"24-03-15\"]", "format a")],
    );
    check_column(
        "type = \"date\"\nformats = [\"%d/%m/%Y\"]",
        &[("\"15/03/2024\"", "a=\"2024-03-15\""), ("\"15/03/24\"", "format a")],
    );
    check_column(
        "type = \"timestamp\"\nformats = [\"%d/%m/%Y %H:%M\", \"epoch_ms\"]",
        &[
            ("\"28/08/2020 03:52\"", "a=\"2020-08-28T03:52:00Z\""),
            ("1598586767250", "a=\"2020-08-28T03:52:47.250Z\""),
            ("9223372036854775807", "overflow a"),
            ("\"2020-08-28T03:52:47\"", "format a"),
        ],
    );
    check_column(
        "type = \"date\"",
        &[
            ("\"2020-08-28\"", "a=\"2020-08-28\""),
            ("\"2020-08-32\"", "format a"),
            ("\"24-03-15\"", "format a"),
            ("\"2024-3-15\"", "format a"),
        ],
    );
    check_column(
        "type = \"date\"\nformats = [\"epoch_days\", \"%Y-%m-%dT%H:%M:%S%.f%#z\"]",
        &[
            ("18502", "a=\"2020-08-28\""),
            ("-1", "a=\"1969-12-31\""),
            ("\"2020-08-28T23:52:47+05:00\"", "a=\"2020-08-28\""),
        ],
    );
}

#[test]
fn text_rules_apply_in_their_order() {
    check_column(
        "type = \"string\"\ntrim = true\nnull_values = [\"\", \"No title\"]\nnull_patterns = ['-+']\n\
         strip_prefix = \"Local \"\nstrip_suffix = \" EUR\"\n\
         replace = [{ pattern = '(\\d),(\\d)', with = \"${1}${2}\" }, { pattern = 'x', with = \"$$\" }]",
        &[
            ("\"  \"", "a=null"),
            ("\" No title \"", "a=null"),
            ("\"No title!\"", "a=\"No title!\""),
            ("\"---\"", "a=null"),
            ("\"-a-\"", "a=\"-a-\""),
            ("\"Local Local 1,2 EUR\"", "a=\"Local 12\""),
            ("\"local x\"", "a=\"local $\""),
            // What is left after a strip is no null value any more.
            ("\"Local \"", "a=\"Local\""),
            ("\"Local ---\"", "a=\"---\""),
        ],
    );
    check_column(
        "type = \"int32\"\nnull_values = [\"none\"]\nreplace = [{ pattern = ',', with = \"\" }]\n\
         suffixes = { k = 1_000, M = 1_000_000, kM = 7 }",
        &[
            ("\"1.5k\"", "a=1500"),
            ("\"1,234k\"", "a=1234000"),
            ("\"2kM\"", "a=14"),
            ("940", "a=940"),
            ("\"none\"", "a=null"),
            ("\"999999M\"", "overflow a"),
            ("\"1.2345k\"", "type a"),
            ("\"12x\"", "type a"),
        ],
    );
    check_column(
        "type = \"float64\"\nsuffixes = { k = 1_000 }",
        &[
            ("\"1.2345k\"", "a=1234.5"),
            ("\"1.129k\"", "a=1129.0"),
            ("\".5k\"", "a=500.0"),
            ("\"9007199254740.993k\"", "overflow a"),
            ("9007199254740993", "overflow a"),
            ("\"-k\"", "type a"),
        ],
    );
}

#[test]
fn checks_look_at_the_value() {
    check_column(
        "type = \"int32\"\nrange = { min = 0, max = 120 }\nrequired = true",
        &[
            ("0", "a=0"),
            ("120", "a=120"),
            ("-5", "range a"),
            ("121", "range a"),
            ("null", "required a"),
            ("\"x\"", "type a"),
        ],
    );
    check_column(
        "type = \"float64\"\nrange = { max = 0.5 }",
        &[("0.5", "a=0.5"), ("0.51", "range a"), ("null", "a=null")],
    );
    check_column(
        "type = \"string\"\nallowed = [\"image\", \"video\"]",
        &[("\"video\"", "a=\"video\""), ("\"Video\"", "not_allowed a"), ("null", "a=null")],
    );
    for ty in ["int32", "int64"] {
        check_column(
            &format!("type = \"{ty}\"\nallowed = [1, 2]"),
            &[("1", "a=1"), ("\"2\"", "a=2"), ("3", "not_allowed a"), ("\"x\"", "type a")],
        );
    }
}

#[test]
fn a_range_of_integers_is_exact_past_53_bits() {
    check_column(
        "type = \"int64\"\nrange = { min = -9007199254740993, max = 9007199254740993 }",
        &[
            ("9007199254740993", "a=9007199254740993"),
            ("9007199254740994", "range a"),
            ("-9007199254740993", "a=-9007199254740993"),
            ("-9007199254740994", "range a"),
        ],
    );
    check_column(
        "type = \"int64\"\nrange = { max = 9223372036854775806 }",
        &[
            ("9223372036854775806", "a=9223372036854775806"),
            ("9223372036854775807", "range a"),
            ("null", "a=null"),
        ],
    );
    check_column(
        "type = \"int32\"\nrange = { min = 0.5, max = 1e300 }",
        &[("1", "a=1"), ("0", "range a"), ("2147483647", "a=2147483647")],
    );
    check_column(
        "type = \"int64\"\nrange = { min = 1e300 }",
        &[("9223372036854775807", "range a"), ("null", "a=null")],
    );
    check_column(
        "type = \"float64\"\nrange = { max = 9007199254740992 }",
        &[("9007199254740992", "a=9007199254740992.0"), ("9007199254740994", "range a")],
    );
}

/// The values that rules changed, as the report counts them.
fn changes(spec: &Spec, lines: &str) -> Vec<String> {
    let batch = Trial::new(spec).unwrap().run(lines.as_bytes()).unwrap();
    assert_eq!(batch.rejects, []);
    let show =
        |((column, rule), count): (&(String, String), &u64)| format!("{column} {rule}: {count}");
    batch.changes.iter().map(show).collect()
}

#[test]
fn null_texts_of_numbers_and_bools_are_null_and_counted_for_each_column() {
    // By the decoder, or by the text rules of the column.
    for rules in ["", "\ntrim = true", "\nnull_patterns = ['never']"] {
        for (ty, value) in [("int32", "7"), ("int64", "7"), ("float64", "7.5"), ("bool", "true")] {
            check_column(
                &format!("type = \"{ty}\"\nnull_values = [\"\", \"n/a\", \"-1\"]{rules}"),
                &[
                    (value, &format!("a={value}")),
                    (&format!("\"{value}\""), &format!("a={value}")),
                    ("\"\"", "a=null"),
                    ("\"n\\/a\"", "a=null"),
                    // A number that stands without quotes has a text too.
                    ("-1", "a=null"),
                    ("\"-1\"", "a=null"),
                    ("null", "a=null"),
                    ("\"N/A\"", "type a"),
                    ("[]", "type a"),
                ],
            );
        }
    }
    let text = "[[column]]\nname = \"a\"\ntype = \"int32\"\nfield = \"x\"\nnull_values = [\"\", \"-\"]\n\
                [[column]]\nname = \"b\"\ntype = \"int64\"\nfield = \"x\"\nnull_values = [\"\", \"-\"]\n\
                [[column]]\nname = \"c\"\ntype = \"list<int32>\"\narray = [\"x\", \"y\"]\nnull_values = [\"-\", \"\"]\n\
                [[column]]\nname = \"d\"\ntype = \"string\"\nfield = \"x\"\nnull_values = [\"\"]\n";
    let lines = "{\"x\":\"\"}\n{\"x\":\"-\"}\n{\"x\":1,\"y\":\"\"}\n{\"x\":\"\"}";
    assert_eq!(
        changes(&spec(text), lines),
        [
            "a null_values \"\": 2",
            "a null_values \"-\": 1",
            "b null_values \"\": 2",
            "b null_values \"-\": 1",
            "c null_values \"\": 3",
            "c null_values \"-\": 1",
            "d null_values \"\": 2",
        ]
    );
}

#[test]
fn columns_with_different_null_texts_read_a_field_each_in_its_own_way() {
    let number = |name: &str, nulls: &str| {
        format!("[[column]]\nname = \"{name}\"\ntype = \"int32\"\nfield = \"x\"\n{nulls}\n")
    };
    let text = [
        number("a", "null_values = [\"\"]"),
        number("b", "null_values = [\"-1\"]"),
        number("c", "on_error = \"null\""),
    ]
    .concat();
    check_table(&[(
        &text,
        &[
            ("{\"x\":5}", "a=5 b=5 c=5"),
            ("{\"x\":-1}", "a=-1 b=null c=-1"),
            ("{\"x\":\"\"}", "type b"),
        ],
    )]);
}

#[test]
fn the_empty_text_is_null_in_every_column_of_the_shipped_files() {
    let nulls = [
        ("geo", r#"{"ind":"","timestamp":"","latitude":"","longitude":"","country":""}"#),
        ("user", r#"{"index":"","first_name":"","last_name":"","age":"","date_joined":""}"#),
        (
            "pin",
            r#"{"index":"","unique_id":"","title":"","description":"","follower_count":"","poster_name":"","tag_list":"","is_image_or_video":"","image_src":"","save_location":"","category":""}"#,
        ),
    ];
    let specs = crate::spec::load(None).unwrap();
    for (table, record) in nulls {
        let spec = specs.iter().find(|spec| spec.table == table).unwrap();
        let batch = Trial::new(spec).unwrap().run(record.as_bytes()).unwrap();
        assert_eq!(batch.rejects, [], "{table}");
        for (column, value) in &rows(&batch.frame)[0] {
            let expected = if column == "coordinates" { json!([null, null]) } else { json!(null) };
            assert_eq!(*value, expected, "{table}.{column}");
            let counted = (column.clone(), "null_values \"\"".to_owned());
            assert!(batch.changes.contains_key(&counted), "{table}.{column}");
        }
        // A blank is no empty text, and no number or time.
        let blank = record.replace("\"\"", "\" \"");
        let batch = Trial::new(spec).unwrap().run(blank.as_bytes()).unwrap();
        assert_eq!(batch.rejects.len(), 1, "{table}");
    }
}

#[test]
fn on_error_says_what_becomes_of_the_record() {
    let two = |on_error: &str| {
        format!(
            "{}on_error = \"{on_error}\"\nrange = {{ max = 9 }}\n{}",
            column("type = \"int32\""),
            "[[column]]\nname = \"b\"\ntype = \"string\"\nfield = \"b\"\n"
        )
    };
    let failed = |message: &str| {
        format!(
            "topics/trial/partition=0/trial+0+0000000000.json, line 2: column a: {message}; \
             its on_error is \"fail\", so nothing was committed"
        )
    };
    let (no_int, outside) = (failed("\"x\" is no int32"), failed("10 is outside of 9 and less"));
    check_table(&[
        (&two("quarantine"), &[("{\"a\":\"x\",\"b\":1}", "type a"), ("{\"a\":10}", "range a")]),
        (
            &two("null"),
            &[
                ("{\"a\":\"x\",\"b\":1}", "a=null b=\"1\""),
                ("{\"a\":10,\"b\":1}", "a=null b=\"1\""),
                ("{\"a\":99999999999,\"b\":1}", "a=null b=\"1\""),
                // The other column keeps its own rule.
                ("{\"a\":\"x\",\"b\":[]}", "type b"),
            ],
        ),
        (&two("fail"), &[("\n{\"a\":\"x\"}", &no_int), ("\n{\"a\":10}", &outside)]),
    ]);
}

#[test]
fn the_first_name_that_is_present_and_not_null_counts() {
    let text = "[[column]]\nname = \"a\"\ntype = \"int32\"\nfield = [\"x\", \"y\"]\n\
                [[column]]\nname = \"b\"\ntype = \"string\"\nfield = \"y\"\n";
    check_table(&[(
        text,
        &[
            ("{\"x\":1,\"y\":2}", "a=1 b=\"2\""),
            ("{\"y\":2,\"x\":1}", "a=1 b=\"2\""),
            ("{\"y\":2,\"x\":null}", "a=2 b=\"2\""),
            ("{\"x\":null}", "a=null b=null"),
            ("{\"x\":\"?\",\"y\":2}", "type a"),
            ("{\"z\":1}", "no_known_field"),
            ("{\"x\":1,\"x\":1}", "duplicate_key"),
        ],
    )]);
}

#[test]
fn an_array_keeps_a_null_element_and_a_concat_is_null_by_one() {
    let array = |more: &str| {
        format!(
            "[[column]]\nname = \"a\"\ntype = \"list<float64>\"\narray = [\"x\", \"y\"]\n{more}\n"
        )
    };
    let plain: &[_] = &[
        ("{\"x\":1,\"y\":\"2.5\"}", "a=[1.0,2.5]"),
        ("{\"x\":1}", "a=[1.0,null]"),
        ("{\"x\":1,\"y\":\"north\"}", "type a"),
    ];
    check_table(&[
        (&array(""), plain),
        (&array("trim = true"), plain),
        (&array("null_values = [\"-\"]"), &[("{\"x\":\"-\",\"y\":2}", "a=[null,2.0]")]),
        (
            "[[column]]\nname = \"a\"\ntype = \"list<int32>\"\narray = [\"x\", \"x\"]\ntrim = true\n",
            &[("{\"x\":\" 1 \"}", "a=[1,1]"), ("{\"x\":\"?\"}", "type a")],
        ),
        // Wrong is the whole value, not one element.
        (
            &array("on_error = \"null\""),
            &[("{\"x\":1,\"y\":\"north\"}", "a=null"), ("{\"x\":1}", "a=[1.0,null]")],
        ),
        (
            &array("on_error = \"null\"\ntrim = true"),
            &[("{\"x\":1,\"y\":\"north\"}", "a=null"), ("{\"x\":1}", "a=[1.0,null]")],
        ),
        (
            "[[column]]\nname = \"a\"\ntype = \"list<int32>\"\narray = [\"x\"]\n",
            &[("{\"x\":1}", "a=[1]"), ("{\"x\":2147483648}", "overflow a")],
        ),
        (
            "[[column]]\nname = \"a\"\ntype = \"list<timestamp>\"\narray = [\"x\", \"y\"]\n",
            &[("{\"x\":\"2020-08-28 03:52:47\"}", "a=[\"2020-08-28T03:52:47Z\",null]")],
        ),
        (
            "[[column]]\nname = \"a\"\ntype = \"string\"\nconcat = [\"x\", \"y\"]\nseparator = \"-\"\n\
             null_values = [\"\"]\n",
            &[
                ("{\"x\":\"b\",\"y\":7}", "a=\"b-7\""),
                ("{\"x\":\"b\",\"y\":null}", "a=null"),
                ("{\"x\":\"b\",\"y\":\"\"}", "a=null"),
                ("{\"x\":\"b\",\"y\":[]}", "type a"),
            ],
        ),
    ]);
}

#[test]
fn a_list_is_read_from_a_json_array() {
    check_column(
        "type = \"list<int32>\"",
        &[
            ("[1, \"2\", null, 3.0]", "a=[1,2,null,3]"),
            ("[]", "a=[]"),
            ("null", "a=null"),
            ("[1, \"x\"]", "type a"),
            ("[1, [2]]", "type a"),
            ("[2147483648]", "overflow a"),
            ("\"[1]\"", "type a"),
            ("1", "type a"),
        ],
    );
    check_column(
        "type = \"list<string>\"\non_error = \"null\"",
        &[
            ("[\"a\\n\", 1, true, null]", "a=[\"a\\n\",\"1\",\"true\",null]"),
            ("[\"\\ud800\"]", "a=null"),
            ("[{}]", "a=null"),
            ("7", "a=null"),
        ],
    );
    check_column("type = \"list<bool>\"", &[("[true, false]", "a=[true,false]")]);
    check_column("type = \"list<float64>\"", &[("[1, \"NaN\"]", "not_finite a")]);
    check_column("type = \"list<int64>\"", &[("[9223372036854775807]", "a=[9223372036854775807]")]);
    check_column(
        "type = \"list<date>\"\nformats = [\"%d.%m.%Y\"]",
        &[("[\"28.08.2020\"]", "a=[\"2020-08-28\"]"), ("[\"2020-08-28\"]", "format a")],
    );
}

#[test]
fn a_list_of_one_row_does_not_see_those_of_others() {
    let spec = spec(&column("type = \"list<int32>\""));
    let lines = b"{\"a\":[1]}\n{\"a\":[2,\"x\"]}\n{\"a\":[]}\n{\"a\":null}\n{\"a\":[3,4]}";
    let batch = Trial::new(&spec).unwrap().run(lines).unwrap();
    let values: Vec<_> = rows(&batch.frame).iter().map(|row| row[0].1.to_string()).collect();
    assert_eq!(values, ["[1]", "[]", "null", "[3,4]"]);
    assert_eq!(batch.rejects.iter().map(|reject| reject.line).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_constant_is_a_value_of_its_type() {
    for (keys, expected) in [
        ("type = \"int32\"\nconstant = 7", "7"),
        ("type = \"int64\"\nconstant = 9223372036854775807", "9223372036854775807"),
        ("type = \"float64\"\nconstant = 2", "2.0"),
        ("type = \"float64\"\nconstant = 1e-7", "1e-7"),
        ("type = \"string\"\nconstant = \"web\"", "\"web\""),
        ("type = \"bool\"\nconstant = true", "true"),
        ("type = \"timestamp\"\nconstant = 2020-08-28T03:52:47.5Z", "\"2020-08-28T03:52:47.500Z\""),
        ("type = \"timestamp\"\nconstant = \"2020-08-28 03:52:47\"", "\"2020-08-28T03:52:47Z\""),
        ("type = \"date\"\nconstant = 2020-08-28", "\"2020-08-28\""),
    ] {
        let text = format!("[[column]]\nname = \"c\"\n{keys}\n{}", column("type = \"int32\""));
        let spec = spec(&text);
        let batch = Trial::new(&spec).unwrap().run(b"{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":3}").unwrap();
        let values: Vec<_> = rows(&batch.frame).iter().map(|row| row[0].1.to_string()).collect();
        assert_eq!(values, [expected, expected], "{keys}");
    }
}

#[test]
fn unknown_fields_are_kept_or_counted_or_ignored() {
    let keep = format!("unknown = \"keep\"\nignore = [\"i\"]\n{}", column("type = \"int32\""));
    check_table(&[(
        &keep,
        &[
            (
                "{\"z\": {\"b\": [1]}, \"a\":1, \"i\":2, \"q\\\"\":null}",
                "a=1 _rescued=\"{\\\"z\\\":{\\\"b\\\": [1]},\\\"q\\\\\\\"\\\":null}\"",
            ),
            ("{\"a\":1}", "a=1 _rescued=null"),
            ("{\"z\":1}", "no_known_field"),
        ],
    )]);
    let count = spec(&format!("ignore = [\"i\"]\n{}", column("type = \"int32\"")));
    let batch =
        Trial::new(&count).unwrap().run(b"{\"a\":1,\"z\":2,\"i\":3}\n{\"z\":1,\"a\":1}").unwrap();
    assert_eq!(batch.counts.unknown_fields, BTreeMap::from([("z".to_owned(), 2)]));
}

#[test]
fn the_values_that_rules_changed_are_counted() {
    let text = "[[column]]\nname = \"n\"\ntype = \"int32\"\nfield = \"n\"\ntrim = true\n\
                null_values = [\"none\"]\nnull_patterns = ['-+']\nsuffixes = { k = 1_000 }\n\
                on_error = \"null\"\n\
                [[column]]\nname = \"s\"\ntype = \"string\"\nfield = \"s\"\nstrip_prefix = \"pre \"\n\
                strip_suffix = \" post\"\nreplace = [{ pattern = 'x', with = \"y\" }]\n\
                [[column]]\nname = \"l\"\ntype = \"list<int32>\"\nfield = \"l\"\non_error = \"null\"\n";
    let spec = spec(text);
    let lines = "{\"n\":\"none\",\"s\":\"pre a post\"}\n{\"n\":\" none\",\"s\":\"axx\"}\n\
                 {\"n\":\"--\"}\n{\"n\":\"1k\"}\n{\"n\":\"2 \"}\n{\"n\":\"?\",\"l\":[\"?\"]}\n{\"n\":[]}\n{\"n\":5}";
    let batch = Trial::new(&spec).unwrap().run(lines.as_bytes()).unwrap();
    assert_eq!(batch.rejects, []);
    let changes: Vec<_> = batch
        .changes
        .iter()
        .map(|((column, rule), count)| format!("{column} {rule}: {count}"))
        .collect();
    assert_eq!(
        changes,
        [
            "l on_error type: 1",
            "n null_patterns \"^(?:-+)$\": 1",
            "n null_values \"none\": 2",
            "n on_error type: 2",
            "n suffixes: 1",
            "n trim: 2",
            "s replace: 1",
            "s strip_prefix: 1",
            "s strip_suffix: 1",
        ]
    );
}

#[test]
fn one_reject_tells_of_every_wrong_column() {
    let spec = spec(&format!(
        "{}[[column]]\nname = \"b\"\ntype = \"bool\"\nfield = \"b\"\n\
         [[column]]\nname = \"c\"\ntype = \"string\"\nfield = \"c\"\nrequired = true\n",
        column("type = \"int32\"")
    ));
    let batch =
        Trial::new(&spec).unwrap().run(b"\n {\"a\":\"x\",\"b\":7} \n{\"c\":\"y\"}").unwrap();
    let [reject] = batch.rejects.as_slice() else { panic!("{:?}", batch.rejects) };
    assert_eq!((reject.line, reject.offset), (2, 0));
    assert_eq!(reject.column.as_deref(), Some("a"));
    assert_eq!(
        reject.message,
        "\"x\" is no int32; b: 7 is no bool; c: missing or null, and the column is required"
    );
    assert_eq!(String::from_utf8_lossy(&reject.raw).trim(), "{\"a\":\"x\",\"b\":7}");
    assert_eq!(batch.frame.height(), 1);
}

#[test]
fn an_empty_batch_has_the_columns_of_the_table() {
    let spec = spec(&format!(
        "{}[[column]]\nname = \"l\"\ntype = \"list<timestamp>\"\nfield = \"l\"\n\
         [[column]]\nname = \"t\"\ntype = \"timestamp\"\nconstant = 2020-01-01T00:00:00Z\n\
         [[column]]\nname = \"s\"\ntype = \"int32\"\nsql = \"a + 1\"\n",
        column("type = \"date\"").replace("date", "int64")
    ));
    for lines in ["", "nonsense", "{\"a\":\"x\"}", "{\"a\":1}"] {
        let batch = Trial::new(&spec).unwrap().run(lines.as_bytes()).unwrap();
        let types: Vec<_> = batch.frame.dtypes().iter().map(ToString::to_string).collect();
        assert_eq!(types, ["i64", "list[datetime[μs]]", "datetime[μs]", "i32"], "{lines}");
    }
}

#[test]
fn unique_rows_say_which_record_they_are() {
    let text = "[[column]]\nname = \"i\"\ntype = \"int32\"\nfield = \"i\"\n";
    let head = format!("unique_by = [\"i\"]\nunknown = \"keep\"\n{HEAD}{text}");
    let spec = parse("t.toml", &head).unwrap();
    let lines = b"{\"i\":1}\n\n{\"i\":\"x\"}\n{\"i\":3}\n";
    let batch = Trial::new(&spec).unwrap().run(lines).unwrap();
    let row = |i: i32, offset: i64| {
        let cells = [
            ("i", json!(i)),
            ("_rescued", json!(null)),
            ("_kafka_topic", json!("trial")),
            ("_kafka_partition", json!(0)),
            ("_kafka_offset", json!(offset)),
        ];
        cells.map(|(name, value)| (name.to_owned(), value)).to_vec()
    };
    assert_eq!(rows(&batch.frame), [row(1, 0), row(3, 2)]);
    // The frame is one of the table's schema: names, order and types.
    let schema = crate::pipeline::write::table_schema(&spec);
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(batch.frame.get_column_names_owned(), names);
    assert_eq!(crate::arrow_bridge::record_batch(&batch.frame, &schema).unwrap().num_rows(), 2);
}
