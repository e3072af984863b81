//! What a table holds, read as a stranger would who knows its log.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// A table and its part of the quarantine: rows as texts, sorted.
#[derive(Debug)]
pub struct Found {
    /// Commits so far.
    pub version: u64,
    pub rows: Vec<String>,
    pub rejects: Vec<String>,
}

const ROW: [&str; 2] = ["id", "note"];
/// All but what differs from run to run, and the words.
const REJECT: [&str; 8] =
    ["topic", "partition", "offset", "object", "line", "column", "code", "raw"];

/// Reads tables, each file and each manifest once as long as it is the same.
#[derive(Default)]
pub struct Reader {
    files: HashMap<(Path, String), Vec<String>>,
    manifests: HashMap<(Path, String), Value>,
}

impl Reader {
    /// The table as its numbered manifests list it.
    pub async fn parquet(&mut self, store: &dyn ObjectStore, table: &str) -> Result<Found, String> {
        let (mut files, mut rejects) = (Vec::new(), Vec::new());
        let mut version = 0;
        for meta in list(store, &format!("{table}/_pinclean")).await? {
            version += 1;
            let name = format!("{version:010}.json");
            if meta.location.filename() != Some(&name) {
                return Err(format!("{} is not manifest {version}", meta.location));
            }
            let manifest = self.manifest(store, meta).await?;
            if manifest["mode"] == "full" {
                files.clear();
                rejects.clear();
            }
            files.extend(paths(&manifest["files"], table));
            rejects.extend(paths(&manifest["rejects"], &format!("_quarantine/{table}")));
        }
        let rows = self.rows(store, table, &files, &ROW).await?;
        let folder = format!("_quarantine/{table}");
        let rejects = self.rows(store, &folder, &rejects, &REJECT).await?;
        Ok(Found { version, rows, rejects })
    }

    async fn manifest(
        &mut self,
        store: &dyn ObjectStore,
        meta: ObjectMeta,
    ) -> Result<Value, String> {
        let key = (meta.location, meta.e_tag.unwrap_or_default());
        if !self.manifests.contains_key(&key) {
            let text = get(store, &key.0).await?;
            let manifest = serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", key.0))?;
            self.manifests.insert(key.clone(), manifest);
        }
        Ok(self.manifests[&key].clone())
    }

    /// The rows of some files of a folder.
    async fn rows(
        &mut self,
        store: &dyn ObjectStore,
        folder: &str,
        files: &[Path],
        columns: &[&str],
    ) -> Result<Vec<String>, String> {
        let there = list(store, folder).await?;
        let tags: HashMap<_, _> =
            there.into_iter().map(|m| (m.location, m.e_tag.unwrap_or_default())).collect();
        let mut rows = Vec::new();
        for path in files {
            let tag = tags.get(path).ok_or_else(|| format!("{path} is committed and not there"))?;
            let key = (path.clone(), tag.clone());
            if !self.files.contains_key(&key) {
                let read = texts(get(store, path).await?, columns);
                self.files.insert(key.clone(), read.map_err(|e| format!("{path}: {e}"))?);
            }
            rows.extend_from_slice(&self.files[&key]);
        }
        rows.sort_unstable();
        Ok(rows)
    }
}

fn paths(files: &Value, folder: &str) -> Vec<Path> {
    let names = files.as_array().into_iter().flatten().filter_map(|file| file["path"].as_str());
    names.map(|name| Path::from(format!("{folder}/{name}"))).collect()
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

/// The rows of a Parquet file, as texts that differ where the rows do.
fn texts(file: Bytes, columns: &[&str]) -> Result<Vec<String>, String> {
    let told = |e: &dyn std::fmt::Display| e.to_string();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| told(&e))?;
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in reader.build().map_err(|e| told(&e))? {
        let batch = batch.map_err(|e| told(&e))?;
        let column = |name: &&str| batch.column_by_name(name).ok_or_else(|| format!("no {name}"));
        let found: Vec<&ArrayRef> = columns.iter().map(column).collect::<Result<_, _>>()?;
        let shown: Result<Vec<_>, _> = found
            .iter()
            .map(|array| ArrayFormatter::try_new(array as &dyn Array, &options))
            .collect();
        let shown = shown.map_err(|e| told(&e))?;
        for row in 0..batch.num_rows() {
            let values = columns.iter().zip(&shown);
            let values = values.map(|(name, values)| format!("{name}={}", values.value(row)));
            rows.push(values.collect::<Vec<_>>().join(" "));
        }
    }
    Ok(rows)
}
