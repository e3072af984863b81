use std::sync::Arc;

use object_store::memory::InMemory;

use super::*;
use crate::code::Code;
use crate::key::{Source, Topic};
use crate::pipeline::discover::{Skipped, Strays};
use crate::pipeline::write::DataFile;
use crate::store::RequestCounts;

fn source(topic: &str, partition: u32) -> Source {
    let topic = Topic::parse(topic).unwrap();
    Source { topic, directory: format!("partition={partition}").into(), partition }
}

fn counts() -> ShardCounts {
    ShardCounts {
        objects: 3,
        bytes: 1_250_000,
        read: 1_203,
        written: 1_200,
        quarantined: 2,
        duplicate: 1,
        rejects: [((Code::InvalidJson, None), 1), ((Code::Range, Some("n".into())), 1)].into(),
        examples: [((Code::InvalidJson, None), RejectExample::new("k".into(), 2, "wrong"))].into(),
        seen: SeenValues { columns: [0, 2].into(), slots: [1].into() },
        changes: [(("n".into(), "suffix k".into()), 40)].into(),
        unknown_fields: [("extra".into(), 7)].into(),
        envelopes: [("value".into(), 3)].into(),
        first_offset: Some(10),
        last_offset: Some(1_212),
    }
}

#[test]
fn objects_that_were_not_read_are_told_with_an_example() {
    let strays = |count, examples: &[&str]| Strays {
        count,
        examples: examples.iter().map(|s| (*s).to_owned()).collect(),
    };
    let skipped = Skipped {
        foreign: strays(1, &["topics/a.pin/x"]),
        other: strays(9, &["1", "2", "3", "4", "5"]),
        ..Skipped::default()
    };
    let mut report = report();
    report.outcome = Outcome::NothingNew;
    report.tables.get_mut("pin").unwrap().add_skipped(&Topic::parse("a.pin").unwrap(), &skipped);
    assert_eq!(report.tables["pin"].foreign, 10);
    assert_eq!(report.tables["pin"].foreign_examples, ["topics/a.pin/x", "1", "2", "3", "4"]);
    let told = "objects that are not the topic's, not read: pin (such as topics/a.pin/x) 10\n";
    assert!(report.terminal().contains(told), "{}", report.terminal());
}

#[test]
fn rows_that_gave_way_to_a_later_one_are_told() {
    let mut report = report();
    assert!(!report.terminal().contains("replaced"));
    report.tables.get_mut("pin").unwrap().records_replaced = 1_200;
    let told = "rows replaced by a later one of their key: pin 1,200\n";
    assert!(report.terminal().contains(told), "{}", report.terminal());
}

fn file(rows: u64) -> DataFile {
    let (partition, stats) = (Vec::new(), String::new());
    DataFile { path: "f.parquet".into(), rows, bytes: 10, partition, stats }
}

fn table() -> TableReport {
    let mut table = TableReport { sidecars: 4, ..TableReport::default() };
    table.add_shard(&source("a.pin", 0), &counts());
    table.files.push(file(1_200));
    table.quarantine_files.push(file(2));
    table
}

fn report() -> Report {
    Report {
        run_id: "20240131T235959Z-0123abcd".into(),
        version: "0.1.0",
        outcome: Outcome::Committed,
        broken_gates: Vec::new(),
        started: "2024-01-31T23:59:59Z".into(),
        elapsed_s: 1.25,
        source: "s3://b".into(),
        out: "./clean".into(),
        spec_hash: "abc".into(),
        requests: RequestCounts { list: 2, ..RequestCounts::default() },
        tables: [("pin".into(), table()), ("geo".into(), TableReport::default())].into(),
        topics_without_transform: vec!["a.other".into()],
    }
}

