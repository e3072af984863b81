//! What the threads of one run ask and tell each other between two batches.

use std::sync::Mutex;

use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::signals::Stop;

/// Ends all threads of a run on a signal, or when one of them failed.
pub struct Watch<'a> {
    stop: &'a Stop,
    progress: &'a Progress,
    failure: Mutex<Option<Error>>,
}

impl<'a> Watch<'a> {
    /// Nothing failed yet.
    pub fn new(stop: &'a Stop, progress: &'a Progress) -> Watch<'a> {
        Watch { stop, progress, failure: Mutex::new(None) }
    }

    /// Where the threads count what they did.
    pub fn progress(&self) -> &Progress {
        self.progress
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// [`Error::Stopped`] after a signal; after a failure elsewhere an error
    /// that nobody is shown.
    pub fn go_on(&self) -> Result<()> {
        self.stop.check()?;
        if self.lock().is_some() {
            let message = "another thread failed first".to_owned();
            return Err(Error::Internal { stage: "work", message });
        }
        Ok(())
    }

    /// Notes a failure. The first one is what the run fails with.
    pub fn fail(&self, error: Error) {
        self.lock().get_or_insert(error);
    }

    /// What the run fails with, if it does.
    ///
    /// # Errors
    /// The first failure, or [`Error::Stopped`] after a signal.
    pub fn outcome(&self) -> Result<()> {
        self.lock().take().map_or_else(|| self.stop.check(), Err)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Error>> {
        self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
