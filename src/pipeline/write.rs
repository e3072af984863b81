//! Writing: clean batches → Parquet files, rejects → quarantine files.
//!
//! One shard gives at most one file of rows and one of rejects, in
//!
//! ```text
//! <out>/<table>/<name>.parquet
//! <out>/_quarantine/<table>/<name>.parquet
//! ```
//!
//! A table with `partition_by` gets one file, or a few, for each combination of
//! values:
//!
//! ```text
//! <out>/<table>/<column>=<value>/…/<name>-<number>.parquet
//! ```
//!
//! Nothing of this counts until a manifest lists it (see
//! [`commit`](super::commit)). The name is derived from what determines the
//! rows ([`FileName`]), so that a repeated attempt overwrites itself. A file
//! appears whole or not at all: on a local disk under its name by a rename, on
//! S3 by the end of its upload. An upload that a killed process left open costs
//! space on S3 until a lifecycle rule (`AbortIncompleteMultipartUpload`) ends it.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use chrono::{DateTime, Utc};
use object_store::path::Path;
use polars::prelude::DataFrame;
use serde::{Deserialize, Serialize};

use self::partition::Partitions;
use super::decode::Reject;
use super::plan::Shard;
use crate::arrow_bridge;
use crate::key::Layout;
use crate::store::Output;
use crate::{Error, Result};

mod blocks;
mod encoding;
mod file;
mod name;
mod partition;
mod quarantine;
mod schema;
mod sink;
mod staged;
mod value;

pub use file::FileWriter;
pub use name::{FileName, SourceHash};
pub(crate) use partition::own;
pub use quarantine::{id_parts, schema as quarantine_schema};
pub use schema::{Field, fields, schema_of, table_schema};
pub use sink::FileSink;
pub use staged::{Staged, discard, publish};

/// One file that was written, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Path below the table's folder, or below its folder in the quarantine, as
    /// the object is called in the store: `country=United Kingdom/….parquet`. A
    /// `%` in it is part of the name. A URL, as in the Delta log, encodes it once
    /// more.
    pub path: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// The values of the table's partition columns, in their order, as the Delta
    /// protocol spells them; `None` for null. The file lacks these columns.
    #[serde(skip)]
    pub partition: Vec<(String, Option<String>)>,
    /// What a Delta log says of its columns ([`crate::delta::stats`]); the
    /// manifests do not hold it.
    #[serde(skip)]
    pub stats: String,
}

/// Where and how the shards of one table are written in one run.
#[derive(Debug, Clone)]
pub struct Target {
    /// The output.
    pub output: Output,
    /// Runs the requests; the writers themselves live on plain threads.
    pub runtime: tokio::runtime::Handle,
    /// How the source's keys are spelt, for the quarantine.
    pub layout: Layout,
    /// The table's name.
    pub table: String,
    /// [`table_schema`] of the table's spec.
    pub schema: SchemaRef,
    /// The spec's partition columns: columns of the schema, not all of them.
    pub partition_by: Vec<String>,
    /// The spec's hash.
    pub spec_hash: String,
    /// The number of the manifest that a full run builds; 0 for an increment.
    pub generation: u64,
    /// Whether the files of each run have names of their own
    /// ([`FileName::stem_of_run`]) instead of overwriting those of an attempt at
    /// the same rows.
    pub unique_names: bool,
    /// The run, for the quarantine and for unique names.
    pub run_id: String,
    /// When the run started, for the quarantine.
    pub started: DateTime<Utc>,
    /// Bytes of the table's files that wait for the commit in memory.
    pub held: Arc<AtomicUsize>,
}

impl Target {
    /// Where and how the files of the table are made.
    pub fn sink(&self) -> FileSink {
        FileSink {
            output: self.output.clone(),
            runtime: self.runtime.clone(),
            table: self.table.clone(),
            spec_hash: Some(self.spec_hash.clone()),
            held: Arc::clone(&self.held),
        }
    }
}

/// What one shard became.
#[derive(Debug, Default)]
pub struct Written {
    /// Files of rows: none or one, or those of each partition.
    pub files: Vec<Staged>,
    /// Files of rejects: none or one.
    pub rejects: Vec<Staged>,
}

impl Written {
    /// Takes the files away again: the run that wrote them failed.
    pub fn discard(self, target: &Target) {
        let staged = self.files.into_iter().chain(self.rejects).collect();
        target.runtime.block_on(discard(&target.output, staged));
    }
}

/// The rows of one shard.
enum Rows {
    /// In one file, once there is a row.
    Together(Box<Option<FileWriter>>),
    /// In files of each partition.
    Divided(Partitions),
}

