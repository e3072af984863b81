//! What readers of the tables see: the rows of the files that the logs list.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Row;
use pinclean::delta::Log;
use pinclean::store::Output;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::lake::Objects;

/// Columns of the quarantine that differ from run to run.
const OF_THE_RUN: [&str; 3] = ["run_id", "at", "id"];

/// The rows of every table and of every quarantine, sorted: equal if and only if
/// the tables are, as multisets.
#[derive(Clone, PartialEq, Eq)]
pub struct Content(BTreeMap<String, Vec<String>>);

impl Content {
    /// Replays the commits below `out/`, one after the other.
    pub fn of(objects: &Objects) -> Content {
        let objects = &output(objects);
        let tables = tables(objects).into_iter().filter_map(|table| {
            let live = replay(objects, table)?;
            let files = live.iter().map(|file| format!("{table}/{file}"));
            let mut rows: Vec<String> = files
                .flat_map(|file| match objects.get(&file) {
                    Some(body) => rows(body).to_vec(),
                    None => panic!("{file} is listed and is not there"),
                })
                .collect();
            rows.sort_unstable();
            Some((table.to_owned(), rows))
        });
        Content(tables.collect())
    }

    /// The names of the tables.
    pub fn tables(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// How many rows a table has.
    pub fn rows(&self, table: &str) -> u64 {
        self.0[table].len() as u64
    }

    #[track_caller]
    pub fn assert_is(&self, expected: &Content, about: &str) {
        assert_eq!(self.tables(), expected.tables(), "{about}");
        for (table, rows) in &self.0 {
            let wanted = &expected.0[table];
            let (lost, more) = (without(wanted, rows), without(rows, wanted));
            assert!(
                lost.is_empty() && more.is_empty(),
                "{about}: {table}: {} rows lost: {lost:#?}; {} too many: {more:#?}",
                lost.len(),
                more.len(),
            );
        }
    }

    /// Every table is as in one of two states; what is in neither is a table
    /// that does not exist yet.
    #[track_caller]
    pub fn assert_between(&self, before: &Content, after: &Content, about: &str) {
        for (table, wanted) in &after.0 {
            let rows = self.0.get(table);
            assert!(
                rows == before.0.get(table) || rows == Some(wanted),
                "{about}: {table} is half done: {} rows",
                rows.map_or(0, Vec::len),
            );
        }
    }

    /// Nothing of `least` is missing, and there is nothing that is not of `most`.
    #[track_caller]
    pub fn assert_within(&self, least: &Content, most: &Content, about: &str) {
        for (table, rows) in &self.0 {
            let none = Vec::new();
            let least = least.0.get(table).unwrap_or(&none);
            let (lost, more) = (without(least, rows), without(rows, &most.0[table]));
            assert!(lost.is_empty() && more.is_empty(), "{about}: {table}: {lost:#?} {more:#?}");
        }
    }
}

/// The texts of one sorted list that another does not have, as often as it lacks
/// them.
fn without<'a>(all: &'a [String], of: &[String]) -> Vec<&'a String> {
    let mut of = of.iter().peekable();
    all.iter()
        .filter(|text| {
            while of.next_if(|other| other < text).is_some() {}
            of.next_if_eq(text).is_none()
        })
        .collect()
}

/// The files of a table by its commits alone; nothing without a commit.
fn replay(objects: &Objects, table: &str) -> Option<BTreeSet<String>> {
    let log = format!("{table}/_delta_log/");
    let commits = objects.range(log.clone()..).take_while(|(key, _)| key.starts_with(&log));
    let commits = commits.filter(|(key, _)| {
        let name = &key[log.len()..];
        name.len() == "00000000000000000000.json".len() && name.ends_with(".json")
    });
    let mut live = BTreeSet::new();
    let mut next = 0;
    for (key, body) in commits {
        assert_eq!(*key, format!("{log}{next:020}.json"), "no commit is missing");
        next += 1;
        for line in body.split(|&b| b == b'\n') {
            let action: Value = serde_json::from_slice(line).unwrap();
            if let Some(path) = action.pointer("/add/path") {
                let path = path.as_str().unwrap().to_owned();
                assert!(live.insert(path), "{key} lists {action} again");
            }
            if let Some(path) = action.pointer("/remove/path") {
                assert!(live.remove(path.as_str().unwrap()), "{key} removes {action}");
            }
        }
    }
    (next > 0).then_some(live)
}

/// The library, which goes by the last checkpoint, finds the files of every
/// table that the commits alone give.
pub fn assert_checkpoints(objects: &Objects, about: &str) {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    let objects = output(objects);
    RUNTIME.block_on(async {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        for (key, body) in objects.iter().filter(|(key, _)| key.contains("/_delta_log/")) {
            store.put(&Path::from(key.as_str()), body.clone().into()).await.unwrap();
        }
        let output = Output { objects: store, url: "memory:///".to_owned(), refusals: None };
        for table in tables(&objects) {
            let log = Log::new(&output, Path::from(table));
            let state = log.read().await.unwrap().unwrap();
            let files = log.files(&state).await.unwrap().into_iter().map(|file| file.path);
            assert_eq!(Some(files.collect()), replay(&objects, table), "{about}: {table}");
        }
    });
}

/// What is below `out/`.
fn output(objects: &Objects) -> Objects {
    let below =
        |(key, body): (&String, &Bytes)| Some((key.strip_prefix("out/")?.to_owned(), body.clone()));
    objects.iter().filter_map(below).collect()
}

/// The folders with a log.
fn tables(objects: &Objects) -> BTreeSet<&str> {
    objects.keys().filter_map(|key| Some(key.split_once("/_delta_log/")?.0)).collect()
}

/// The rows of a file as texts. Many of the same files are read again and again.
fn rows(parquet: &Bytes) -> Arc<[String]> {
    static READ: LazyLock<Mutex<HashMap<Bytes, Arc<[String]>>>> = LazyLock::new(Mutex::default);
    if let Some(rows) = READ.lock().unwrap().get(parquet) {
        return Arc::clone(rows);
    }
    let file = SerializedFileReader::new(parquet.clone()).unwrap();
    let text = |row: Row| -> String {
        let columns = row.get_column_iter();
        let columns = columns.filter(|(name, _)| !OF_THE_RUN.contains(&name.as_str()));
        columns.map(|(name, value)| format!("{name}={value:?};")).collect()
    };
    let rows: Arc<[String]> =
        file.get_row_iter(None).unwrap().map(|row| text(row.unwrap())).collect();
    READ.lock().unwrap().insert(parquet.clone(), Arc::clone(&rows));
    rows
}

#[test]
fn what_one_table_has_more_often_than_another_is_found() {
    let texts = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
    for (all, of, expected) in [
        ("aabc", "aabc", ""),
        ("aabc", "abc", "a"),
        ("aabc", "b", "aac"),
        ("b", "abc", ""),
        ("bd", "ac", "bd"),
        ("", "a", ""),
    ] {
        let found: String = without(&texts(all), &texts(of)).into_iter().cloned().collect();
        assert_eq!(found, expected, "{all} without {of}");
    }
}
