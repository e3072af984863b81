//! Ctrl-C and SIGTERM: they end the process, or ask a command that listens to stop;
//! then the second ends it.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::time::Duration;

use tokio::runtime::{self, Handle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::error::Signal;
use crate::{Error, Result};

/// Whether a command listens, and ends by itself.
static HEEDED: AtomicBool = AtomicBool::new(false);

/// How long a command that listens may take to end: `docker stop` kills after 10
/// seconds, Kubernetes after 30. Who is cut off leaves what a crash does, which the
/// next run puts right.
const PATIENCE: Duration = Duration::from_secs(4);

/// Who is told why the process ends.
static TELL: OnceLock<fn(&Error)> = OnceLock::new();

/// What is still to be done where the process is cut off.
static LAST_ACT: Mutex<Option<LastAct>> = Mutex::new(None);

type LastAct = Box<dyn FnOnce(&Error) + Send>;

/// How long that may take: a disk may have gone away.
const LAST_ACT_TIME: Duration = Duration::from_millis(500);

/// From now on the first signal ends the process with 130 or 143, once it was told
/// why; if a [`Stop`] listens by then, only after a few seconds. The system would end
/// it too, but not as the first process of a container, where signals that nobody
/// asked for are lost.
///
/// # Errors
/// [`Error::Internal`] if the system refuses to hand over the signals.
pub fn end_the_process(tell: fn(&Error)) -> Result<()> {
    _ = TELL.set(tell);
    let failed = |e: std::io::Error| Error::Internal { stage: "signals", message: e.to_string() };
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let inside = runtime.enter();
    let mut interrupts = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminations = signal(SignalKind::terminate()).map_err(failed)?;
    drop(inside);
    let wait = async move {
        let which = tokio::select! {
            Some(()) = interrupts.recv() => Signal::Interrupt,
            Some(()) = terminations.recv() => Signal::Terminate,
            else => return,
        };
        if HEEDED.load(SeqCst) {
            tokio::time::sleep(PATIENCE).await;
            let seconds = PATIENCE.as_secs();
            tracing::warn!("cut off after {seconds} s: if a commit was under way, it may yet land");
        }
        cut_off(which);
    };
    let named = std::thread::Builder::new().name("signals".to_owned());
    named.spawn(move || runtime.block_on(wait)).map(drop).map_err(failed)
}

/// From now on, where the process is cut off, `act` is done before, with what it ends
/// with. It is not waited for for long.
pub fn before_cut_off(act: impl FnOnce(&Error) + Send + 'static) {
    *last_act() = Some(Box::new(act));
}

/// From now on nothing is done where the process is cut off. Does not come back if
/// it is being cut off.
pub fn nothing_before_cut_off() {
    *last_act() = None;
}

fn last_act() -> MutexGuard<'static, Option<LastAct>> {
    LAST_ACT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process at once, and tells why.
fn cut_off(which: Signal) -> ! {
    // Held to the end, so that nobody else does or tells anything of it.
    let mut last_act = last_act();
    if let Some(act) = last_act.take() {
        let (done, wait) = mpsc::channel();
        let acting = move || {
            act(&Error::Stopped(which));
            // Who does not wait any more need not know.
            _ = done.send(());
        };
        if std::thread::Builder::new().name("last-act".to_owned()).spawn(acting).is_ok() {
            _ = wait.recv_timeout(LAST_ACT_TIME);
        }
    }
    let stopped = Error::Stopped(which);
    if let Some(tell) = TELL.get() {
        tell(&stopped);
    }
    std::process::exit(stopped.exit_code().into());
}

/// Whether a signal asked the process to stop. Clones ask the same.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    noted: watch::Sender<Option<Signal>>,
    /// Set before it is noted which. Those who ask often look here alone: the lock
    /// of what was noted is taken by all threads.
    asked: Arc<AtomicBool>,
}

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
        HEEDED.store(true, SeqCst);
        Ok(stop)
    }

    /// The signal that asked for it, if one did. Cheap: ask between objects.
    pub fn requested(&self) -> Option<Signal> {
        self.asked.load(SeqCst).then(|| *self.noted.borrow()).flatten()
    }

    /// Ends once a signal asked for it.
    pub async fn stopped(&self) {
        // The sender is here, so that the channel is open.
        _ = self.noted.subscribe().wait_for(Option::is_some).await;
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
                    cut_off(which);
                }
                tracing::warn!("{which}: stopping; once more to stop at once");
            }
        });
        Ok(())
    }

    /// Notes the first signal; false if there was one before.
    pub(crate) fn request(&self, which: Signal) -> bool {
        self.asked.store(true, SeqCst);
        self.noted.send_if_modified(|noted| {
            let first = noted.is_none();
            noted.get_or_insert(which);
            first
        })
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

    #[tokio::test]
    async fn who_waits_for_a_signal_learns_of_it_before_and_after() {
        let stop = Stop::default();
        let waiting = tokio::spawn({
            let stop = stop.clone();
            async move { stop.stopped().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        assert!(stop.request(Signal::Interrupt));
        waiting.await.unwrap();
        stop.stopped().await;
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
