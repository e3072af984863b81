//! Tables of Delta that cannot be used, and such that can although they look odd:
//! by others, with features, with a damaged log, of the other format.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::records::{GEO, PIN, geos, key, pin};
use super::site::{Ran, Site};
use crate::table::Format;

/// A folder and two buckets.
fn sites() -> [Site; 2] {
    [Site::folder(Format::Delta), Site::buckets(Format::Delta)]
}

/// Three runs: versions 0 to 2 of the geo table, with rejects, and one of pins.
fn filled() -> [Site; 2] {
    let sites = sites();
    for site in &sites {
        site.put(&key(PIN, 0, 0), pin(1, "1"));
        for start in [0, 2, 4] {
            site.put(&key(GEO, 0, start), geos([start]) + "{}\n");
            site.run(&[]).done();
        }
        assert_eq!(site.out().commits("geo").len(), 3);
    }
    sites
}

/// Something new for both tables: pins are read after geo.
fn put_news(site: &Site) {
    site.put(&key(GEO, 0, 90), geos([90]) + "{}\n");
    site.put(&key(PIN, 0, 90), pin(90, "1"));
}

/// A run that has work to do fails, says why, and changes nothing.
#[track_caller]
fn refuses(site: &Site, args: &[&str], why: &[&str]) {
    put_news(site);
    let before = site.out().snapshot();
    let ran: Ran = site.run(args).exited(1);
    for text in why {
        assert!(ran.stderr.contains(text), "{text:?} is not in:\n{}", ran.stderr);
    }
    assert_eq!(ran.stderr.lines().next().map(|line| line.starts_with("error: ")), Some(true));
    assert!(ran.report.is_none());
    let changed: Vec<String> = difference(&before, &site.out().snapshot());
    assert_eq!(changed, [""; 0], "{}", ran.stderr);
}

