//! Columns that are null in every row of a run.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::records::{GEO, PIN, geo, geos, key};
use super::site::{Ran, Site, write};
use crate::table::Format;

/// A sound record in which the number has another key.
fn renamed(ind: u64, name: &str) -> String {
    geo(ind).replace("\"ind\"", &format!("\"{name}\"")) + "\n"
}

/// What is said of columns that are null.
fn told(ran: &Ran) -> Vec<&str> {
    let lines = ran.stderr.lines().filter(|line| line.contains(" is null in "));
    lines.map(|line| line.split_once("WARN ").map_or(line, |(_, said)| said)).collect()
}

const NO_IND: &str = "no record has \"ind\" or \"index\"";

#[test]
fn a_column_whose_key_was_renamed_is_told_with_the_likely_key() {
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), renamed(1, "idx") + &renamed(2, "idx"));
        site.put(&key(GEO, 1, 0), renamed(3, "idx"));
        let ran = site.run(&[]).done();
        let expected = format!(
            "geo: column ind is null in all 3 rows of this run: {NO_IND} (did you mean \"idx\", \
             which 3 records have?)"
        );
        assert_eq!(told(&ran), [expected]);
        let null = &ran.report()["tables"]["geo"]["null_columns"];
        let absent = json!([{ "names": ["ind", "index"], "likely": "idx", "records": 3 }]);
        assert_eq!(
            null,
            &json!([{
                "column": "ind", "rows": 3, "cause": "field_absent", "absent_fields": absent,
                "unread_fields": [],
            }])
        );
        // What is not new is not told again.
        assert_eq!(told(&site.run(&[]).done()), [""; 0]);
    }
}

#[test]
fn the_likely_key_is_found_by_its_spelling() {
    let cases = [
        ("idx", Some("idx")),
        ("Ind", Some("Ind")),
        ("inde", Some("inde")),
        ("post_index", Some("post_index")),
        ("number", None),
    ];
    for ((name, likely), format) in cases.into_iter().zip(Format::BOTH.into_iter().cycle()) {
        let site = Site::folder(format);
        site.put(&key(GEO, 0, 0), renamed(1, name).replace('}', ",\"extra\":1}"));
        let ran = site.run(&[]).done();
        let [line] = told(&ran)[..] else { panic!("{name}: {}", ran.stderr) };
        let expected = match likely {
            Some(likely) => format!("{NO_IND} (did you mean {likely:?}, which 1 record has?)"),
            None => format!("{NO_IND}; fields of every row that no column reads: extra, number"),
        };
        assert_eq!(
            line,
            format!("geo: column ind is null in the only row of this run: {expected}")
        );
    }
}

#[test]
fn one_row_with_a_value_in_any_shard_or_topic_is_enough() {
    for format in Format::BOTH {
        for (topic, partition) in [(GEO, 0), (GEO, 1), ("w.geo", 0)] {
            let site = Site::folder(format);
            site.put(&key(GEO, 0, 0), renamed(1, "idx"));
            site.put(&key(topic, partition, 1), geos([2]));
            let ran = site.run(&[]).done();
            assert_eq!(told(&ran), [""; 0], "{topic} {partition}");
            assert_eq!(ran.report()["tables"]["geo"]["null_columns"], json!([]));
        }
    }
}

#[test]
fn a_field_that_is_there_and_has_no_value_is_told_only_of_many_rows() {
    let country = |ind: u64, value: &str| geo(ind).replace("\"Peru\"", value) + "\n";
    for (rows, count) in [(1, 0), (99, 0), (100, 1)] {
        let site = Site::folder(Format::Delta);
        site.put(&key(GEO, 0, 0), (0..rows).map(|n| country(n, "null")).collect::<String>());
        let ran = site.run(&[]).done();
        assert_eq!(told(&ran).len(), count, "{rows}: {}", ran.stderr);
        let null = &ran.report()["tables"]["geo"]["null_columns"][0];
        assert_eq!((&null["column"], &null["cause"]), (&"country".into(), &"no_values".into()));
    }
    // Null in one record, and not there in the others: it is there.
    let site = Site::folder(Format::Delta);
    site.put(&key(GEO, 0, 0), country(1, "null") + &renamed(2, "ind").replace("country", "x"));
    assert_eq!(told(&site.run(&[]).done()), [""; 0]);
}

