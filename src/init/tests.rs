//! Whole drafts: what is in them, and that they hold whatever was sampled.

use proptest::prelude::*;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::*;
use crate::check::check;
use crate::key::{Layout, Topic};
use crate::spec::{Spec, parse};
use crate::store::{S3Options, Session, Store};

fn topic(name: &str) -> Topic {
    Topic::parse(name).unwrap()
}

fn of(lines: &str) -> Sample {
    Sample { lines: lines.as_bytes().to_vec(), objects: 1, directories: 1, partitions: 1 }
}

/// The draft for some lines, which must parse and hold.
fn drafted(lines: &str) -> (Draft, Spec) {
    let draft = draft(&topic("u.t"), &of(lines)).unwrap();
    let spec = match parse("draft", &draft.text) {
        Ok(spec) => spec,
        Err(problems) => panic!("{}\n{problems:?}", draft.text),
    };
    if let Err(error) = check(std::slice::from_ref(&spec)) {
        panic!("{}\n{error}", draft.text);
    }
    (draft, spec)
}

const EMPTY_IS_NULL: &str = "null_values = [\"\"]";

/// Records of one field `f`, of values that are given as JSON.
fn records(field: &str, values: &[(usize, &str)]) -> String {
    let record = |json: &str| format!("{{{}:{json}}}\n", Value::from(field));
    values.iter().map(|(count, json)| record(json).repeat(*count)).collect()
}

