//! Ctrl-C and SIGTERM: the first asks the run to stop, the second ends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::Signal;
use crate::{Error, Result};

/// Whether a signal asked the process to stop. Clones ask the same.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicU8>);

const NONE: u8 = 0;
const INTERRUPT: u8 = 1;
const TERMINATE: u8 = 2;

impl Stop {
    /// Listens from now on, on the runtime: a signal no longer ends the process
    /// by itself. A second signal ends it at once, with 130 or 143; what was
    /// committed stays, what was not leaves nothing that a reader sees.
    ///
    /// # Errors
    /// [`Error::Internal`] if the system refuses to hand over the signals.
    pub fn listen(runtime: &Handle) -> Result<Stop> {
        let stop = Stop::default();
        stop.on(runtime, SignalKind::interrupt(), Signal::Interrupt)?;
        stop.on(runtime, SignalKind::terminate(), Signal::Terminate)?;
        Ok(stop)
    }

    /// The signal that asked for it, if one did. Cheap: ask between batches.
    pub fn requested(&self) -> Option<Signal> {
        match self.0.load(Ordering::Relaxed) {
            INTERRUPT => Some(Signal::Interrupt),
            TERMINATE => Some(Signal::Terminate),
            _ => None,
        }
    }

    /// [`Error::Stopped`] if a signal asked for it.
    pub fn check(&self) -> Result<()> {
        self.requested().map_or(Ok(()), |signal| Err(Error::Stopped(signal)))
    }

    fn on(&self, runtime: &Handle, kind: SignalKind, which: Signal) -> Result<()> {
        let _inside = runtime.enter();
        let mut signals = signal(kind)
            .map_err(|e| Error::Internal { stage: "signals", message: e.to_string() })?;
        let stop = self.clone();
        runtime.spawn(async move {
            while signals.recv().await.is_some() {
                if !stop.request(which) {
                    std::process::exit(Error::Stopped(which).exit_code().into());
                }
                tracing::warn!("{which}: stopping; once more to stop at once");
            }
        });
        Ok(())
    }

    /// Notes the first signal; false if there was one before.
    fn request(&self, which: Signal) -> bool {
        let code = match which {
            Signal::Interrupt => INTERRUPT,
            Signal::Terminate => TERMINATE,
        };
        self.0.compare_exchange(NONE, code, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_counts_and_the_second_is_told_apart() {
        let stop = Stop::default();
        let clone = stop.clone();
        assert!(stop.requested().is_none() && stop.check().is_ok());
        assert!(stop.request(Signal::Terminate));
        assert!(!stop.request(Signal::Interrupt));
        assert_eq!(clone.requested(), Some(Signal::Terminate));
        assert_eq!(clone.check().unwrap_err().exit_code(), 143);
    }

    #[test]
    fn listening_alone_requests_nothing() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_io()
            .build()
            .unwrap();
        assert_eq!(Stop::listen(runtime.handle()).unwrap().requested(), None);
    }
}
