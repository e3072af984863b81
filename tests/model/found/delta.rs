//! Delta: the log, replayed from its first commit on. Each checkpoint must say
//! what the commits before it do.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, StructArray};
use arrow::util::display::array_value_to_string;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use serde_json::Value;

use super::{Commit, Found, Listed, REJECT, ROW, Reader, batches, get, list};

/// What checkpoints keep: paths of files, and transactions by application.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    files: BTreeSet<String>,
    txns: BTreeMap<String, String>,
}

/// A log up to some version.
#[derive(Default)]
struct Log {
    commits: Vec<Commit>,
    /// Bytes and rows of each file, by its path in the log.
    files: BTreeMap<String, (u64, u64)>,
    txns: BTreeMap<String, String>,
}

/// The files of a log's folder.
#[derive(Default)]
struct Folder {
    commits: Vec<ObjectMeta>,
    checkpoints: BTreeMap<usize, ObjectMeta>,
    last_checkpoint: Option<ObjectMeta>,
}

impl Reader {
    pub(super) async fn delta(
        &mut self,
        store: &dyn ObjectStore,
        table: &str,
    ) -> Result<Found, String> {
        let folder = format!("_quarantine/{table}");
        let log = self.log(store, table, usize::MAX).await?;
        let rejects = self.log(store, &folder, usize::MAX).await?;
        Ok(Found {
            rows: self.rows(store, table, &log.listed(table)?, &ROW).await?,
            rejects: self.rows(store, &folder, &rejects.listed(&folder)?, &REJECT).await?,
            commits: log.commits,
            files: log.files.len(),
            reject_files: rejects.files.len(),
            may_lag: true,
        })
    }

    /// The rows of a version.
    pub async fn travel(
        &mut self,
        store: &dyn ObjectStore,
        table: &str,
        version: usize,
    ) -> Result<Vec<String>, String> {
        let log = self.log(store, table, version).await?;
        self.rows(store, table, &log.listed(table)?, &ROW).await
    }

    async fn log(
        &mut self,
        store: &dyn ObjectStore,
        folder: &str,
        last: usize,
    ) -> Result<Log, String> {
        let Folder { commits, checkpoints, last_checkpoint } = Folder::list(store, folder).await?;
        if let Some(meta) = last_checkpoint {
            let named = self.json(store, meta).await?[0]["version"].as_u64();
            if !named.is_some_and(|version| checkpoints.contains_key(&(version as usize))) {
                return Err(format!("{folder}: checkpoint {named:?} is named and not there"));
            }
        }
        let mut log = Log::default();
        for (version, meta) in commits.into_iter().enumerate().take(last.saturating_add(1)) {
            let name = meta.location.to_string();
            if meta.location.filename() != Some(&format!("{version:020}.json")) {
                return Err(format!("{name} is not commit {version}"));
            }
            let actions = self.json(store, meta).await?;
            log.replay(actions).map_err(|e| format!("{name}: {e}"))?;
            if let Some(meta) = checkpoints.get(&version) {
                self.compare(store, meta, &log).await?;
            }
        }
        Ok(log)
    }

    async fn compare(
        &mut self,
        store: &dyn ObjectStore,
        meta: &ObjectMeta,
        log: &Log,
    ) -> Result<(), String> {
        let key = (meta.location.clone(), meta.e_tag.clone().unwrap_or_default());
        if !self.checkpoints.contains_key(&key) {
            let summary = summary(get(store, &key.0).await?);
            self.checkpoints.insert(key.clone(), summary.map_err(|e| format!("{}: {e}", key.0))?);
        }
        let replayed =
            Summary { files: log.files.keys().cloned().collect(), txns: log.txns.clone() };
        match self.checkpoints[&key] == replayed {
            true => Ok(()),
            false => Err(format!(
                "{}: it says {:?}, the commits say {replayed:?}",
                key.0, self.checkpoints[&key]
            )),
        }
    }
}

