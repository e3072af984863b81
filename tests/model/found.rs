//! What a table holds, read as a stranger would who knows its log.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Deserializer, Value};

mod delta;
mod manifests;

/// What `--format` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Delta,
    Parquet,
}

/// What a commit says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    Write,
    Optimize,
    Vacuum,
    Replay,
}

/// A table and its part of the quarantine: rows as texts, sorted.
#[derive(Debug)]
pub struct Found {
    /// All of the table's, in their order.
    pub commits: Vec<Commit>,
    pub rows: Vec<String>,
    pub rejects: Vec<String>,
    /// Files that the rows are in, and the rejects.
    pub files: usize,
    pub reject_files: usize,
    /// Whether the rejects have commits of their own.
    pub may_lag: bool,
}

/// A file that a log lists.
#[derive(Debug, Clone)]
struct Listed {
    path: Path,
    /// Bytes and rows, where the log says.
    told: Option<(u64, u64)>,
}

const ROW: [&str; 2] = ["id", "note"];
/// All but what differs from run to run, and the words.
const REJECT: [&str; 9] =
    ["topic", "partition", "offset", "object", "line", "column", "code", "raw", RESOLVED];
/// Of this one only whether it is there: it is a time.
const RESOLVED: &str = "resolved_at";

/// Reads tables, each file and each commit once as long as it is the same.
#[derive(Default)]
pub struct Reader {
    files: HashMap<(Path, String), Vec<String>>,
    commits: HashMap<(Path, String), Vec<Value>>,
    checkpoints: HashMap<(Path, String), delta::Summary>,
}

impl Reader {
    /// The table as its log lists it.
    pub async fn read(
        &mut self,
        format: Format,
        store: &dyn ObjectStore,
        table: &str,
    ) -> Result<Found, String> {
        match format {
            Format::Delta => self.delta(store, table).await,
            Format::Parquet => self.parquet(store, table).await,
        }
    }

    /// The values of a file of JSON.
    async fn json(
        &mut self,
        store: &dyn ObjectStore,
        meta: ObjectMeta,
    ) -> Result<&[Value], String> {
        let key = (meta.location, meta.e_tag.unwrap_or_default());
        if !self.commits.contains_key(&key) {
            let text = get(store, &key.0).await?;
            let values = Deserializer::from_slice(&text).into_iter().collect::<Result<_, _>>();
            self.commits.insert(key.clone(), values.map_err(|e| format!("{}: {e}", key.0))?);
        }
        Ok(&self.commits[&key])
    }

    /// The rows of some files of a folder.
    async fn rows(
        &mut self,
        store: &dyn ObjectStore,
        folder: &str,
        files: &[Listed],
        columns: &[&str],
    ) -> Result<Vec<String>, String> {
        let there = list(store, folder).await?;
        let there: HashMap<_, _> = there.into_iter().map(|m| (m.location.clone(), m)).collect();
        let mut rows = Vec::new();
        for Listed { path, told } in files {
            let meta = there.get(path).ok_or_else(|| format!("{path} is listed and not there"))?;
            let key = (path.clone(), meta.e_tag.clone().unwrap_or_default());
            if !self.files.contains_key(&key) {
                let read = texts(get(store, path).await?, columns);
                self.files.insert(key.clone(), read.map_err(|e| format!("{path}: {e}"))?);
            }
            let read = &self.files[&key];
            let there = (meta.size, read.len() as u64);
            if told.is_some_and(|told| told != there) {
                return Err(format!("{path} has {there:?} bytes and rows, the log says {told:?}"));
            }
            rows.extend_from_slice(read);
        }
        rows.sort_unstable();
        Ok(rows)
    }
}

async fn list(store: &dyn ObjectStore, folder: &str) -> Result<Vec<ObjectMeta>, String> {
    let listed = store.list(Some(&Path::from(folder))).try_collect::<Vec<_>>().await;
    let mut listed = listed.map_err(|e| format!("listing {folder}: {e}"))?;
    listed.sort_unstable_by(|a, b| a.location.cmp(&b.location));
    Ok(listed)
}

async fn get(store: &dyn ObjectStore, path: &Path) -> Result<Bytes, String> {
    let got = async { store.get(path).await?.bytes().await };
    got.await.map_err(|e| format!("reading {path}: {e}"))
}

fn batches(file: Bytes) -> Result<Vec<RecordBatch>, String> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| e.to_string())?;
    let batches = reader.build().map_err(|e| e.to_string())?.collect::<Result<_, _>>();
    batches.map_err(|e| e.to_string())
}

/// The rows of a Parquet file, as texts that differ where the rows do.
fn texts(file: Bytes, columns: &[&str]) -> Result<Vec<String>, String> {
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in batches(file)? {
        let column = |name: &&str| batch.column_by_name(name).ok_or_else(|| format!("no {name}"));
        let found: Vec<&ArrayRef> = columns.iter().map(column).collect::<Result<_, _>>()?;
        let shown: Result<Vec<_>, _> = found
            .iter()
            .map(|array| ArrayFormatter::try_new(array as &dyn Array, &options))
            .collect();
        let shown = shown.map_err(|e| e.to_string())?;
        for row in 0..batch.num_rows() {
            let values = columns.iter().zip(&shown);
            let values =
                values.map(|(name, values)| match (values.value(row).to_string(), *name) {
                    (value, RESOLVED) if value != "NULL" => format!("{name}=then"),
                    (value, name) => format!("{name}={value}"),
                });
            rows.push(values.collect::<Vec<_>>().join(" "));
        }
    }
    Ok(rows)
}
