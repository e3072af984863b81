//! Optimizing: the small files of a Delta table → fewer, larger ones.
//!
//! The rows stay the same, and so does all that the log says of them but for the
//! files. The commit requires the files that it replaces and nothing else: what
//! others append in the meantime does not collide with it, nor it with them.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use serde_json::json;
use tokio::runtime::Handle;

use crate::delta::{Change, LiveFile, Log, Requires, State, arrow_schema};
use crate::pipeline::commit::same_rows;
use crate::pipeline::report::Packed;
use crate::pipeline::write::{DataFile, FileSink};
use crate::rewrite::{Many, Rewrite, Sort, take_away};
use crate::signals::Stop;
use crate::{Error, Result};

mod plan;

/// What a worker needs: a row group that is read and one that is written.
const PER_WORKER: u64 = 128 << 20;

/// Sorting holds a third of a worker's share: it is copied as it is picked, and
/// the rest is what a worker needs without.
const SORTED_SHARE: u64 = 3;

/// Packs the files of tables. To be used on a thread outside of the runtime.
#[derive(Debug, Clone, Copy)]
pub struct Optimizer<'a> {
    /// Runs the requests.
    pub runtime: &'a Handle,
    /// Asks to stop, between two groups of files and before a commit.
    pub stop: &'a Stop,
    /// The command or run; unique.
    pub id: &'a str,
    /// Bytes of the files to make.
    pub target_size: u64,
    /// Bytes of rows on their way.
    pub memory: u64,
}

impl Optimizer<'_> {
    /// Packs the small files of a table: those of less than three quarters of the
    /// target size, with their neighbours in time, within each partition. With
    /// `sort`, a column that is not of the partition, all files are written anew,
    /// their rows sorted within each. Nothing is done, and `None` returned, if
    /// there is no table, or no more than `few` small files without `sort`, or
    /// nothing to pack.
    ///
    /// # Errors
    /// [`Error::Ahead`] if another writer replaced one of the files or changed
    /// what the table is: nothing counts, and the new files are taken away.
    /// Before the commit those of [`Rewrite::run`] and [`Error::Stopped`];
    /// [`Error::BadTable`] for a table with columns that pinclean cannot write.
    pub fn pack(
        &self,
        log: &Log,
        table: &str,
        sort: Option<&str>,
        few: usize,
    ) -> Result<Option<Packed>> {
        let Some(state) = self.runtime.block_on(log.read())? else { return Ok(None) };
        let files = self.runtime.block_on(log.files(&state))?;
        let small = files.iter().filter(|file| plan::is_small(file, self.target_size)).count();
        let groups = match sort {
            Some(_) => plan::partitions(files),
            None if small > few => plan::packs(files, self.target_size),
            None => Vec::new(),
        };
        if groups.is_empty() {
            return Ok(None);
        }
        let packing = Packing { log, table, state, sort, groups };
        let new = self.write(&packing)?;
        self.commit(packing, &new).map(Some)
    }

    fn write(&self, packing: &Packing<'_>) -> Result<Vec<DataFile>> {
        let Packing { log, state, sort, .. } = packing;
        let schema = arrow_schema(&state.schema()).ok_or_else(|| Error::BadTable {
            place: log.place(),
            problem: "it has a column of a type that pinclean does not write".to_owned(),
        })?;
        let sink = FileSink::anew(log, self.runtime.clone());
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        let workers = cores.min((self.memory / PER_WORKER).max(1) as usize);
        let memory = self.memory / workers as u64 / SORTED_SHARE;
        let rewrite = Rewrite {
            log,
            sink: &sink,
            schema: &schema,
            // A group is chosen to be one file. Would it be cut by the size that
            // the new file has, the next time would find a small file again.
            target_size: sort.map_or(u64::MAX, |_| self.target_size),
            sort: sort.map(|column| Sort { column, memory }),
        };
        let name = format!("packed-{}", self.id);
        rewrite.publish_all(&packing.groups, Many { name: &name, workers, stop: self.stop })
    }

    fn commit(&self, packing: Packing<'_>, new: &[DataFile]) -> Result<Packed> {
        let Packing { log, table, state, sort, groups } = packing;
        let old = groups.concat();
        let packed = Packed {
            files: old.len() as u64,
            into_files: new.len() as u64,
            rows: new.iter().map(|file| file.rows).sum(),
            bytes: old.iter().map(|file| file.size).sum(),
            into_bytes: new.iter().map(|file| file.bytes).sum(),
        };
        let change = Change {
            id: format!("{}-optimize-{table}", self.id),
            operation: "OPTIMIZE",
            parameters: json!({
                "targetSize": self.target_size.to_string(),
                "sort": sort.unwrap_or_default(),
            }),
            note: json!({ "runId": self.id, "packed": packed }),
            actions: same_rows(&old, new),
            requires: Requires { files: paths(&old), ..Requires::default() },
        };
        let committed = self
            .stop
            .check()
            .and_then(|()| self.runtime.block_on(log.commit(Some(&state), &change)));
        let version = match committed {
            Err(error @ (Error::Ahead { .. } | Error::Stopped(_))) => {
                self.runtime.block_on(take_away(log, new));
                return Err(error);
            }
            committed => committed?,
        };
        if let Err(error) = self.runtime.block_on(log.maintain(version)) {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(table, error, "the files are packed; the log was not tidied");
        }
        Ok(packed)
    }
}

/// What is to be done to one table.
struct Packing<'a> {
    log: &'a Log,
    table: &'a str,
    state: State,
    sort: Option<&'a str>,
    groups: Vec<Vec<LiveFile>>,
}

fn paths(files: &[LiveFile]) -> BTreeSet<String> {
    files.iter().map(|file| file.path.clone()).collect()
}

#[cfg(test)]
mod tests;
