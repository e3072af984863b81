//! Committing once, whatever fails.
//!
//! A put may fail and yet have been done, and another writer may be faster. So
//! before each attempt the table is read afresh, and after *any* error too:
//!
//! | the versions that were attempted | the table now | result |
//! |---|---|---|
//! | one holds this change | | committed |
//! | all are another's | the change may be made ([`standing`]) | attempt the next version |
//! | all are another's | it may not | [`Error::Ahead`] |
//! | one is not there | | the put failed: attempt it again |
//! | not known: the read failed too | | read again, a few times, then the error |
//! | not known: a local disk could not be synced | | the error |
//!
//! A version can be taken only once, as the store puts it only if it is absent.
//! A slow put that still arrives is therefore either this change, or refused.

use std::collections::BTreeSet;
use std::time::Duration;

use deltalake_core::kernel::Action;
use object_store::{ObjectStore, PutMode, PutOptions};

use super::change::{Change, Standing, standing};
use super::log::{Log, State, Version};
use crate::failpoint::{self, Point};
use crate::store::sync_failed;
use crate::{Error, Result};

/// Attempts before a commit is given up.
const ATTEMPTS: u32 = 8;
/// The pause after the first error; it doubles.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(2);

impl Log {
    /// Makes a change that was planned from `base`, and returns its version.
    ///
    /// # Errors
    /// [`Error::Ahead`] if another writer was first: nothing of the change
    /// counts. [`Error::BadTable`] if the table is not what it was. Otherwise
    /// what reading or writing failed with, again and again: whether the change
    /// was made is then not known, and shows when the table is next read.
    pub async fn commit(&self, base: Option<&State>, change: &Change) -> Result<Version> {
        let mut attempted = BTreeSet::new();
        let mut failure = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 && failure.is_some() {
                tokio::time::sleep((PAUSE * 2_u32.pow(attempt - 1)).min(LONGEST)).await;
            }
            match self.step(base, change, &mut attempted).await {
                Ok(Step::Committed(version)) => return Ok(version),
                Ok(Step::Failed(error)) => failure = Some(error),
                Ok(Step::Overtaken) => failure = None,
                Err(error) => return Err(error),
            }
        }
        Err(failure.unwrap_or_else(|| Error::Ahead { place: self.place() }))
    }

    /// One reading and one attempt.
    async fn step(
        &self,
        base: Option<&State>,
        change: &Change,
        attempted: &mut BTreeSet<Version>,
    ) -> Result<Step> {
        let now = match self.read().await {
            Ok(now) => now,
            Err(error @ Error::Read { .. }) => return Ok(Step::Failed(error)),
            Err(error) => return Err(error),
        };
        for &version in attempted.iter() {
            match self.holds(version, change).await {
                Ok(true) => return Ok(Step::Committed(version)),
                Ok(false) => {}
                Err(error @ Error::Read { .. }) => return Ok(Step::Failed(error)),
                Err(error) => return Err(error),
            }
        }
        let live = match &now {
            // What the change was planned from has the files.
            Some(now) if !change.requires.files.is_empty() && !is_version_of(base, now) => {
                self.live_paths(now).await?
            }
            _ => BTreeSet::new(),
        };
        match standing(base, now.as_ref(), &change.requires, &live) {
            Standing::Attempt(version) => {
                attempted.insert(version);
                self.put(version, change, base).await
            }
            Standing::Fenced(version) => {
                Err(Error::Ahead { place: self.output.place(&self.entry_path(version)) })
            }
            Standing::Lost => Err(self.bad("a version that was there is gone".to_owned())),
        }
    }

    /// Whether a version is this change.
    async fn holds(&self, version: Version, change: &Change) -> Result<bool> {
        let entry = self.entry(version).await?.unwrap_or_default();
        Ok(entry.iter().any(|action| match action {
            Action::CommitInfo(info) => {
                info.info.get("txnId").and_then(|id| id.as_str()) == Some(&change.id)
            }
            _ => false,
        }))
    }

    async fn put(&self, version: Version, change: &Change, base: Option<&State>) -> Result<Step> {
        let lines = change
            .lines(base.map(State::version))
            .map_err(|e| Error::Internal { stage: "commit", message: e.to_string() })?;
        let (path, bytes) = (self.entry_path(version), lines.len() as u64);
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        failpoint::hit(Point::BeforePut);
        match self.output.objects.put_opts(&path, lines.into(), options).await {
            Ok(_) => {
                failpoint::hit(Point::AfterPut);
                self.output.count_put(bytes);
                Ok(Step::Committed(version))
            }
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Step::Overtaken),
            // The version may be there and yet be lost when the power goes: to read it
            // again would prove nothing.
            Err(e) if sync_failed(&e) => Err(self.output.write_error(&path, e)),
            Err(e) => match self.output.write_error(&path, e) {
                error @ Error::Write { .. } => Ok(Step::Failed(error)),
                error => Err(error),
            },
        }
    }
}

fn is_version_of(base: Option<&State>, now: &State) -> bool {
    base.is_some_and(|base| base.version() == now.version())
}

/// What became of one attempt.
enum Step {
    Committed(Version),
    /// The version is taken, perhaps by this change.
    Overtaken,
    /// Not known: read again.
    Failed(Error),
}
