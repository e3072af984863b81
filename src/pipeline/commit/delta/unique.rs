//! One row for each key: the latest, over all runs.
//!
//! Before a run of a table with `unique_by` is committed, its rows meet those
//! that are there:
//!
//! 1. [`range`]: which files can hold one of its keys, by their statistics;
//! 2. [`scan`]: their keys and records are read, and those of the run;
//! 3. [`contest`]: of each key the latest record wins, by topic, Kafka partition
//!    and offset;
//! 4. a file with losers is written anew without them, each by itself, so that
//!    its statistics stay narrow. One of the table leaves in the same commit
//!    that brings its rewriting; one of the run was seen by nobody yet.
//!
//! Rows with a null in the key have no key and stay. The outcome holds only for
//! the version that was read: a commit in between may have brought the same key.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use serde_json::Value;
use tokio::runtime::Handle;

use self::contest::Kept;
use self::range::Ranges;
use self::scan::{Input, Scan};
use super::outcome::Outcome;
use crate::delta::{LiveFile, Log};
use crate::pipeline::write::{DataFile, FileSink, Staged, discard, publish};
use crate::rewrite::{Rewrite, Source, take_away};
use crate::spec::{KAFKA_OFFSET, KAFKA_PARTITION, KAFKA_TOPIC, Spec};
use crate::{Error, Result};

mod contest;
mod range;
mod scan;

/// Bytes of keys and records that are held; with what it takes to compare them,
/// three times as much. Beyond it the files are read more than once.
const BUDGET: usize = 32 << 20;

/// The rule that a table has one row for each key.
#[derive(Debug, Clone)]
pub(super) struct OnePerKey {
    /// The columns of a row, those of the partition too.
    columns: SchemaRef,
    /// The key's, and after them those of the record.
    read: SchemaRef,
    /// Bytes that are held.
    budget: usize,
}

impl OnePerKey {
    /// The rule of a spec; nothing if it has none.
    ///
    /// # Errors
    /// [`Error::Internal`] for a key that is no column.
    pub(super) fn of(spec: &Spec, columns: &SchemaRef) -> Result<Option<OnePerKey>> {
        if spec.unique_by.is_empty() {
            return Ok(None);
        }
        let record = [KAFKA_TOPIC, KAFKA_PARTITION, KAFKA_OFFSET];
        let names = spec.unique_by.iter().map(String::as_str).chain(record);
        let fields = names.map(|name| columns.field_with_name(name).cloned());
        let read = fields.collect::<std::result::Result<Vec<_>, _>>().map_err(internal)?;
        let (columns, read) = (Arc::clone(columns), Arc::new(Schema::new(read)));
        Ok(Some(OnePerKey { columns, read, budget: BUDGET }))
    }

    /// Lets the published files of a run meet those of the table, and publishes
    /// what has to be written anew. `name` is new with each call.
    ///
    /// # Errors
    /// [`Error::BadTable`] for a deletion vector; [`Error::DataFileGone`] and
    /// those of reading and writing. Nothing of what it wrote is left.
    pub(super) async fn apply(
        &self,
        log: &Log,
        live: Vec<LiveFile>,
        files: Vec<DataFile>,
        name: &str,
    ) -> Result<Outcome> {
        let (rule, log_, name) = (self.clone(), log.clone(), name.to_owned());
        let work = move || rule.meet(&log_, live, files, &name);
        let (mut outcome, staged) = tokio::task::spawn_blocking(work).await.map_err(internal)??;
        let anew: Vec<_> = staged.iter().map(|staged| staged.file.clone()).collect();
        if let Err(error) = publish(log.output(), staged).await {
            take_away(log, &anew).await;
            return Err(error);
        }
        outcome.files.extend(anew);
        Ok(outcome)
    }

