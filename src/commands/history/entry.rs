//! One version of a table, as its commit tells it.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use serde_json::Value;

use crate::delta::{Action, CommitInfo, NOTE, Version};
use crate::pipeline::commit::{Counts, TableLogs};
use crate::pipeline::discover::Watermarks;
use crate::{Error, Result};

/// A version, as `--json` prints it. What a commit does not say is null: those
/// of other programs say less.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// The table's name.
    pub table: String,
    /// The version.
    pub version: Version,
    /// When it was committed, as RFC 3339 in UTC.
    pub time: Option<String>,
    /// What was done: `WRITE`, `OPTIMIZE`, `VACUUM START`.
    pub operation: Option<String>,
    /// How it was done.
    pub parameters: Option<BTreeMap<String, Value>>,
    /// Which program did it.
    pub by: Option<String>,
    /// The run of pinclean.
    pub run_id: Option<String>,
    /// Whether the run added or replaced: `append` or `full`.
    pub mode: Option<String>,
    /// Where the objects were.
    pub source: Option<String>,
    /// The hash of the transform.
    pub spec_hash: Option<String>,
    /// What became of the run's records.
    pub counts: Option<Counts>,
    /// Files that came into the table.
    pub files_added: u64,
    /// Their bytes.
    pub bytes_added: u64,
    /// Files that it no longer consists of.
    pub files_removed: u64,
    /// What the program measured.
    pub metrics: Option<Value>,
    /// How far the run got, source by source.
    pub reached: Vec<Reached>,
    /// With the latest version: how far each source is read in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watermarks: Option<Vec<Reached>>,
}

/// How far a source is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// Topic.
    pub topic: String,
    /// Folder below the topic's.
    pub directory: String,
    /// Kafka partition.
    pub partition: u32,
    /// Start offset of the last object.
    pub last_object: u64,
    /// The offset after its last record.
    pub next_offset: u64,
}

impl Reached {
    /// In the order of topics, directories and partitions.
    pub fn all(watermarks: &Watermarks) -> Vec<Reached> {
        let reached = watermarks.iter().map(|(source, watermark)| Reached {
            topic: source.topic.to_string(),
            directory: source.directory.to_string(),
            partition: source.partition,
            last_object: watermark.start,
            next_offset: watermark.end,
        });
        reached.collect()
    }
}

impl Entry {
    /// The version of a table that a commit made.
    pub fn new(logs: &TableLogs, version: Version, actions: Vec<Action>) -> Entry {
        let mut entry = Entry::unknown(logs.name(), version);
        let mut txns = BTreeMap::new();
        for action in actions {
            match action {
                Action::CommitInfo(info) => entry.inform(info),
                Action::Add(add) => {
                    entry.files_added += 1;
                    entry.bytes_added += u64::try_from(add.size).unwrap_or(0);
                }
                Action::Remove(_) => entry.files_removed += 1,
                Action::Txn(txn) => {
                    txns.insert(txn.app_id, txn.version);
                }
                _ => {}
            }
        }
        entry.reached = Reached::all(&logs.watermarks_of(&txns));
        entry
    }

    /// # Errors
    /// [`Error::Internal`]
    pub fn line(&self) -> Result<String> {
        let line = serde_json::to_string(self)
            .map_err(|e| Error::Internal { stage: "history", message: e.to_string() })?;
        Ok(line + "\n")
    }

    fn unknown(table: &str, version: Version) -> Entry {
        Entry {
            table: table.to_owned(),
            version,
            time: None,
            operation: None,
            parameters: None,
            by: None,
            run_id: None,
            mode: None,
            source: None,
            spec_hash: None,
            counts: None,
            files_added: 0,
            bytes_added: 0,
            files_removed: 0,
            metrics: None,
            reached: Vec::new(),
            watermarks: None,
        }
    }

    fn inform(&mut self, mut info: CommitInfo) {
        let millis = info.in_commit_timestamp.or(info.timestamp);
        let time = millis.and_then(DateTime::from_timestamp_millis);
        self.time = time.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true));
        self.operation = info.operation;
        self.parameters = info.operation_parameters.map(BTreeMap::from_iter);
        self.by = info.engine_info;
        self.metrics = info.info.remove("operationMetrics");
        let Some(mut note) = info.info.remove(NOTE) else { return };
        let mut text = |key: &str| match note.get_mut(key).map(Value::take) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        self.run_id = text("runId");
        self.mode = text("mode");
        self.source = text("source");
        self.spec_hash = text("specHash");
        let counts = note.get_mut("counts").map(Value::take);
        self.counts = counts.and_then(|counts| serde_json::from_value(counts).ok());
    }
}
