//! Deleting the files that a table uses no more.
//!
//! Which ones these are is the work of the library: files that a commit removed
//! longer ago than they are kept, and files that no commit lists and that are
//! older than that. So what a job has written and not committed yet is safe for
//! as long as the job takes less time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use deltalake_core::operations::vacuum::{VacuumBuilder, VacuumMode};
use deltalake_core::table::config::TablePropertiesExt;
use deltalake_core::{DeltaTable, DeltaTableError};
use futures::TryStreamExt;

use super::log::{Log, State};
use crate::disk::SyncFailed;
use crate::{Error, Result};

/// How long files are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Files that were in use so long ago stay.
    pub keep: Duration,
    /// Whether it may be less than the table asks for.
    pub forced: bool,
}

/// Files that a table uses no more, as paths below its folder, with their bytes.
pub type Unused = BTreeMap<String, u64>;

impl State {
    /// How long the table asks to keep files that it uses no more
    /// (`delta.deletedFileRetentionDuration`, a week if it does not say).
    pub fn file_retention(&self) -> Duration {
        let configuration = self.snapshot().table_configuration();
        configuration.table_properties().deleted_file_retention_duration()
    }
}

impl Log {
    /// The files that a vacuum would delete now. All of the folder is listed.
    ///
    /// # Errors
    /// As [`read`](Self::read), and those of listing.
    pub async fn unused(&self, retention: Retention) -> Result<Unused> {
        let dry = self.builder(retention)?.with_dry_run(true);
        let (_, planned) = dry.await.map_err(|e| self.explain_library(e))?;
        let planned: BTreeSet<String> = planned.files_deleted.into_iter().collect();
        if planned.is_empty() {
            return Ok(Unused::new());
        }
        self.check_unused(&planned).await?;
        self.sizes(&planned).await
    }

    /// Deletes what is not used, and leaves two commits in the log that say so.
    /// A crash in between leaves some of the files for the next time.
    ///
    /// # Errors
    /// As [`read`](Self::read); [`Error::AccessDenied`] or [`Error::Write`] if
    /// the store refuses to delete; [`Error::Ahead`] if another writer changed
    /// what the table is.
    pub async fn vacuum(&self, retention: Retention) -> Result<()> {
        let done = self.builder(retention)?.with_dry_run(false).await;
        done.map(drop).map_err(|e| match e {
            e if SyncFailed::is_cause_of(&e) => {
                Error::Write { place: self.place(), source: e.into() }
            }
            DeltaTableError::ObjectStore { source } => {
                self.output.delete_error(&self.folder, source)
            }
            DeltaTableError::Transaction { .. } => Error::Ahead { place: self.place() },
            e => self.explain_library(e),
        })
    }

    fn builder(&self, retention: Retention) -> Result<VacuumBuilder> {
        let keep = chrono::Duration::from_std(retention.keep)
            .map_err(|e| Error::Usage(format!("--retain: {e}")))?;
        Ok(DeltaTable::new(self.store.clone())
            .vacuum()
            .with_mode(VacuumMode::Full)
            .with_retention_period(keep)
            .with_enforce_retention_duration(!retention.forced))
    }

    /// A file of the table among those to delete would be the end of its rows:
    /// two spellings of a path are all it takes.
    async fn check_unused(&self, planned: &BTreeSet<String>) -> Result<()> {
        let Some(now) = self.read().await? else { return Ok(()) };
        match self.live_paths(&now).await?.intersection(planned).next() {
            None => Ok(()),
            Some(file) => Err(Error::Internal {
                stage: "vacuum",
                message: format!("{file} is in use; nothing was deleted"),
            }),
        }
    }

    /// Those of the files that are there: the log tells of removed ones for
    /// longer than they stay.
    async fn sizes(&self, planned: &BTreeSet<String>) -> Result<Unused> {
        let below = format!("{}/", self.folder);
        let listed = self.output.objects.list(Some(&self.folder));
        let found = listed.try_filter_map(|object| {
            let path = object.location.as_ref().strip_prefix(&below);
            let path = path.filter(|path| planned.contains(*path));
            std::future::ready(Ok(path.map(|path| (path.to_owned(), object.size))))
        });
        found.try_collect().await.map_err(|e| self.output.list_error(&self.folder, e))
    }
}