    /// On a thread outside of the runtime.
    fn meet(
        &self,
        log: &Log,
        live: Vec<LiveFile>,
        mut files: Vec<DataFile>,
        name: &str,
    ) -> Result<(Outcome, Vec<Staged>)> {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let run: Vec<LiveFile> = files.iter().map(as_live).collect();
        let old = self.candidates(live, &run);
        log.refuse_deletion_vectors(&old)?;
        let count = old.len();
        let all: Vec<LiveFile> = old.into_iter().chain(run).collect();
        let runtime = Handle::current();
        let inputs: Vec<Input> = all.iter().map(|file| input(log, file)).collect();
        let scan = Scan {
            output: log.output(),
            runtime: &runtime,
            schema: Arc::clone(&self.read),
            files: &inputs,
            old: count,
            budget: self.budget,
        };
        let kept = scan.run()?;
        let mut outcome = Outcome::default();
        let mut anew = Vec::new();
        for (n, (file, kept)) in all.into_iter().zip(kept).enumerate() {
            let of_run = n.checked_sub(count).map(|n| &files[n]);
            outcome.replaced += kept.lost as u64;
            match (of_run, kept.lost) {
                (None, 0) => {}
                (None, _) => {
                    outcome.rows_removed += kept.rows as u64;
                    outcome.removes.push(file.clone());
                }
                (Some(file), 0) => outcome.files.push(file.clone()),
                (Some(file), _) => outcome.unlisted.push(file.clone()),
            }
            if kept.lost > 0 && kept.lost < kept.rows {
                anew.push((file, kept));
            }
        }
        let staged = self.write_anew(log, anew, name)?;
        Ok((outcome, staged))
    }

    /// The files that can hold a key of some file of the run, in a stable order.
    fn candidates(&self, live: Vec<LiveFile>, run: &[LiveFile]) -> Vec<LiveFile> {
        let keys = self.read.fields().len().saturating_sub(RECORD_COLUMNS);
        let key = Schema::new(self.read.fields()[..keys].to_vec());
        let ranges = |file: &LiveFile| Ranges::of(&key, &file.stats, &file.partition);
        let run: Vec<Ranges> = run.iter().map(ranges).collect();
        let meets = |file: &LiveFile| {
            let there = ranges(file);
            run.iter().any(|new| new.meet(&there))
        };
        let mut met: Vec<LiveFile> = live.into_iter().filter(meets).collect();
        met.sort_by(|a, b| a.path.cmp(&b.path));
        met
    }

    fn write_anew(
        &self,
        log: &Log,
        files: Vec<(LiveFile, Kept)>,
        name: &str,
    ) -> Result<Vec<Staged>> {
        let sink = FileSink::anew(log, Handle::current());
        let (schema, target_size) = (&self.columns, u64::MAX);
        let rewrite = Rewrite { log, sink: &sink, schema, target_size, sort: None };
        let mut staged = Vec::new();
        for (n, (file, kept)) in files.into_iter().enumerate() {
            match rewrite.run(&[Source { file, keep: kept.keep }], &format!("{name}-{n}")) {
                Ok(written) => staged.extend(written),
                Err(error) => {
                    sink.runtime.block_on(discard(log.output(), staged));
                    return Err(error);
                }
            }
        }
        Ok(staged)
    }
}

/// Topic, Kafka partition and offset.
const RECORD_COLUMNS: usize = 3;

/// A file of a run as it would be one of the table.
pub(super) fn as_live(file: &DataFile) -> LiveFile {
    LiveFile {
        path: file.path.clone(),
        size: file.bytes,
        modified: 0,
        partition: file.partition.iter().cloned().collect::<BTreeMap<_, _>>(),
        stats: serde_json::from_str(&file.stats).unwrap_or(Value::Null),
        has_deletion_vector: false,
    }
}

fn input(log: &Log, file: &LiveFile) -> Input {
    Input { path: log.file_path(&file.path), partition: file.partition.clone() }
}

fn internal(e: impl std::fmt::Display) -> Error {
    Error::Internal { stage: "unique_by", message: e.to_string() }
}

#[cfg(test)]
mod tests;
