//! The cases in `fixtures/cases`: each is run twice, on each backend,
//! to each format.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use serde_json::{Value, json};

use super::records::{inds, plain};
use super::site::Site;
use super::tables::Reject;
use crate::table::{Format, files};

/// Cases at a time: a run waits as much as it works.
const THREADS: usize = 4;

#[test]
fn every_case_is_read_as_it_says_from_folder_to_folder_of_delta() {
    run_all(|| Site::folder(Format::Delta));
}

#[test]
fn every_case_is_read_as_it_says_from_folder_to_folder_of_parquet() {
    run_all(|| Site::folder(Format::Parquet));
}

#[test]
fn every_case_is_read_as_it_says_from_bucket_to_bucket_of_delta() {
    run_all(|| Site::buckets(Format::Delta));
}

#[test]
fn every_case_is_read_as_it_says_from_bucket_to_bucket_of_parquet() {
    run_all(|| Site::buckets(Format::Parquet));
}

/// Runs every case; names all those that failed.
fn run_all(site: fn() -> Site) {
    let cases = Mutex::new(folders());
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(case) = { cases.lock().unwrap().pop() } {
                    let run = AssertUnwindSafe(|| Case::open(&case).check(&site()));
                    if catch_unwind(run).is_err() {
                        failed.lock().unwrap().push(case);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "these cases failed: {failed:#?}");
}

fn folders() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases");
    let entries = fs::read_dir(folder).unwrap();
    let cases: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    assert!(cases.len() > 30, "{cases:?}");
    cases
}

struct Case {
    folder: PathBuf,
    /// The case's `expect.json`.
    expect: Value,
    /// What each object of records holds, inflated.
    objects: BTreeMap<String, Vec<u8>>,
}

impl Case {
    fn open(folder: &Path) -> Case {
        let expect = fs::read(folder.join("expect.json")).unwrap();
        let keys = files(folder).into_iter().filter(|key| is_value(key));
        Case {
            folder: folder.to_path_buf(),
            expect: serde_json::from_slice(&expect).unwrap(),
            objects: keys.map(|k| (k.clone(), plain(&fs::read(folder.join(k)).unwrap()))).collect(),
        }
    }

    fn check(&self, site: &Site) {
        site.load(&self.folder);
        let first = site.run(&[]);
        assert_eq!(first.code.map(Value::from), Some(self.expect["exit"].clone()), "{first:#?}");
        let [_, written, quarantined, duplicate] = first.counts();
        let codes: BTreeMap<_, _> = first.codes().into_iter().collect();
        let counted = json!({
            "written": written, "quarantined": quarantined, "duplicate": duplicate,
            "codes": codes, "exit": first.code,
        });
        assert_eq!(counted, self.expect);
        let outcome = if first.code == Some(3) { "too_many_rejects" } else { "committed" };
        assert_eq!(first.report()["outcome"], outcome);
        self.check_tables(site);

        let before = site.out().snapshot();
        let second = site.run(&[]).done();
        assert_eq!(second.report()["outcome"], "nothing_new");
        assert_eq!(second.counts(), [0; 4]);
        assert!(site.out().snapshot() == before, "something was written");
    }

    fn check_tables(&self, site: &Site) {
        site.assert_settled();
        let rejects = site.rejects(self.table());
        rejects.iter().for_each(|reject| self.check_reject(reject));
        let places: BTreeSet<_> = rejects.iter().map(|r| (r.object.as_str(), r.line)).collect();
        assert_eq!(places.len(), rejects.len(), "each reject is there once: {rejects:#?}");
        let mut good: Vec<i64> = self
            .lines()
            .filter(|line| !line.is_delivered_again && !places.contains(&(line.key, line.number)))
            .flat_map(|line| inds(line.text))
            .collect();
        good.sort_unstable();
        assert_eq!(site.inds(self.table()), good);
    }

    /// A reject tells where its record is, and keeps it.
    fn check_reject(&self, reject: &Reject) {
        assert_eq!(reject.topic, format!("5f1c0d9a77b3.{}", self.table()));
        assert_eq!(reject.partition, 0);
        assert!(!reject.message.is_empty());
        let of_a_value = ["type", "overflow", "not_finite", "format", "invalid_escape"];
        let is_of_a_value = of_a_value.contains(&reject.code.as_str());
        assert_eq!(reject.column.is_some(), is_of_a_value, "{reject:#?}");
        if reject.line == 0 {
            // The object as a whole: its offset is that of the record it lacks.
            let records = self.lines().filter(|line| line.key == reject.object).count() as i64;
            assert_eq!((reject.offset, &*reject.raw), (start(&reject.object) + records, &b""[..]));
            return;
        }
        let line = self
            .lines()
            .find(|line| line.key == reject.object && line.number == reject.line)
            .unwrap_or_else(|| panic!("no such line: {reject:#?}"));
        assert_eq!(reject.offset, line.offset, "{reject:#?}");
        assert_eq!(reject.raw, line.text.trim_ascii(), "{reject:#?}");
    }

    fn table(&self) -> &str {
        let topic = self.objects.keys().next().unwrap().split('/').nth(1).unwrap();
        topic.rsplit_once('.').unwrap().1
    }

    /// All lines that are records.
    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let mut seen = BTreeSet::new();
        self.objects.iter().flat_map(move |(key, body)| {
            let lines = (1..).zip(body.split(|&byte| byte == b'\n'));
            let records = lines.filter(|(_, text)| !text.trim_ascii().is_empty());
            let lines = records.zip(start(key)..).map(|((number, text), offset)| {
                let is_delivered_again = !seen.insert(offset);
                Line { key, number, text, offset, is_delivered_again }
            });
            lines.collect::<Vec<_>>()
        })
    }
}

struct Line<'a> {
    key: &'a str,
    /// From 1.
    number: i64,
    text: &'a [u8],
    offset: i64,
    /// Whether an object before this one holds it too.
    is_delivered_again: bool,
}

fn is_value(key: &str) -> bool {
    let is_sidecar = key.contains(".keys.") || key.contains(".headers.");
    key.starts_with("topics/") && !is_sidecar && !key.contains("/tombstone/")
}

/// The start offset in a key.
fn start(key: &str) -> i64 {
    let offset = key.rsplit('+').next().unwrap();
    offset.split('.').next().unwrap().parse().unwrap()
}
