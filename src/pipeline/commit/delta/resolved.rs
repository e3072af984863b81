//! Rejects that a replay landed, in the quarantine: they stay, and say when
//! which run resolved them.
//!
//! It goes by the ids of rejects, not by files: the quarantine may have been
//! packed since the replay read it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::kernels::zip::zip;
use arrow::record_batch::RecordBatch;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::ids::{self, RejectIds, ids_of};
use super::{DeltaTable, add, internal};
use crate::delta::read::{BatchStream, FileReader};
use crate::delta::{Action, LiveFile, Log, State};
use crate::pipeline::report::run_id;
use crate::pipeline::write::{
    DataFile, FileSink, FileWriter, Staged, discard, publish, quarantine_schema,
};
use crate::rewrite::take_away;
use crate::{Error, Result};

/// What the note of a replay's commit says of the rejects that it lands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resolved {
    /// The file of their ids, below the quarantine's folder.
    pub(super) file: String,
    /// The replay.
    pub(super) run_id: String,
    /// When it was committed, as RFC 3339.
    pub(super) at: String,
}

/// The files of a quarantine that hold some of the rejects, written anew.
#[derive(Default)]
pub(super) struct Rewritten {
    files: Vec<LiveFile>,
    pub(super) written: Vec<DataFile>,
}

impl Rewritten {
    /// The files that must still be there.
    pub(super) fn requires(&self) -> BTreeSet<String> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }

    /// What replaces them.
    pub(super) fn actions(&self) -> impl Iterator<Item = Action> {
        let removed = self.files.iter().map(|file| file.remove(true).into());
        removed.chain(self.written.iter().map(|file| add(file).into()))
    }

    /// Removes what was written: another was first, and no log lists it.
    pub(super) async fn take_away(&self, log: &Log) {
        take_away(log, &self.written).await;
    }
}

/// Writes the files of a quarantine that hold the rejects anew, and publishes
/// them.
///
/// # Errors
/// Those of reading and writing. Nothing is left to be seen then.
pub(super) async fn rewrite(log: &Log, there: &State, resolved: &Resolved) -> Result<Rewritten> {
    let ids = RejectIds::read(log.output(), &log.file_path(&resolved.file)).await?;
    let mut files = Vec::new();
    for file in files_of(log, there).await? {
        if may_hold(&file, &ids) && holds(log, &file, &ids).await? {
            files.push(file);
        }
    }
    let at = DateTime::parse_from_rfc3339(&resolved.at).map_err(internal)?;
    let mark = Mark { ids, at: at.timestamp_micros(), by: resolved.run_id.clone() };
    let sink = FileSink::anew(log, Handle::current());
    let output = log.output().clone();
    let log = log.clone();
    // A name for this attempt alone: another may be at the same.
    let name = format!("resolved-{}", run_id(Utc::now()));
    let work = move || {
        let mut staged = Vec::new();
        for (n, file) in files.iter().enumerate() {
            match mark.file(&log, &sink, file, &format!("{name}-{n}.parquet")) {
                Ok(written) => staged.push(written),
                Err(error) => {
                    sink.runtime.block_on(discard(&sink.output, staged));
                    return Err(error);
                }
            }
        }
        Ok((files, staged))
    };
    let (files, staged) = tokio::task::spawn_blocking(work).await.map_err(internal)??;
    let written = staged.iter().map(|staged| staged.file.clone()).collect();
    publish(&output, staged).await?;
    Ok(Rewritten { files, written })
}

impl DeltaTable {
    /// The files of a version of the quarantine.
    ///
    /// # Errors
    /// As [`Log::read`]; [`Error::TableFeatures`] if rows of it are deleted by
    /// vectors, which are not read.
    pub async fn quarantine_files(&self, state: &State) -> Result<Vec<LiveFile>> {
        files_of(&self.logs.rejects, state).await
    }
}