/// The draft's column without what every column has: a name, a field, and the
/// empty text as null.
fn column(field: &str, values: &[(usize, &str)]) -> String {
    let (draft, _) = drafted(&records(field, values));
    let section = draft.text.split("\n\n").find(|part| part.contains("[[column]]")).unwrap();
    let keep = |line: &&str| {
        *line != EMPTY_IS_NULL
            && !["[[column]]", "name = ", "field = ", "formats = "]
                .iter()
                .any(|key| line.starts_with(key))
    };
    section.lines().filter(keep).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_field_gets_the_type_of_its_values() {
    for (field, values, expected) in [
        ("f", &[(3, "7"), (1, "-2")][..], "# integers -2 to 7\ntype = \"int32\""),
        ("f", &[(1, "\"7\""), (1, "2147483648")], "# integers 7 to 2147483648\ntype = \"int64\""),
        ("f", &[(1, "7"), (1, "1.5")], "# numbers 1.5 to 7\ntype = \"float64\""),
        ("f", &[(1, "true"), (1, "\"false\"")], "# booleans\ntype = \"bool\""),
        ("f", &[(1, "true"), (1, "1")], "# texts\ntype = \"string\""),
        // What would be lost as a number.
        ("zip", &[(1, "\"01234\""), (1, "\"98765\"")], "# texts\ntype = \"string\""),
        ("id", &[(1, "18446744073709551615")], "# texts\ntype = \"string\""),
        (
            "f",
            &[(96, "\"7\""), (4, "\"User Info Error\"")],
            "# 96 % integers 7 to 7, 4 % \"User Info Error\"\ntype = \"int32\"\nnull_values = [\"\", \"User Info Error\"]",
        ),
        // Once is an error, and is rejected.
        (
            "f",
            &[(99, "7"), (1, "\"12x\"")],
            "# 99 % integers 7 to 7, 1 % \"12x\"\ntype = \"int32\"",
        ),
        ("f", &[(1, "null")], "# always null\ntype = \"string\""),
        (
            "f",
            &[(3, "\"1.5k\""), (1, "\"2M\""), (1, "null")],
            "# integers 1500 to 2000000, some with M, k, null in 20 %\ntype = \"int32\"\n\
             suffixes = { k = 1000, K = 1000, m = 1000000, M = 1000000, b = 1000000000, B = 1000000000 }",
        ),
        // A year has four digits, a month and a day have two.
        ("f", &[(2, "\"24-03-15\"")], "# texts\ntype = \"string\""),
        ("f", &[(2, "\"24-03-15T10:00:00Z\"")], "# texts\ntype = \"string\""),
        ("f", &[(2, "\"2024-3-15\"")], "# texts\ntype = \"string\""),
        ("f", &[(2, "\"2024-03-15 3:05:07\"")], "# texts\ntype = \"string\""),
        ("f", &[(2, "\"15.03.24 10:00\"")], "# texts\ntype = \"string\""),
        ("f", &[(2, "\"2024-03-15T10:00:60Z\"")], "# texts\ntype = \"string\""),
        ("f", &[(2, "\"2020-08-28\"")], "# dates\ntype = \"date\""),
        ("f", &[(1, "[1, 2]"), (1, "[]")], "# arrays of integers 1 to 2\ntype = \"list<int32>\""),
        ("f", &[(1, "[1, \"a\"]")], "# arrays of texts\ntype = \"list<string>\""),
        ("f", &[(1, "[\"1k\"]")], "# arrays of texts\ntype = \"list<string>\""),
        ("f", &[(1, "[]"), (1, "[null]")], "# arrays without a value\ntype = \"list<string>\""),
        // Numbers are times only in a field that is named after them.
        ("f", &[(1, "1598586767")], "# integers 1598586767 to 1598586767\ntype = \"int32\""),
        (
            "f",
            &[(2, "\"28.08.2020 03:52\"")],
            "# times as \"%d.%m.%Y %H:%M\"\ntype = \"timestamp\"",
        ),
        (
            "f",
            &[(1, "\"Fri, 28 Aug 2020 03:52:47 +0200\"")],
            "# times as \"%a, %d %b %Y %H:%M:%S %z\"\ntype = \"timestamp\"",
        ),
        // Day and month could be taken for each other.
        ("f", &[(1, "\"08/09/2020 10:00:00\"")], "# texts\ntype = \"string\""),
        ("created_at", &[(1, "1598586767000")], "# times as \"epoch_ms\"\ntype = \"timestamp\""),
    ] {
        assert_eq!(column(field, values), expected, "{values:?}");
    }
}

#[test]
fn the_empty_text_is_null_in_every_column_but_lists() {
    let scalars = [
        ("7", "int32"),
        ("1.5", "float64"),
        ("true", "bool"),
        ("\"a\"", "string"),
        ("\"2020-08-28\"", "date"),
        ("\"2020-08-28T03:52:47Z\"", "timestamp"),
        ("\"1k\"", "int32"),
    ];
    for (value, ty) in scalars {
        for empties in [0, 1, 3] {
            let (draft, spec) = drafted(&records("f", &[(9, value), (empties, "\"\"")]));
            assert_eq!(spec.columns[0].ty.to_string(), ty, "{}", draft.text);
            assert!(draft.text.contains(&format!("\n{EMPTY_IS_NULL}\n")), "{}", draft.text);
            assert!(draft.rejects.is_empty(), "{}", draft.text);
        }
    }
    let (draft, _) = drafted(&records("f", &[(9, "[1]")]));
    assert!(!draft.text.contains("null_values"), "{}", draft.text);
}

#[test]
fn the_formats_of_times_that_were_seen_come_first() {
    let lines =
        records("at", &[(2, "\"2020-08-28 03:52:47\""), (1, "1598586767"), (1, "\"none\"")]);
    let (draft, _) = drafted(&lines);
    let formats = draft.text.lines().find(|line| line.starts_with("formats")).unwrap();
    assert_eq!(
        formats,
        r#"formats = ["%Y-%m-%d %H:%M:%S%.f", "epoch_s", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z"]"#
    );
    assert!(draft.text.contains("null_values = [\"\", \"none\"]\n"), "{}", draft.text);
}

#[test]
fn what_is_a_guess_is_commented_out() {
    let title = column(
        "f",
        &[
            (5, "\"No Title Data Available\""),
            (1, "\"\""),
            (9, "\"A\""),
            (9, "\"B\""),
            (1, "\"Syntax Error\""),
        ],
    );
    assert!(title.ends_with("\n# null_values = [\"\", \"No Title Data Available\"]"), "{title}");
    let path = column(
        "f",
        &[(1, "\"Local save in /data/a\""), (1, "\"Local save in /data/é\""), (1, "\"-\"")],
    );
    assert!(
        path.contains("# every text starts with \"Local save in /data/\"; see strip_prefix"),
        "{path}"
    );
    let kind = column("f", &[(9, "\"image\""), (3, "\"video\"")]);
    assert!(kind.starts_with("# 75 % \"image\", 25 % \"video\""), "{kind}");
}

#[test]
fn what_no_column_holds_is_kept_and_said() {
    let (draft, spec) = drafted("{\"a\":1,\"o\":{\"x\":[1]},\"\":2}\n{\"a\":2,\"o\":[[1]]}");
    assert_eq!(spec.columns.len(), 1);
    assert_eq!(spec.unknown, crate::spec::Unknown::Keep);
    assert!(draft.text.contains("#   \"o\" (objects or nested arrays)\n"), "{}", draft.text);
    assert_eq!((draft.rows, draft.rejects.len()), (2, 0));
    for lines in ["{\"o\":{}}", "{}", "[1]", ""] {
        assert!(matches!(draft_of(lines), Err(Error::NothingMatched { .. })), "{lines}");
    }
}

fn draft_of(lines: &str) -> Result<Draft> {
    draft(&topic("u.t"), &of(lines))
}

#[test]
fn a_record_whose_keys_are_data_gives_no_end_of_columns() {
    let lines: String = (0..2_000).map(|n| format!("{{\"id\":{n},\"k{n}\":1}}\n")).collect();
    let (draft, spec) = drafted(&lines);
    assert_eq!(spec.columns.len(), 500);
    assert_eq!(spec.unknown, crate::spec::Unknown::Keep);
    assert!(draft.text.contains("#   fields beyond the first 500\n"), "{}", draft.text);
}

#[test]
fn a_record_without_placeholders_is_the_better_example() {
    let lines = "{\"s\":\"null\",\"n\":1}\n{\"s\":\"x\"}\n{\"s\":\"x\",\"n\":2}\n";
    let (draft, spec) = drafted(lines);
    let [example] = spec.examples.as_slice() else { panic!("{}", draft.text) };
    assert_eq!(example.input, "{\"s\":\"x\",\"n\":2}");
}

#[test]
fn the_first_record_is_the_example() {
    let (draft, spec) = drafted(
        "{\"value\":{\"n\":\"1.5k\",\"s\":\"it's \\\"👍\\\"\",\"at\":\"2020-08-28 03:52:47.5\",\"l\":[1,null],\"x\":null}}",
    );
    let [example] = spec.examples.as_slice() else { panic!("{}", draft.text) };
    assert!(example.input.starts_with("{\"n\""), "{}", draft.text);
    let output = draft.text.lines().find(|line| line.starts_with("output")).unwrap();
    assert_eq!(
        output,
        "output = { n = 1500, s = \"it's \\\"👍\\\"\", at = \"2020-08-28T03:52:47.500Z\" }"
    );
    assert!(draft.text.ends_with("nulls = [\"x\"]\n"), "{}", draft.text);
}

#[test]
fn the_fixtures_give_the_types_of_the_shipped_transforms() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bucket");
    let runtime = Runtime::new().unwrap();
    let store = open(&runtime, &root);
    let layout = Layout::default();
    let plan_topics = std::fs::read_dir(root.join("topics")).unwrap();
    let names: Vec<_> =
        plan_topics.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let mut seen = 0;
    for shipped in crate::spec::load(None).unwrap() {
        let matches = |name: &&String| shipped.topics[0].matcher.is_match(name.as_str());
        let Some(name) = names.iter().find(matches) else { continue };
        let topic = topic(name);
        let sampling = Sampling {
            topic: &topic,
            store: &store,
            layout: &layout,
            objects: 100,
            runtime: runtime.handle(),
        };
        let sample = sample(&sampling).unwrap();
        let draft = draft(&topic, &sample).unwrap();
        let spec = parse("draft", &draft.text).unwrap();
        assert_eq!(spec.table, shipped.table);
        check(std::slice::from_ref(&spec)).unwrap();
        assert_eq!(spec.examples.len(), 1);
        for column in &spec.columns {
            if let Some(other) = shipped.columns.iter().find(|other| other.name == column.name) {
                assert_eq!(column.ty, other.ty, "{}.{}\n{}", spec.table, column.name, draft.text);
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "only {seen} columns were compared");
}

fn open(runtime: &Runtime, root: &Path) -> Store {
    let session = Session::new(S3Options::default());
    runtime.block_on(Store::open(root.to_str().unwrap(), &session)).unwrap()
}

fn bucket(objects: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (key, body) in objects {
        let path = root.path().join("topics").join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, body).unwrap();
    }
    root
}

fn sampled(root: &Path, topic: &Topic, objects: usize) -> Result<Sample> {
    let runtime = Runtime::new().unwrap();
    let (store, layout) = (open(&runtime, root), Layout::default());
    sample(&Sampling { topic, store: &store, layout: &layout, objects, runtime: runtime.handle() })
}

#[test]
fn a_sample_is_spread_over_directories_and_partitions() {
    let mut objects = Vec::new();
    for (directory, partition, count) in
        [("partition=0", 0, 50), ("partition=1", 1, 2), ("day=1", 2, 50)]
    {
        for start in 0..count {
            let key = format!("u.t/{directory}/u.t+{partition}+{start:010}.json");
            objects.push((key, format!("{{\"p\":{partition},\"n\":{start}}}\n\n")));
        }
    }
    let objects: Vec<_> = objects.iter().map(|(key, body)| (key.as_str(), body.as_str())).collect();
    let root = bucket(&objects);
    let sample = sampled(root.path(), &topic("u.t"), 8).unwrap();
    assert_eq!((sample.objects, sample.directories, sample.partitions), (8, 3, 3));
    let mut lines: Vec<_> = std::str::from_utf8(&sample.lines).unwrap().lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "{\"p\":0,\"n\":0}",
            "{\"p\":0,\"n\":24}",
            "{\"p\":0,\"n\":49}",
            "{\"p\":1,\"n\":0}",
            "{\"p\":1,\"n\":1}",
            "{\"p\":2,\"n\":0}",
            "{\"p\":2,\"n\":24}",
            "{\"p\":2,\"n\":49}",
        ]
    );
}

