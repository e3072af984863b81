//! `unique_by`, by the binary, on a folder and on S3: whatever the runs, the
//! latest row of each key is in the table, once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{pinclean, said};
use crate::s3::{ACCESS_KEY, SECRET_KEY, Server};

const TRANSFORM: &str = "version = 1\ntable = \"orders\"\ntopics = [\"*.orders\"]\nKEY\n\
    [[column]]\nname = \"id\"\ntype = \"int64\"\nfield = \"id\"\n\
    [[column]]\nname = \"state\"\ntype = \"string\"\nfield = \"state\"\n";

/// A home with transforms, and a bucket if it is not to be folders.
struct Place {
    home: TempDir,
    server: Option<Server>,
}

impl Place {
    fn both() -> [Place; 2] {
        let server = Server::start();
        server.create_bucket("orders");
        [None, Some(server)].map(|server| {
            let place = Place { home: tempfile::tempdir().unwrap(), server };
            place.key("unique_by = [\"id\"]");
            place
        })
    }

    fn key(&self, key: &str) {
        let folder = self.home.path().join("transforms");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("orders.toml"), TRANSFORM.replace("KEY", key)).unwrap();
    }

    /// An object of the default partitioner, of rows with an id and a state.
    fn put(&self, partition: u32, start: u64, rows: &[(&str, &str)]) {
        let line = |(id, state): &(&str, &str)| format!("{{\"id\":{id},\"state\":\"{state}\"}}\n");
        let body: String = rows.iter().map(line).collect();
        let key =
            format!("topics/u.orders/partition={partition}/u.orders+{partition}+{start:010}.json");
        match &self.server {
            Some(server) => server.put("orders", &format!("in/{key}"), body),
            None => {
                let path = self.home.path().join("in").join(key);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, body).unwrap();
            }
        }
    }

    fn run(&self, args: &[&str]) -> Output {
        let all = ["run", "--transforms", "transforms", "--format", "delta", "--report", "r.json"];
        let mut command = pinclean(self.home.path(), &all);
        match &self.server {
            None => command.args(["--source", "in", "--out", "out"]),
            Some(server) => command
                .args(["--source", "s3://orders/in", "--out", "s3://orders/out", "--path-style"])
                .args(["--region", "us-east-1", "--endpoint-url", &server.endpoint()])
                .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
                .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        };
        command.args(args).output().unwrap()
    }

    /// A run that ends well: rows written and replaced.
    #[track_caller]
    fn ran(&self, args: &[&str]) -> (u64, u64) {
        let output = self.run(args);
        assert!(output.status.success(), "{}", said(&output));
        let report = fs::read(self.home.path().join("r.json")).unwrap();
        let report: Value = serde_json::from_slice(&report).unwrap();
        let table = &report["tables"]["orders"];
        let count = |name: &str| table[name].as_u64().unwrap();
        (count("records_written"), count("records_replaced"))
    }

    fn get(&self, key: &str) -> Option<Bytes> {
        match &self.server {
            None => fs::read(self.home.path().join("out").join(key)).ok().map(Bytes::from),
            Some(server) => server.get("orders", &format!("out/{key}")),
        }
    }

    /// The actions of the log, in order.
    fn log(&self) -> Vec<Value> {
        let entry = |n: u32| self.get(&format!("orders/_delta_log/{n:020}.json"));
        let entries = (0..).map_while(entry).map(|entry| String::from_utf8(entry.into()).unwrap());
        entries
            .flat_map(|entry| {
                entry.lines().map(|l| serde_json::from_str(l).unwrap()).collect::<Vec<_>>()
            })
            .collect()
    }

    /// The files that the log lists.
    fn live(&self) -> BTreeSet<String> {
        let mut live = BTreeSet::new();
        for action in self.log() {
            if let Some(path) = action["remove"]["path"].as_str() {
                assert!(live.remove(path), "{path} was not there");
            }
            if let Some(path) = action["add"]["path"].as_str() {
                live.insert(path.to_owned());
            }
        }
        live
    }

    /// The rows as id and state, sorted.
    fn rows(&self) -> Vec<(i64, String)> {
        let mut rows = Vec::new();
        for path in self.live() {
            let bytes = self.get(&format!("orders/{path}")).unwrap();
            for row in SerializedFileReader::new(bytes).unwrap().get_row_iter(None).unwrap() {
                let row = row.unwrap();
                let columns: Vec<&Field> = row.get_column_iter().map(|(_, field)| field).collect();
                match columns[..2] {
                    [Field::Long(id), Field::Str(state)] => rows.push((*id, state.clone())),
                    [Field::Null, Field::Str(state)] => rows.push((-1, state.clone())),
                    _ => panic!("{row:?}"),
                }
            }
        }
        rows.sort_unstable();
        rows
    }

    /// Data files that are in the output.
    fn stored(&self) -> usize {
        let parquet = |name: &String| name.ends_with(".parquet") && !name.contains("_delta_log");
        match &self.server {
            Some(server) => {
                server.keys("orders", "out/orders/").iter().filter(|k| parquet(k)).count()
            }
            None => files(&self.home.path().join("out/orders"))
                .iter()
                .filter(|path| parquet(&path.display().to_string()))
                .count(),
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn texts(rows: &[(i64, &str)]) -> Vec<(i64, String)> {
    rows.iter().map(|(id, state)| (*id, (*state).to_owned())).collect()
}

#[test]
fn the_latest_row_of_each_key_stays_over_all_runs() {
    for place in Place::both() {
        place.put(0, 0, &[("1", "new"), ("2", "new"), ("1", "paid"), ("null", "a")]);
        assert_eq!(place.ran(&[]), (4, 1));
        place.put(0, 4, &[("50", "new"), ("51", "new")]);
        assert_eq!(place.ran(&[]), (2, 0));
        let before = place.live();
        // A row of an old file and one that is late: its partition comes before.
        place.put(0, 6, &[("2", "sent"), ("null", "b")]);
        place.put(1, 0, &[("1", "back"), ("3", "new")]);
        assert_eq!(place.ran(&[]), (4, 2));
        place.put(0, 8, &[("1", "late"), ("3", "late"), ("4", "new")]);
        assert_eq!(place.ran(&[]), (3, 2));
        let expected = texts(&[
            (-1, "a"),
            (-1, "b"),
            (1, "back"),
            (2, "sent"),
            (3, "new"),
            (4, "new"),
            (50, "new"),
            (51, "new"),
        ]);
        assert_eq!(place.rows(), expected);
        let untouched = before.intersection(&place.live()).count();
        assert_eq!(untouched, 1, "the file with other keys is as it was");
        let merged = place.log().iter().any(|a| a["commitInfo"]["operation"] == "MERGE");
        assert!(merged);
        let listed = place.log().iter().filter(|action| action["add"].is_object()).count();
        assert_eq!(place.stored(), listed, "nothing is left that no version lists");
        assert_eq!(place.ran(&["--mode", "overwrite"]), (13, 5));
        assert_eq!(place.rows(), expected, "read at once, it is the same");
    }
}

#[test]
fn another_key_needs_a_rebuild() {
    for place in Place::both() {
        place.put(0, 0, &[("1", "new"), ("1", "paid")]);
        place.key("");
        assert_eq!(place.ran(&[]), (2, 0));
        place.key("unique_by = [\"id\"]");
        place.put(0, 2, &[("1", "sent")]);
        let refused = place.run(&[]);
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(said(&refused).contains("one row for each id"), "{}", said(&refused));
        assert_eq!(place.ran(&["--mode", "overwrite"]), (3, 2));
        assert_eq!(place.rows(), texts(&[(1, "sent")]));
        place.key("unique_by = [\"id\", \"state\"]");
        assert_eq!(place.run(&[]).status.code(), Some(2));
    }
}