impl Folder {
    async fn list(store: &dyn ObjectStore, folder: &str) -> Result<Folder, String> {
        let mut sorted = Folder::default();
        for meta in list(store, &format!("{folder}/_delta_log")).await? {
            let name = meta.location.filename().unwrap_or_default();
            if name == "_last_checkpoint" {
                sorted.last_checkpoint = Some(meta);
            } else if let Some(version) = name.strip_suffix(".checkpoint.parquet") {
                let version = version.parse().map_err(|_| format!("what is {name}?"))?;
                sorted.checkpoints.insert(version, meta);
            } else {
                sorted.commits.push(meta);
            }
        }
        Ok(sorted)
    }
}

impl Log {
    /// Takes a commit, in which files are removed before others are added.
    fn replay(&mut self, actions: &[Value]) -> Result<(), String> {
        let operation =
            actions.iter().find_map(|action| action["commitInfo"]["operation"].as_str());
        let commit = match operation {
            Some("WRITE") => Commit::Write,
            Some("OPTIMIZE") => Commit::Optimize,
            Some("REPLAY") => Commit::Replay,
            Some("VACUUM START" | "VACUUM END") => Commit::Vacuum,
            other => return Err(format!("what is a {other:?}?")),
        };
        self.commits.push(commit);
        let changes_data = matches!(commit, Commit::Write | Commit::Replay);
        let of =
            |kind: &'static str| actions.iter().map(move |a| &a[kind]).filter(|a| a.is_object());
        for file in of("remove").chain(of("add")) {
            if file["dataChange"].as_bool() != Some(changes_data) {
                return Err(format!("dataChange is wrong: {file}"));
            }
        }
        for path in of("remove").map(path) {
            self.files.remove(path?).ok_or("it removes a file that is not of the table")?;
        }
        for add in of("add") {
            let stats = serde_json::from_str::<Value>(add["stats"].as_str().unwrap_or_default());
            let stats = stats.map_err(|e| format!("statistics: {e}"))?;
            let told = add["size"].as_u64().zip(stats["numRecords"].as_u64());
            let told = told.ok_or("a file without size or rows")?;
            if self.files.insert(path(add)?.to_owned(), told).is_some() {
                return Err("it adds a file twice".to_owned());
            }
        }
        let txn =
            |txn: &Value| Some((txn["appId"].as_str()?.to_owned(), txn["version"].to_string()));
        self.txns.extend(of("txn").filter_map(txn));
        Ok(())
    }

    fn listed(&self, folder: &str) -> Result<Vec<Listed>, String> {
        let listed = |(path, told): (&String, &(u64, u64))| {
            let path = Path::from_url_path(path).map_err(|e| e.to_string())?;
            let path = Path::parse(format!("{folder}/{path}")).map_err(|e| e.to_string())?;
            Ok(Listed { path, told: Some(*told) })
        };
        self.files.iter().map(listed).collect()
    }
}

fn path(action: &Value) -> Result<&str, String> {
    action["path"].as_str().ok_or_else(|| format!("no path: {action}"))
}

fn summary(checkpoint: Bytes) -> Result<Summary, String> {
    let mut summary = Summary::default();
    for batch in batches(checkpoint)? {
        let column = |name| batch.column_by_name(name).and_then(|array| array.as_struct_opt());
        for [path] in column("add").map_or(Ok(Vec::new()), |add| texts(add, ["path"]))? {
            summary.files.insert(path);
        }
        let txns = column("txn").map_or(Ok(Vec::new()), |txn| texts(txn, ["appId", "version"]))?;
        summary.txns.extend(txns.into_iter().map(|[app, version]| (app, version)));
    }
    Ok(summary)
}

/// Fields of the rows of an action, where they are such an action.
fn texts<const N: usize>(
    action: &StructArray,
    fields: [&str; N],
) -> Result<Vec<[String; N]>, String> {
    let mut found = Vec::new();
    for row in (0..action.len()).filter(|&row| action.is_valid(row)) {
        let mut texts = [const { String::new() }; N];
        for (text, field) in texts.iter_mut().zip(fields) {
            let array = action.column_by_name(field).ok_or_else(|| format!("no {field}"))?;
            *text = array_value_to_string(array, row).map_err(|e| e.to_string())?;
        }
        found.push(texts);
    }
    Ok(found)
}