async fn files_of(log: &Log, state: &State) -> Result<Vec<LiveFile>> {
    let files = log.files(state).await?;
    match files.iter().find(|file| file.has_deletion_vector) {
        None => Ok(files),
        Some(file) => Err(Error::TableFeatures {
            place: log.place(),
            problem: format!(
                "another engine deleted rows of {} by a deletion vector; have it rewrite the \
                 files first (REORG TABLE … APPLY (PURGE))",
                file.path
            ),
        }),
    }
}

/// Whether the statistics of a file allow one of the rejects to be in it.
fn may_hold(file: &LiveFile, ids: &RejectIds) -> bool {
    let bound = |bounds: &str| file.stats[bounds]["id"].as_str();
    match (bound("minValues"), bound("maxValues")) {
        (Some(low), Some(high)) => ids.may_meet(low, high),
        _ => true,
    }
}

async fn holds(log: &Log, file: &LiveFile, ids: &RejectIds) -> Result<bool> {
    let reader = FileReader::open(log.output(), &log.file_path(&file.path)).await?;
    let mut batches = reader.read(&ids::schema(), &file.partition)?;
    while let Some(batch) = batches.try_next().await? {
        if ids_of(&batch)?.iter().flatten().any(|id| ids.contains(id)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is written to which rejects.
struct Mark {
    ids: RejectIds,
    /// In microseconds since 1970-01-01 UTC.
    at: i64,
    by: String,
}

impl Mark {
    /// One file, written anew. To be called on a thread outside of the runtime.
    fn file(&self, log: &Log, sink: &FileSink, file: &LiveFile, name: &str) -> Result<Staged> {
        let path = log.file_path(&file.path);
        let reader = sink.runtime.block_on(FileReader::open(log.output(), &path))?;
        let rows = reader.rows();
        let batches = reader.read(&quarantine_schema(), &BTreeMap::new())?;
        let path: Path = log.folder().clone().join(name);
        let mut writer =
            FileWriter::open(sink, path, &RecordBatch::new_empty(quarantine_schema()))?;
        if let Err(error) = self.batches(sink, batches, &mut writer) {
            writer.abort();
            return Err(error);
        }
        let staged = writer.finish()?;
        if staged.file.rows != rows {
            let message = format!("{} of {rows} rejects were rewritten", staged.file.rows);
            sink.runtime.block_on(discard(&sink.output, vec![staged]));
            return Err(Error::Internal { stage: "commit", message });
        }
        Ok(staged)
    }

    fn batches(
        &self,
        sink: &FileSink,
        mut batches: BatchStream,
        writer: &mut FileWriter,
    ) -> Result<()> {
        while let Some(batch) = sink.runtime.block_on(batches.next()) {
            writer.write(&self.batch(&batch?)?)?;
        }
        Ok(())
    }

    fn batch(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let ids = ids_of(batch)?;
        let column = |name: &str| {
            let found = batch.column_by_name(name);
            found.ok_or_else(|| internal(format!("the quarantine has no column {name}")))
        };
        let open = column("resolved_at")?;
        let marked: BooleanArray = (0..batch.num_rows())
            .map(|row| {
                Some(open.is_null(row) && ids.is_valid(row) && self.ids.contains(ids.value(row)))
            })
            .collect();
        let at = TimestampMicrosecondArray::new_scalar(self.at).into_inner().with_timezone("UTC");
        let columns = batch.schema_ref().fields().iter().zip(batch.columns()).map(
            |(field, column)| -> Result<ArrayRef> {
                let zipped = match field.name().as_str() {
                    "resolved_at" => zip(&marked, &arrow::array::Scalar::new(at.clone()), column),
                    "resolved_by" => {
                        zip(&marked, &StringArray::new_scalar(&self.by), &column.as_string::<i32>())
                    }
                    _ => return Ok(Arc::clone(column)),
                };
                zipped.map_err(internal)
            },
        );
        RecordBatch::try_new(batch.schema(), columns.collect::<Result<_>>()?).map_err(internal)
    }
}
