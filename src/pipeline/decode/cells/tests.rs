//! The quick walk against the judge: what it takes, the judge takes alike.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::spec::{Spec, parse};

fn spec(unknown: &str) -> Spec {
    let transforms = format!(
        r#"
version = 1
table = "t"
topics = ["t"]
unknown = "{unknown}"
ignore = ["skip"]
column = [
    {{ name = "i", type = "int64", field = ["i", "j"] }},
    {{ name = "j", type = "int32", field = "j" }},
    {{ name = "s", type = "string", field = ["s", "é"] }},
    {{ name = "l", type = "list<int64>", field = "l" }},
]
"#
    );
    parse("t.toml", &transforms).unwrap()
}

/// What a record's cells hold: the slots' values, and the unknown fields.
type Held = (Vec<Option<String>>, Option<String>);

fn held(cells: &Cells, text: &str) -> Held {
    let value = |slot| cells.value(slot, text).map(|value| value.json.to_owned());
    ((0..cells.places.len()).map(value).collect(), cells.unknown(text))
}

/// What the judge makes of a record; `None` if it is none.
fn judged(text: &str, fields: &mut Fields) -> Option<Held> {
    let mut cells = Cells::new(fields);
    cells.clear();
    record::read(&mut cells, text.as_bytes(), fields).ok()?;
    Some(held(&cells, text))
}

/// What the walk makes of the record at the start of a text.
fn walked(cells: &mut Cells, text: &str, fields: &mut Fields) -> Option<(usize, Held)> {
    let len = cells.walk(text, fields)?;
    Some((len, held(cells, &text[..len])))
}

#[test]
fn what_writers_put_out_is_taken_without_the_judge() {
    let spec = spec("count");
    let mut fields = Fields::new(&spec);
    let mut cells = Cells::new(&fields);
    let records = [
        r#"{"i":1,"s":"a"}"#,
        r#"{"i": 1, "s": "a"}"#,
        r#"{ "s" : "\u00e9\n" , "i" : -1.5e3 }"#,
        r#"{"s":null,"i":null}"#,
        r#"{"x":true,"skip":{"a":[{}]},"i":false}"#,
        r#"{"é":"é","i":"","l":[ 1, null ]}"#,
        r#"{"i":1,"value":"a","records":true,"payload":7,"after":[{"i":2}],"before":null}"#,
    ];
    for _ in 0..2 {
        for text in records {
            let expected = judged(text, &mut fields).map(|held| (text.len(), held));
            assert!(expected.is_some(), "{text}");
            for rest in ["", "\n", "\n{\"i\":2}", "}", "  "] {
                let whole = format!("{text}{rest}");
                assert_eq!(walked(&mut cells, &whole, &mut fields), expected, "{whole:?}");
            }
        }
    }
}