impl Rows {
    fn finish(self) -> Result<Vec<Staged>> {
        match self {
            Rows::Together(file) => {
                Ok(file.map(FileWriter::finish).transpose()?.into_iter().collect())
            }
            Rows::Divided(partitions) => partitions.finish(),
        }
    }

    fn abort(self) {
        match self {
            Rows::Together(file) => file.into_iter().for_each(FileWriter::abort),
            Rows::Divided(partitions) => partitions.discard(),
        }
    }
}

/// Writes one shard.
///
/// Memory is bounded whatever the shard's size: what is finished goes to the
/// store while the rest is written. To be used on a thread outside of the
/// runtime. A writer that is dropped leaves no file, but on S3 perhaps an open
/// upload: end it with [`finish`](Self::finish) or [`abort`](Self::abort).
pub struct ShardWriter {
    target: Arc<Target>,
    shard: Arc<Shard>,
    /// Its files' name, without the ending.
    stem: String,
    rows: Rows,
    rejects: Option<FileWriter>,
    /// Rows of the file of rejects.
    rejected: u64,
}

impl ShardWriter {
    /// A writer that has written nothing yet: files begin with the first row.
    pub fn new(target: Arc<Target>, shard: Arc<Shard>) -> ShardWriter {
        let name = FileName::of(&shard, &target.spec_hash, target.generation);
        let stem = match target.unique_names {
            true => name.stem_of_run(&target.run_id),
            false => name.stem(),
        };
        ShardWriter::with_stem(target, shard, stem)
    }

    /// A writer whose files have a name of the caller's, which no other has. `stem`
    /// is without the ending.
    pub fn with_stem(target: Arc<Target>, shard: Arc<Shard>, stem: String) -> ShardWriter {
        let rows = match target.partition_by.is_empty() {
            true => Rows::Together(Box::default()),
            false => Rows::Divided(Partitions::new(Arc::clone(&target), &stem)),
        };
        ShardWriter { target, shard, stem, rows, rejects: None, rejected: 0 }
    }

    /// Adds the rows and rejects of one batch, in order.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] or [`Error::AccessDenied`] naming the file;
    /// [`Error::Internal`] if the frame is not of the target's schema.
    pub fn append(&mut self, frame: &DataFrame, rejects: &[Reject]) -> Result<()> {
        if frame.height() > 0 {
            let batch = arrow_bridge::record_batch(frame, &self.target.schema)?;
            let target = &self.target;
            match &mut self.rows {
                Rows::Together(slot) => {
                    let path = data_path(&target.table, &self.stem);
                    open(slot, target, path, &batch)?.write(&batch)?;
                }
                Rows::Divided(partitions) => partitions.add(&batch)?,
            }
        }
        for rejects in rejects.chunks(quarantine::ROWS_AT_ONCE) {
            let ids = (self.rejected..).map(|row| quarantine::id(&self.stem, row));
            let ids = ids.take(rejects.len());
            let batch = quarantine::record_batch(&self.target, &self.shard, rejects, ids)?;
            self.rejected += rejects.len() as u64;
            let target = &self.target;
            let path = quarantine_path(&target.table, &self.stem);
            open(&mut self.rejects, target, path, &batch)?.write(&batch)?;
        }
        Ok(())
    }

    /// Completes the files; nobody sees them before the commit publishes them.
    /// Without a row there is no file.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub fn finish(mut self) -> Result<Written> {
        let rejects = self.rejects.take().map(FileWriter::finish).transpose();
        let rejects = match rejects {
            Ok(rejects) => rejects,
            Err(error) => {
                self.abort();
                return Err(error);
            }
        };
        let mut written = Written { files: Vec::new(), rejects: rejects.into_iter().collect() };
        match self.rows.finish() {
            Ok(files) => written.files = files,
            Err(error) => {
                written.discard(&self.target);
                return Err(error);
            }
        }
        Ok(written)
    }

    /// Gives up: ends open uploads. No file appears.
    pub fn abort(self) {
        self.rows.abort();
        self.rejects.into_iter().for_each(FileWriter::abort);
    }
}

fn open<'a>(
    slot: &'a mut Option<FileWriter>,
    target: &Target,
    path: Path,
    first: &RecordBatch,
) -> Result<&'a mut FileWriter> {
    match slot {
        Some(file) => Ok(file),
        None => Ok(slot.insert(FileWriter::open(&target.sink(), path, first)?)),
    }
}

fn data_path(table: &str, stem: &str) -> Path {
    Path::from_iter([table, &format!("{stem}.parquet")])
}

fn quarantine_path(table: &str, stem: &str) -> Path {
    Path::from_iter(["_quarantine", table, &format!("{stem}.parquet")])
}

fn internal(e: impl std::fmt::Display) -> Error {
    Error::Internal { stage: "write", message: e.to_string() }
}

#[cfg(test)]
mod tests;