#[test]
fn the_terminal_shows_the_outcome_at_a_glance() {
    insta::assert_snapshot!(report().terminal(), @r"
    table  objects   read  written  quarantined  duplicates  files   MB
    geo          0      0        0            0           0      0  0.0
    pin          3  1,203    1,200            2           1      1  1.3
    rejects: pin invalid_json 1, pin.n range 1
    fields that no transform reads: pin.extra 7
    topics without a transform: a.other
    report: ./clean/_runs/20240131T235959Z-0123abcd.json
    ");
}

#[test]
fn folders_that_were_not_listed_are_told_beside_what_is_new() {
    let mut report = report();
    let skipped = Skipped { older_folders: 1_234, ..Skipped::default() };
    let pin = report.tables.get_mut("pin").unwrap();
    pin.add_skipped(&Topic::parse("b.pin").unwrap(), &skipped);
    pin.add_skipped(&Topic::parse("c.pin").unwrap(), &Skipped::default());
    assert_eq!(pin.topics["b.pin"].folders_older_than_lookback, 1_234);
    assert!(!pin.topics.contains_key("c.pin"));
    let told = "folders older than --lookback, not listed: b.pin 1,234\n";
    assert!(report.terminal().contains(told), "{}", report.terminal());
    report.outcome = Outcome::NothingNew;
    assert!(!report.terminal().contains("lookback"), "{}", report.terminal());
}

#[test]
fn a_run_with_nothing_new_says_so_and_shows_no_table() {
    let quiet = Report {
        outcome: Outcome::NothingNew,
        tables: BTreeMap::new(),
        topics_without_transform: vec![],
        ..report()
    };
    insta::assert_snapshot!(quiet.terminal(), @r"
    nothing new
    report: ./clean/_runs/20240131T235959Z-0123abcd.json
    ");
}

#[test]
fn the_json_has_the_documented_keys() {
    let json: serde_json::Value = serde_json::from_str(&report().to_json().unwrap()).unwrap();
    let pin = &json["tables"]["pin"];
    assert_eq!(json["outcome"], "committed");
    assert_eq!(json["broken_gates"], serde_json::json!([]));
    assert_eq!(pin["null_columns"], serde_json::json!([]));
    assert_eq!(json["requests"]["list"], 2);
    assert_eq!(pin["rejects"]["range"]["n"], 1);
    assert_eq!(pin["rejects"]["invalid_json"][""], 1);
    assert_eq!(pin["columns"]["n"]["suffix k"], 40);
    assert_eq!(pin["envelopes"]["value"], 3);
    let partition = &pin["topics"]["a.pin"]["directories"]["partition=0"]["0"];
    assert_eq!(partition["first_offset"], 10);
    assert_eq!(partition["last_offset"], 1_212);
    assert_eq!(pin["files"][0]["rows"], 1_200);
}

#[test]
fn shards_add_up_in_any_order() {
    let other = ShardCounts {
        first_offset: Some(2),
        last_offset: Some(5),
        examples: [((Code::InvalidJson, None), RejectExample::new("k".into(), 1, "wrong"))].into(),
        seen: SeenValues { columns: [1].into(), slots: [1, 3].into() },
        ..counts()
    };
    let sum = |parts: [&ShardCounts; 3]| {
        let mut sum = ShardCounts::default();
        parts.iter().for_each(|part| sum.merge(part));
        sum
    };
    let empty = ShardCounts::default();
    let forward = sum([&counts(), &empty, &other]);
    assert_eq!(forward, sum([&other, &counts(), &empty]));
    assert_eq!((forward.first_offset, forward.last_offset), (Some(2), Some(1_212)));
    assert_eq!(forward.read, 2_406);
    assert_eq!(forward.examples[&(Code::InvalidJson, None)].line, 1);
    let seen = SeenValues { columns: [0, 1, 2].into(), slots: [1, 3].into() };
    assert_eq!(forward.seen, seen);

    let mut merged = TableReport::default();
    merged.add_shard(&source("a.pin", 0), &forward);
    let mut single = TableReport::default();
    for part in [&other, &empty, &counts()] {
        single.add_shard(&source("a.pin", 0), part);
    }
    assert_eq!(merged, single);
}

#[test]
fn the_balance_notices_every_single_lost_or_doubled_record() {
    type Change = fn(&mut TableReport);
    assert!(report().balance().is_ok());
    let lossy: [Change; 4] = [
        |t| t.records_read += 1,
        |t| t.records_written += 1,
        |t| t.records_quarantined -= 1,
        |t| t.records_duplicate += 1,
    ];
    for change in lossy {
        let mut table = table();
        change(&mut table);
        let error = table.balance("pin").unwrap_err();
        assert!(matches!(error, Error::Balance { .. }), "{error}");
    }
    let disagreeing: [Change; 3] = [
        |t| t.files[0].rows -= 1,
        |t| t.quarantine_files.push(file(1)),
        |t| drop(t.rejects.pop_first()),
    ];
    for change in disagreeing {
        let mut table = table();
        change(&mut table);
        let error = table.balance("pin").unwrap_err();
        assert!(matches!(error, Error::Internal { .. }), "{error}");
    }
}

#[tokio::test]
async fn the_report_is_saved_beside_the_tables_and_where_asked() {
    let objects = Arc::new(InMemory::new());
    let output =
        Output { objects: Arc::clone(&objects) as _, url: "s3://b/clean/".into(), refusals: None };
    let place = report().save(&output).await.unwrap();
    assert_eq!(place, "s3://b/clean/_runs/20240131T235959Z-0123abcd.json");
    let path = Path::from("_runs/20240131T235959Z-0123abcd.json");
    let saved = objects.get(&path).await.unwrap().bytes().await.unwrap();
    assert_eq!(saved, report().to_json().unwrap());

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    report().save_file(&file, Durability::Synced).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), report().to_json().unwrap());
    assert!(matches!(
        report().save_file(folder.path(), Durability::Synced),
        Err(Error::Write { .. })
    ));
    assert!(matches!(
        report().save_file(&file.join("x"), Durability::Synced),
        Err(Error::Write { .. })
    ));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the report and no other");
}