fn difference<V: PartialEq>(
    before: &BTreeMap<String, V>,
    after: &BTreeMap<String, V>,
) -> Vec<String> {
    let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
    keys.filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

fn commit(table: &str, version: usize) -> String {
    format!("{table}/_delta_log/{version:020}.json")
}

/// The first commit of a table that another program made.
fn stranger() -> String {
    let field = json!({ "name": "ind", "type": "integer", "nullable": true, "metadata": {} });
    let schema = json!({ "type": "struct", "fields": [field] }).to_string();
    let actions = [
        json!({ "protocol": { "minReaderVersion": 1, "minWriterVersion": 2 } }),
        json!({ "metaData": {
            "id": "11111111-2222-3333-4444-555555555555", "name": "theirs",
            "format": { "provider": "parquet", "options": {} },
            "schemaString": schema, "partitionColumns": [],
            "configuration": {}, "createdTime": 1_700_000_000_000_u64,
        } }),
    ];
    actions.map(|action| action.to_string()).join("\n")
}

#[test]
fn the_table_of_another_program_is_left_alone() {
    for site in sites() {
        site.out().put(&commit("geo", 0), stranger());
        refuses(&site, &[], &["/geo cannot be used", "pinclean did not make", "--out"]);
        refuses(&site, &["--mode", "overwrite"], &["pinclean did not make"]);
    }
}

#[test]
fn the_table_of_another_program_in_the_place_of_the_quarantine_is_left_alone() {
    for site in sites() {
        site.out().put(&commit("_quarantine/geo", 0), stranger());
        refuses(&site, &[], &["_quarantine/geo cannot be used", "pinclean did not make", "--out"]);
    }
}

#[test]
fn another_table_of_pinclean_is_left_alone() {
    for site in filled() {
        for key in site.out_keys("geo/_delta_log/") {
            site.out().remove(&key);
        }
        let pins = site.out().read(&commit("pin", 0));
        site.out().put(&commit("geo", 0), pins);
        refuses(&site, &[], &["/geo cannot be used", "it is the table pin", "not geo"]);
    }
}

#[test]
fn a_table_with_features_that_cannot_be_written_is_left_alone() {
    let features = |reader: &[&str], writer: &[&str]| -> Value {
        json!({
            "minReaderVersion": if reader.is_empty() { 1 } else { 3 }, "minWriterVersion": 7,
            "writerFeatures": writer,
            "readerFeatures": (!reader.is_empty()).then_some(reader),
        })
    };
    let protocols = [
        features(&["fromTheFuture"], &["fromTheFuture"]),
        features(&[], &["fromTheFuture"]),
        features(&[], &["identityColumns"]),
        json!({ "minReaderVersion": 99, "minWriterVersion": 99 }),
    ];
    for protocol in protocols {
        for site in filled() {
            let action = json!({ "protocol": protocol });
            site.out().put(&commit("geo", 3), action.to_string());
            refuses(&site, &[], &["/geo has features that this version of pinclean cannot write"]);
        }
    }
}

#[test]
fn a_log_that_makes_no_sense_is_left_alone() {
    let cut = |site: &Site| {
        let whole = site.out().read(&commit("geo", 2));
        site.out().put(&commit("geo", 2), whole.slice(..whole.len() / 2));
    };
    let garbage = |site: &Site| site.out().put(&commit("geo", 1), "no JSON at all\n");
    let a_gap = |site: &Site| site.out().remove(&commit("geo", 1));
    let no_start = |site: &Site| site.out().remove(&commit("geo", 0));
    let no_metadata = |site: &Site| site.out().put(&commit("geo", 0), "{}\n");
    let damages: [(&str, &dyn Fn(&Site)); 5] = [
        ("a cut commit", &cut),
        ("garbage", &garbage),
        ("a gap", &a_gap),
        ("no first commit", &no_start),
        ("no metadata", &no_metadata),
    ];
    for (name, damage) in damages {
        for site in filled() {
            damage(&site);
            println!("{name}");
            refuses(&site, &[], &["/geo cannot be used"]);
        }
    }
}

/// Ten versions and more: a checkpoint is there.
fn with_a_checkpoint() -> [Site; 2] {
    let sites = sites();
    for site in &sites {
        for start in 0..11 {
            site.put(&key(GEO, 0, start), geos([start]));
            site.run(&[]).done();
        }
        let keys = site.out_keys("geo/_delta_log/");
        assert!(keys.iter().any(|key| key.ends_with(".checkpoint.parquet")), "{keys:?}");
        assert!(keys.iter().any(|key| key.ends_with("_last_checkpoint")), "{keys:?}");
    }
    sites
}

#[test]
fn a_checkpoint_that_makes_no_sense_is_told_and_nothing_is_changed() {
    for site in with_a_checkpoint() {
        let keys = site.out_keys("geo/_delta_log/");
        let checkpoint = keys.iter().find(|key| key.ends_with(".checkpoint.parquet")).unwrap();
        site.out().put(checkpoint, "no Parquet at all");
        refuses(&site, &[], &["/geo"]);
    }
}

#[test]
fn a_hint_of_the_last_checkpoint_is_not_needed_unless_it_says_what_is_not_so() {
    for site in with_a_checkpoint() {
        let hint = "geo/_delta_log/_last_checkpoint";
        for text in ["no JSON at all", "", r#"{"version":7,"size":1}"#] {
            site.out().put(hint, text);
            assert_eq!(site.run(&[]).done().counts(), [0; 4], "{text:?}");
        }
        site.out().put(hint, r#"{"version":99,"size":1}"#);
        refuses(&site, &[], &["/geo cannot be used", "_last_checkpoint"]);
        site.out().remove(hint);
        assert_eq!(site.run(&[]).done().counts(), [3, 2, 1, 0]);
        assert_eq!(site.inds("geo"), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 90]);
    }
}

#[test]
fn neither_an_append_nor_an_overwrite_needs_the_files_that_are_there() {
    for site in filled() {
        let lost = site.visible().into_iter().find(|path| path.starts_with("geo/")).unwrap();
        site.out().remove(&lost);
        put_news(&site);
        assert_eq!(site.run(&[]).done().counts(), [3, 2, 1, 0]);
        assert_eq!(site.run(&["--mode", "overwrite"]).done().counts(), [10, 6, 4, 0]);
        assert_eq!(site.inds("geo"), [0, 2, 4, 90]);
        assert_eq!(site.rejects("geo").len(), 4);
        site.assert_settled();
    }
}

#[test]
fn a_table_of_the_other_format_is_left_alone() {
    for site in filled() {
        let parquet = Format::Parquet.args();
        refuses(&site, parquet, &["/geo cannot be used", "--format delta", "--out"]);
    }
    for mut site in [Site::folder(Format::Parquet), Site::buckets(Format::Parquet)] {
        put_news(&site);
        site.run(&[]).done();
        site.put(&key(GEO, 0, 95), geos([95]));
        site.format = Format::Delta;
        let before = site.out().snapshot();
        let ran = site.run(&[]).exited(1).said("/geo cannot be used").said("--format parquet");
        assert!(ran.report.is_none());
        assert!(site.out().snapshot() == before);
    }
}
