//! Replay: the open rejects of a quarantine through cleaning again.
//!
//! The quarantine holds what a run made of a record: its bytes, out of whatever
//! they were wrapped in, with topic, partition and offset. That goes through the
//! same stages as in a run. A reject lands if all that is in it passes, which is
//! one record but for what was opened only by the mended transform; else it stays
//! as it is, with the reason that it was given first.
//!
//! What lands is committed once: the commit of the rows names the rejects, and
//! requires that no other commit with rejects came between
//! ([`crate::pipeline::commit`]).

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use chrono::Utc;
use object_store::path::Path;

use self::worker::{Part, Worker};
use crate::delta::{LiveFile, Property, State, Version};
use crate::pipeline::commit::{self, DeltaTable, Draft, Mode, RejectIds};
use crate::pipeline::discover::Watermarks;
use crate::pipeline::engine::STACK;
use crate::pipeline::report::rfc3339;
use crate::pipeline::write::{DataFile, Staged, Target, discard, fields, publish};
use crate::signals::Stop;
use crate::spec::{OnError, Spec};
use crate::{Error, Result};

mod counts;
mod open;
pub mod report;
mod worker;

pub use counts::Counts;

/// The replay of one table.
pub struct Replay<'a> {
    /// The table.
    pub table: &'a DeltaTable,
    /// Its transform, as it is now.
    pub spec: &'a Spec,
    /// Where and how rows are written.
    pub target: &'a Arc<Target>,
    /// Threads that work, at least 1; each holds a batch of some megabytes.
    pub workers: usize,
    /// Asked between two batches.
    pub stop: &'a Stop,
}

/// What can land.
#[derive(Debug, Default)]
pub struct Cleaned {
    /// What became of the open rejects.
    pub counts: Counts,
    /// Files of rows.
    pub files: Vec<Staged>,
    /// The file of the ids of the rejects that land, if there are any.
    ids: Option<Staged>,
}

/// A commit that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    /// The table's version.
    pub version: Version,
    /// The files of rows.
    pub files: Vec<DataFile>,
}

impl Replay<'_> {
    /// Takes the open rejects through the stages. Nobody sees what is written.
    /// Blocks; not to be called on a runtime's thread.
    ///
    /// # Errors
    /// Those of the stages; [`Error::Balance`]; [`Error::Stopped`]. Nothing of it
    /// stays behind then.
    pub fn clean(&self, quarantine: &State) -> Result<Cleaned> {
        let runtime = &self.target.runtime;
        let mut files = runtime.block_on(self.table.quarantine_files(quarantine))?;
        files.retain(may_be_open);
        let parts = self.work(files)?;
        let (mut cleaned, mut ids) = (Cleaned::default(), Vec::new());
        for part in parts {
            cleaned.counts.merge(part.counts);
            cleaned.files.extend(part.files);
            ids.push(part.ids);
        }
        let checked = self.finish(&mut cleaned, &RejectIds::union(ids));
        match checked {
            Ok(()) => Ok(cleaned),
            Err(error) => {
                self.discard(cleaned);
                Err(error)
            }
        }
    }

    /// Takes away what was written and will not be committed.
    pub fn discard(&self, cleaned: Cleaned) {
        let staged = cleaned.files.into_iter().chain(cleaned.ids).collect();
        self.target.runtime.block_on(discard(&self.target.output, staged));
    }

    /// Commits what passed, once; nothing if there is none. `base` is what the
    /// table was before its quarantine was read.
    ///
    /// # Errors
    /// [`Error::Ahead`] if rejects were committed since: nothing of this counts.
    /// Otherwise what writing or reading failed with.
    pub async fn land(&self, base: &State, cleaned: Cleaned) -> Result<Option<Landed>> {
        let Cleaned { counts, files: mut staged, ids: Some(ids) } = cleaned else {
            return Ok(None);
        };
        let files: Vec<DataFile> = staged.iter().map(|staged| staged.file.clone()).collect();
        let resolved = format!("{FOLDER}/{}", ids.file.path);
        staged.push(ids);
        publish(&self.target.output, staged).await?;
        let draft = Draft {
            run_id: self.target.run_id.clone(),
            committed_at: rfc3339(Utc::now()),
            source: base.property(Property::Source.key()).unwrap_or_default().to_owned(),
            spec_hash: self.spec.hash.clone(),
            schema: fields(self.spec),
            mode: Mode::Append,
            reached: Watermarks::new(),
            files: files.clone(),
            rejects: Vec::new(),
            resolved: Some(resolved),
            counts: commit::Counts {
                read: counts.open,
                written: counts.landed,
                quarantined: counts.stayed(),
                duplicate: 0,
            },
        };
        let version = self.table.commit(Some(base), draft).await?.version;
        Ok(Some(Landed { version, files }))
    }

    /// The stages, by several threads that take one file after the other.
    fn work(&self, files: Vec<LiveFile>) -> Result<Vec<Part>> {
        let spec = &lenient(self.spec);
        let workers = self.workers.clamp(1, files.len().max(1));
        let waiting = Mutex::new(files.into_iter());
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        // After a failure there is nothing left to take.
        let clear =
            || waiting.lock().unwrap_or_else(PoisonError::into_inner).by_ref().for_each(drop);
        let (next, clear) = (&next, &clear);
        let done: Vec<Result<Part>> = thread::scope(|scope| {
            let started: Vec<_> = (0..workers)
                .map(|number| {
                    let work = move || {
                        let worked =
                            Worker::new(self, spec, number).and_then(|worker| worker.files(next));
                        worked.inspect_err(|_| clear())
                    };
                    thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work)
                })
                .collect();
            let joined = started.into_iter().map(|thread| match thread {
                Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
                Err(e) => Err(Error::Internal { stage: "start", message: e.to_string() }),
            });
            joined.collect()
        });
        let (mut parts, mut failure) = (Vec::new(), None);
        for part in done {
            match part {
                Ok(part) => parts.push(part),
                Err(error) => drop(failure.get_or_insert(error)),
            }
        }
        match failure {
            None => Ok(parts),
            Some(error) => {
                let staged = parts.into_iter().flat_map(|part| part.files).collect();
                self.target.runtime.block_on(discard(&self.target.output, staged));
                Err(error)
            }
        }
    }

    /// Writes the ids, and proves that every open reject landed or stays.
    fn finish(&self, cleaned: &mut Cleaned, ids: &RejectIds) -> Result<()> {
        if !ids.is_empty() {
            let file = format!("{}.parquet", self.target.run_id);
            let folder = self.table.quarantine().folder().clone();
            let path: Path = folder.join(FOLDER).join(file);
            cleaned.ids = Some(ids.stage(&self.target.sink(), path)?);
        }
        let rows = |files: &[Staged]| files.iter().map(|staged| staged.file.rows).sum();
        let found = (rows(&cleaned.files), rows(cleaned.ids.as_slice()));
        cleaned.counts.balance(&self.spec.table, found)
    }
}

/// Where the ids are kept, below the quarantine's folder: no reader of tables
/// looks into a folder whose name begins so.
const FOLDER: &str = "_resolved";

/// Whether the statistics of a file of the quarantine allow an open reject in it.
fn may_be_open(file: &LiveFile) -> bool {
    file.stats["nullCount"]["resolved_at"].as_u64() != Some(0)
}

/// The same transform, where a record that is to end a run stays where it is.
fn lenient(spec: &Spec) -> Spec {
    let mut spec = spec.clone();
    for column in spec.columns.iter_mut().filter(|column| column.on_error == OnError::Fail) {
        column.on_error = OnError::Quarantine;
    }
    spec
}

#[cfg(test)]
mod tests;
