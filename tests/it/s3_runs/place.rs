//! What a run wrote, in a folder or in a bucket.

use std::collections::BTreeSet;
use std::path::PathBuf;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::s3::Server;

/// The tables that are built in.
pub const TABLES: [&str; 3] = ["geo", "pin", "user"];

/// An output.
pub enum Place<'a> {
    Folder(PathBuf),
    /// A bucket and a prefix, which is empty or ends with `/`.
    Bucket(&'a Server, &'a str, String),
}

impl Place<'_> {
    /// Paths of everything that starts with `prefix`, sorted.
    pub fn list(&self, prefix: &str) -> Vec<String> {
        match self {
            Place::Bucket(server, bucket, root) => {
                let keys = server.keys(bucket, &format!("{root}{prefix}"));
                keys.iter().map(|key| key[root.len()..].to_owned()).collect()
            }
            Place::Folder(root) => {
                let (mut found, mut folders) = (Vec::new(), vec![root.clone()]);
                while let Some(folder) = folders.pop() {
                    for entry in std::fs::read_dir(&folder).into_iter().flatten() {
                        let path = entry.unwrap().path();
                        match path.is_dir() {
                            true => folders.push(path),
                            false => {
                                let below = path.strip_prefix(root).unwrap();
                                found.push(below.to_str().unwrap().to_owned());
                            }
                        }
                    }
                }
                found.retain(|path| path.starts_with(prefix));
                found.sort_unstable();
                found
            }
        }
    }

    fn read(&self, path: &str) -> Bytes {
        let found = match self {
            Place::Bucket(server, bucket, root) => server.get(bucket, &format!("{root}{path}")),
            Place::Folder(root) => std::fs::read(root.join(path)).ok().map(Bytes::from),
        };
        found.unwrap_or_else(|| panic!("{path} is listed and is not there"))
    }

    /// The commits of a table, oldest first.
    pub fn manifests(&self, table: &str) -> Vec<Value> {
        let paths = self.list(&format!("{table}/_pinclean/"));
        paths.iter().map(|path| serde_json::from_slice(&self.read(path)).unwrap()).collect()
    }

    /// The rows of a table that a reader of its log sees, in the order of their
    /// keys.
    pub fn rows(&self, table: &str) -> Vec<String> {
        self.files(table, "files", &format!("{table}/"))
    }

    /// The rejects of a table, without what names the run.
    pub fn rejects(&self, table: &str) -> Vec<String> {
        self.files(table, "rejects", &format!("_quarantine/{table}/"))
    }

    /// Files of rows and rejects that no commit lists.
    pub fn strays(&self) -> Vec<String> {
        let mut all: BTreeSet<String> = self.list("").into_iter().collect();
        all.retain(|path| path.ends_with(".parquet"));
        for table in TABLES {
            for (kind, folder) in
                [("files", format!("{table}/")), ("rejects", format!("_quarantine/{table}/"))]
            {
                for path in self.listed(table, kind, &folder) {
                    assert!(all.remove(&path), "{path} is listed and is not there");
                }
            }
        }
        all.into_iter().collect()
    }

    fn listed(&self, table: &str, kind: &str, folder: &str) -> Vec<String> {
        let mut paths = Vec::new();
        for manifest in self.manifests(table) {
            if manifest["mode"] == "full" {
                paths.clear();
            }
            let files = manifest[kind].as_array().unwrap();
            paths.extend(files.iter().map(|f| format!("{folder}{}", f["path"].as_str().unwrap())));
        }
        paths.sort_unstable();
        paths
    }

    fn files(&self, table: &str, kind: &str, folder: &str) -> Vec<String> {
        let paths = self.listed(table, kind, folder);
        paths.iter().flat_map(|path| rows(self.read(path))).collect()
    }
}

/// Columns of the quarantine that differ from run to run.
const OF_THE_RUN: [&str; 3] = ["run_id", "at", "id"];

fn rows(parquet: Bytes) -> Vec<String> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(parquet).unwrap().build().unwrap();
    let options = FormatOptions::default().with_null("NULL").with_display_error(false);
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let schema = batch.schema();
        let columns: Vec<ArrayRef> = (schema.fields().iter().zip(batch.columns()))
            .filter(|(field, _)| !OF_THE_RUN.contains(&field.name().as_str()))
            .map(|(_, column)| without_zone(column))
            .collect();
        let shown: Vec<_> =
            columns.iter().map(|c| ArrayFormatter::try_new(c, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            let values: Vec<_> = shown.iter().map(|column| column.value(row).to_string()).collect();
            rows.push(values.join("\u{1f}"));
        }
    }
    rows
}

/// Arrow shows no time of a zone that has a name.
fn without_zone(column: &ArrayRef) -> ArrayRef {
    match column.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(times) => std::sync::Arc::new(times.clone().with_timezone_opt::<String>(None)),
        None => ArrayRef::clone(column),
    }
}

/// Both outputs hold the same, and nothing that is not committed.
pub fn assert_same(found: &Place<'_>, expected: &Place<'_>) {
    for table in TABLES {
        assert_rows(table, &found.rows(table), &expected.rows(table));
        assert_rows(table, &found.rejects(table), &expected.rejects(table));
    }
    assert_eq!(found.strays(), [""; 0]);
}

fn assert_rows(table: &str, found: &[String], expected: &[String]) {
    let first = found.iter().zip(expected).find(|(a, b)| a != b);
    assert!(first.is_none(), "{table}: {first:#?}");
    assert_eq!(found.len(), expected.len(), "{table}");
}