#[test]
fn a_field_of_the_rejects_alone_and_one_of_an_envelope_do_not_hide_each_other() {
    let site = Site::folder(Format::Delta);
    let inner = geo(1).replace("\"timestamp\"", "\"time\"");
    site.put(&key(GEO, 0, 0), format!("{{\"key\":\"k\",\"value\":{inner}}}\n"));
    site.run(&[]).done().said("column timestamp is null").said("did you mean \"time\"");

    // The rejects are told of by themselves: the field is there.
    let site = Site::folder(Format::Delta);
    let late = geo(1).replace("2018-05-27", "2018:05:27") + "\n";
    let without = geo(2).replace("\"timestamp\"", "\"x\"") + "\n";
    site.put(&key(GEO, 0, 0), late + &without);
    let ran = site.run(&[]).done();
    assert_eq!((ran.counts(), told(&ran)), ([2, 1, 1, 0], vec![]));
}

#[test]
fn a_list_of_nulls_is_null_and_names_each_of_its_fields() {
    let site = Site::folder(Format::Parquet);
    let record = geo(1).replace("latitude", "lat").replace("longitude", "lng");
    site.put(&key(GEO, 0, 0), record);
    let expected = "geo: column coordinates is null in the only row of this run: no record has \
                    \"latitude\" (did you mean \"lat\", which 1 record has?), no record has \
                    \"longitude\" (did you mean \"lng\", which 1 record has?)";
    assert_eq!(told(&site.run(&[]).done()), [expected]);
    // Half of it is a value.
    site.put(&key(GEO, 0, 1), geo(2).replace("latitude", "lat"));
    assert_eq!(told(&site.run(&[]).done()), [""; 0]);
}

#[test]
fn values_that_were_all_wrong_and_became_null_are_told() {
    let transform = "version = 1\ntable = \"geo\"\ntopics = [\"*.geo\"]\n\
        [[column]]\nname = \"ind\"\ntype = \"int32\"\nfield = \"ind\"\non_error = \"null\"\n\
        [[column]]\nname = \"country\"\ntype = \"string\"\nfield = \"country\"\n\
        [[column]]\nname = \"origin\"\ntype = \"string\"\nconstant = \"kafka\"\n";
    let site = Site::folder(Format::Delta);
    write(&site.home.path().join("transforms/geo.toml"), transform.as_bytes());
    site.put(&key(GEO, 0, 0), geo(1).replace(":1,", ":\"one\","));
    let ran = site.run(&["--transforms", "transforms"]).done();
    let expected = "geo: column ind is null in the only row of this run: its values are wrong, and \
                    on_error = \"null\" makes them null";
    assert_eq!(told(&ran), [expected]);
}

#[test]
fn programs_are_told_too_and_quiet_is_quiet() {
    let site = Site::buckets(Format::Delta);
    site.put(&key(GEO, 0, 0), renamed(1, "idx"));
    let ran = site.run(&["--log=json"]).done();
    let lines: Vec<Value> =
        ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_columns: Vec<&Value> = lines.iter().filter(|line| !line["column"].is_null()).collect();
    let [line] = of_columns[..] else { panic!("{lines:#?}") };
    for (name, value) in [
        ("level", json!("WARN")),
        ("table", json!("geo")),
        ("column", json!("ind")),
        ("rows", json!(1)),
        ("likely_field", json!("idx")),
    ] {
        assert_eq!(line[name], value, "{name}");
    }
    site.put(&key(GEO, 0, 1), renamed(2, "idx"));
    assert_eq!(site.run(&["--quiet"]).done().stderr, "");
}

#[test]
fn a_record_of_other_fields_is_told_column_by_column() {
    let site = Site::folder(Format::Delta);
    let mut lines = String::new();
    for n in 0..3 {
        writeln!(lines, "{{\"index\":{n},\"UniqueId\":\"a{n}\",\"followers\":\"7\"}}").unwrap();
    }
    site.put(&key(PIN, 0, 0), lines);
    let ran = site.run(&[]).done();
    ran.said("column unique_id is null in all 3 rows of this run: no record has \"unique_id\" (did you mean \"UniqueId\"")
        .said("column follower_count is null in all 3 rows of this run: no record has \"follower_count\" (did you mean \"followers\"");
}