#[cfg(unix)]
#[test]
fn a_report_to_what_is_no_plain_file_goes_through_it() {
    let folder = tempfile::tempdir().unwrap();
    let [file, link] = ["report.json", "link"].map(|name| folder.path().join(name));
    std::os::unix::fs::symlink(&file, &link).unwrap();
    report().save_file(&link, Durability::Synced).unwrap();
    assert!(link.is_symlink() && file.is_file());
    assert!(report().save_file(std::path::Path::new("/dev/null"), Durability::Synced).is_ok());
}

#[test]
fn a_report_is_written_where_no_file_can_be_put_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    // With anything added its name is too long: it stands for a folder that is not ours.
    let file = folder.path().join("r".repeat(250));
    report().save_file(&file, Durability::Synced).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), report().to_json().unwrap());
}

#[test]
fn whoever_reads_a_report_reads_all_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let write = |run_id: &str, source: String| {
        let report = Report { run_id: run_id.into(), source, ..report() };
        (0..100).for_each(|_| report.save_file(&file, Durability::Synced).unwrap());
    };
    let long = "long/".repeat(2_000);
    std::thread::scope(|scope| {
        let writers =
            [scope.spawn(|| write("a", "short".into())), scope.spawn(|| write("b", long))];
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            let Ok(text) = std::fs::read(&file) else { continue };
            serde_json::from_slice::<serde_json::Value>(&text).unwrap();
        }
    });
}

#[test]
fn run_ids_tell_the_time_and_differ() {
    let now = DateTime::from_timestamp(1_706_745_599, 0).unwrap();
    let (a, b) = (run_id(now), run_id(now));
    assert!(a.starts_with("20240131T235959Z-"), "{a}");
    assert_eq!(a.len(), b.len());
    assert_ne!(a, b);
    assert_eq!(rfc3339(now), "2024-01-31T23:59:59Z");
}