#[test]
fn a_topic_that_is_not_there_is_told_with_those_that_are() {
    let root = bucket(&[
        ("u.pin/partition=0/u.pin+0+0000000000.json", "{}"),
        ("u.geo/partition=0/u.geo+0+0000000000.keys.json", "{}"),
        ("u.user/partition=0/notes.txt", "{}"),
    ]);
    for (name, expected) in [
        ("u.pins", "there is no topic u.pins; there are u.geo, u.pin, u.user"),
        ("u.geo", "topic u.geo has no objects of records"),
        (
            "u.user",
            "topic u.user has no objects of records, but such as topics/u.user/partition=0/notes.txt",
        ),
    ] {
        match sampled(root.path(), &topic(name), 9) {
            Err(Error::NothingMatched { found, .. }) => assert_eq!(found, expected),
            other => panic!("{name}: {other:?}"),
        }
    }
    let empty = tempfile::tempdir().unwrap();
    let nothing = sampled(empty.path(), &topic("u.t"), 9);
    assert!(matches!(nothing, Err(Error::NothingMatched { .. })), "{nothing:?}");
}

#[test]
fn a_file_that_is_there_is_not_overwritten_unasked() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("t.toml");
    save("one", &path, false).unwrap();
    assert!(matches!(save("two", &path, false), Err(Error::File { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
    save("2", &path, true).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "2");
    let nowhere = root.path().join("t.toml/t.toml");
    assert!(matches!(save("", &nowhere, false), Err(Error::Write { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "2");
}

#[test]
fn the_folder_of_the_file_is_made() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("my/transforms/t.toml");
    save("one", &path, false).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
}

fn scalar() -> impl Strategy<Value = Value> {
    let odd = prop::sample::select(vec![
        "",
        "null",
        "N/A",
        "7",
        "007",
        "1.5k",
        "-3M",
        "999999999999B",
        "12x",
        "true",
        "NaN",
        "1e400",
        "2020-08-28",
        "2021-02-30",
        "2020-08-28T03:52:47",
        "2020-08-28 03:52:47.123456789",
        "12020-08-28T03:52:47Z",
        "0000-01-01T00:00:00+23:59",
        "1598586767",
        "'''",
        "\"\"\"",
        "a\nb",
        "\u{0}\u{7f}\u{2028}",
        "User Info Error",
        "No Title Data Available",
    ]);
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        2 => (-5..5_i64).prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        5 => odd.prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => scalar(),
        1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::from),
        1 => prop::collection::vec(prop::collection::vec(scalar(), 0..2), 0..2).prop_map(Value::from),
        1 => (any::<String>(), scalar()).prop_map(|(k, v)| Value::from_iter([(k, v)])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_records_give_a_draft_that_holds(
        names in prop::collection::btree_set(
            prop_oneof![
                prop::sample::select(vec!["a", "A", "value", "key", "timestamp", "_rescued", "0"])
                    .prop_map(str::to_owned),
                any::<String>(),
            ],
            1..4,
        ),
        rows in prop::collection::vec(prop::collection::vec(json(), 4), 1..12),
    ) {
        let lines: String = rows
            .iter()
            .map(|row| {
                let fields = names.iter().cloned().zip(row.iter().cloned());
                format!("{}\n", Value::from_iter(fields))
            })
            .collect();
        match draft_of(&lines) {
            // Objects alone, in a field or without a name.
            Err(Error::NothingMatched { .. }) => {}
            other => {
                prop_assert!(other.is_ok(), "{:?}", other);
                let (draft, spec) = drafted(&lines);
                let rejected: u64 = draft.rejects.values().sum();
                prop_assert!(draft.rows > 0 || rejected > 0, "{}", draft.text);
                prop_assert!(!spec.columns.is_empty());
                // TOML has no null, so that a list with one makes no example.
                let lists = lines.contains('[');
                prop_assert!(draft.rows == 0 || lists || spec.examples.len() == 1, "{}", draft.text);
            }
        }
    }
}