#[test]
fn what_is_unusual_or_wrong_is_left_to_the_judge() {
    let spec = spec("keep");
    let mut fields = Fields::new(&spec);
    let mut cells = Cells::new(&fields);
    let records = [
        "",
        "{}",
        "[1]",
        " {\"i\":1}",
        r#"{"x":1}"#,
        r#"{"skip":1}"#,
        r#"{"i":1,"i":1}"#,
        r#"{"i":1,"value":{}}"#,
        r#"{"i":1,"payload":null}"#,
        r#"{"i":1,"records":[]}"#,
        r#"{"i":1,"Data":""}"#,
        r#"{"i":1,"after":"\u007b}"}"#,
        r#"{"i":1,"before":" {}"}"#,
        r#"{"\u0069":1}"#,
        "{\"i\":1,\n\"s\":\"\"}",
        r#"{"i":1"#,
        r#"{"i":1,}"#,
        r#"{"i"1}"#,
        r#"{"i":"a}"#,
        r#"{"i":"\x"}"#,
        r#"{"i":[1}"#,
        r#"{"i":01}"#,
        r#"{i:1}"#,
    ];
    for text in records {
        // The order of names that is expected is that of such a record.
        cells.walk(r#"{"i":1,"s":""}"#, &mut fields).unwrap();
        assert_eq!(cells.walk(text, &mut fields), None, "{text:?}");
    }
}

#[test]
fn a_name_that_takes_escapes_is_never_expected_as_it_stands() {
    let spec = spec("keep");
    let mut fields = Fields::new(&spec);
    let mut cells = Cells::new(&fields);
    let name = r#"{"a\":1,\"b":2,"i":1}"#;
    assert!(cells.read(name.as_bytes(), &mut fields).is_ok());
    assert_eq!(cells.unknown(name).as_deref(), Some(r#"{"a\":1,\"b":2}"#));
    let names = r#"{"a":1,"b":2,"i":1}"#;
    assert_eq!(cells.walk(names, &mut fields), Some(names.len()));
    assert_eq!(cells.unknown(names).as_deref(), Some(r#"{"a":1,"b":2}"#));
}

/// Parts of a JSON text, sound or not.
const PARTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    " ",
    "\t",
    "\r",
    "\n",
    "\\",
    "\\u00e9",
    "\\uD800",
    "\\u0069",
    "\\u12",
    "\"i\":",
    "\"j\":1",
    "\"s\":\"",
    "\"é\":\"é\"",
    "\"x\":",
    "\"skip\":0",
    "null",
    "true",
    "-",
    "0",
    "12",
    "1.5",
    "e3",
    "\u{1}",
    "é",
    "a text of more than sixteen bytes",
    "",
];

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(
            [
                "null",
                "true",
                "false",
                "0",
                "-1",
                "1.50",
                "2e-3",
                "\"\"",
                "\"\\uD800\"",
                "[]",
                "{ }"
            ]
            .as_slice()
        )
        .prop_map(str::to_owned),
        "\"[a-zé ]{0,20}(\\\\n)?[a-z]{0,20}\"",
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop::collection::vec(inner, 0..3).prop_flat_map(|items| {
            let members: Vec<_> = items.iter().map(|item| format!("\"i\" :{item}")).collect();
            prop_oneof![
                Just(format!("[{}]", items.join(", "))),
                Just(format!("{{{}}}", members.join(" ,"))),
            ]
        })
    })
}

/// A record that is sound, but for names that may be there twice.
fn record() -> impl Strategy<Value = String> {
    let name = prop::sample::select(
        ["i", "j", "s", "é", "l", "skip", "x", "y", "value", "after"].as_slice(),
    );
    let space = prop::sample::select(["", "", " ", "\t "].as_slice());
    let field = (name, space, value())
        .prop_map(|(name, space, value)| format!("\"{name}\"{space}:{space}{value}{space}"));
    prop::collection::vec(field, 0..8).prop_map(|fields| format!("{{{}}}", fields.join(",")))
}

/// A record of which parts were cut out, and others put in.
fn mutated() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0..4_usize, prop::sample::select(PARTS));
    (record(), prop::collection::vec(change, 0..3)).prop_map(|(mut text, changes)| {
        for (at, cut, part) in changes {
            let starts: Vec<_> =
                text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let from = at.index(starts.len());
            let to = (from + cut).min(starts.len() - 1);
            text.replace_range(starts[from]..starts[to], part);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_the_walk_takes_the_judge_takes_alike(
        texts in prop::collection::vec(mutated(), 1..4),
        keep in any::<bool>(),
    ) {
        static SPECS: LazyLock<[Spec; 2]> = LazyLock::new(|| [spec("count"), spec("keep")]);
        let spec = &SPECS[usize::from(keep)];
        let mut fields = Fields::new(spec);
        let mut cells = Cells::new(&fields);
        for text in &texts {
            let expected = judged(text, &mut fields);
            let walked = walked(&mut cells, text, &mut fields);
            if let Some((len, held)) = walked {
                let record = &text[..len];
                prop_assert_eq!(judged(record, &mut fields), Some(held), "{:?}", record);
                if expected.is_some() {
                    prop_assert_eq!(len, text.trim_end().len(), "{:?}", text);
                }
            } else if expected.is_some() {
                // Only what is unusual is left to the judge.
                let may_wrap = text.contains("\"value\"") || text.contains("\"after\"");
                let unusual = text.contains(['\n', '\\']) || !text.starts_with('{') || may_wrap;
                prop_assert!(unusual, "{:?}", text);
            }
        }
    }
}
