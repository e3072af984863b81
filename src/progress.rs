//! Progress of a run, on standard error.
//!
//! The stages add to counters, once a batch; a thread of its own draws them.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::settings::{LogFormat, ProgressMode, Ui};

mod pace;

use pace::{Pace, State};

/// Standard error as the bar sees it: other lines go through its `suspend`, so
/// that the two do not mix.
pub(crate) fn screen() -> &'static MultiProgress {
    static SCREEN: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);
    &SCREEN
}

/// How far a run is. Clones count together.
#[derive(Debug, Clone)]
pub struct Progress {
    counters: Arc<Counters>,
    painter: Arc<Mutex<Option<Painter>>>,
}

#[derive(Debug, Default)]
struct Counters {
    found_objects: AtomicU64,
    found_bytes: AtomicU64,
    done_objects: AtomicU64,
    done_bytes: AtomicU64,
    planned: AtomicBool,
}

impl Progress {
    /// Starts to show progress, if `ui` says so.
    pub fn start(ui: &Ui) -> Progress {
        let view = View::choose(ui, std::io::stderr().is_terminal());
        let counters = Arc::new(Counters::default());
        let painter = view.and_then(|view| Painter::start(view, Arc::clone(&counters)));
        Progress { counters, painter: Arc::new(Mutex::new(painter)) }
    }

    /// The listing found more objects.
    pub fn found(&self, objects: u64, bytes: u64) {
        self.counters.found_objects.fetch_add(objects, Ordering::Relaxed);
        self.counters.found_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// More objects are read and cleaned; bytes as [`Progress::found`] counts them.
    pub fn done(&self, objects: u64, bytes: u64) {
        self.counters.done_objects.fetch_add(objects, Ordering::Relaxed);
        self.counters.done_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The listing is complete: what was found is the total.
    pub fn planned(&self) {
        self.counters.planned.store(true, Ordering::Relaxed);
    }

    /// Takes the bar away; the last clone that goes does so too. Call it before
    /// the result is printed.
    pub fn finish(&self) {
        if let Ok(mut painter) = self.painter.lock() {
            painter.take();
        }
    }
}

impl Counters {
    /// Each number by itself is right; together they may be a moment apart.
    fn state(&self) -> State {
        State {
            found_objects: self.found_objects.load(Ordering::Relaxed),
            found_bytes: self.found_bytes.load(Ordering::Relaxed),
            done_objects: self.done_objects.load(Ordering::Relaxed),
            done_bytes: self.done_bytes.load(Ordering::Relaxed),
            planned: self.planned.load(Ordering::Relaxed),
        }
    }
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    /// A bar that is drawn over itself.
    Bar,
    /// A line each second.
    Lines,
    /// A message in the log each second.
    Events,
}

impl View {
    fn choose(ui: &Ui, terminal: bool) -> Option<View> {
        match (ui.progress, ui.log) {
            (ProgressMode::Never, _) => None,
            (ProgressMode::Auto, LogFormat::Text) if terminal && !ui.quiet => Some(View::Bar),
            (ProgressMode::Auto, _) => None,
            (ProgressMode::Always, LogFormat::Json) => Some(View::Events),
            (ProgressMode::Always, LogFormat::Text) if terminal => Some(View::Bar),
            (ProgressMode::Always, LogFormat::Text) => Some(View::Lines),
        }
    }

    fn interval(self) -> Duration {
        match self {
            View::Bar => Duration::from_millis(100),
            View::Lines | View::Events => Duration::from_secs(1),
        }
    }
}

/// The thread that draws, until it is dropped.
#[derive(Debug)]
struct Painter {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Painter {
    /// `None` if there is no thread to be had: the run goes on without a bar.
    fn start(view: View, counters: Arc<Counters>) -> Option<Painter> {
        let (stop, stopped) = channel();
        let paint = move || paint(view, &counters, &stopped);
        let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(paint).ok()?;
        Some(Painter { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A bar that failed is no reason for a run to fail.
            _ = thread.join();
        }
    }
}

fn paint(view: View, counters: &Counters, stopped: &Receiver<()>) {
    let started = Instant::now();
    let mut pace = Pace::default();
    let bar = (view == View::Bar).then(bar);
    loop {
        let ended = stopped.recv_timeout(view.interval()) != Err(RecvTimeoutError::Timeout);
        let state = counters.state();
        pace.add(started.elapsed(), state);
        match &bar {
            Some(bar) => draw(bar, state, pace.line()),
            None if view == View::Events => event(state, &pace),
            // Where standard error is closed there is no one to tell.
            None => _ = writeln!(std::io::stderr(), "{}", pace.line()),
        }
        if ended {
            break;
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
        screen().remove(&bar);
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:24}] {wide_msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    screen().add(bar)
}

fn draw(bar: &ProgressBar, state: State, line: String) {
    // A bar over a total that still grows would run backwards.
    let (length, position) = match state.planned {
        true => (state.found_objects, state.done_objects),
        false => (1, 0),
    };
    bar.set_length(length);
    bar.set_position(position);
    bar.set_message(line);
    bar.tick();
}

fn event(state: State, pace: &Pace) {
    tracing::info!(
        objects_done = state.done_objects,
        objects_found = state.found_objects,
        bytes_done = state.done_bytes,
        bytes_found = state.found_bytes,
        planned = state.planned,
        seconds_left = pace.left().map(|left| left.as_secs()),
        "progress"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ui(progress: ProgressMode, log: LogFormat, quiet: bool) -> Ui {
        Ui { progress, log, quiet, verbose: false }
    }

    #[test]
    fn the_view_suits_the_terminal_and_the_log() {
        use LogFormat::{Json, Text};
        use ProgressMode::{Always, Auto, Never};
        let cases = [
            (ui(Auto, Text, false), true, Some(View::Bar)),
            (ui(Auto, Text, false), false, None),
            (ui(Auto, Text, true), true, None),
            (ui(Auto, Json, false), true, None),
            (ui(Always, Text, true), true, Some(View::Bar)),
            (ui(Always, Text, false), false, Some(View::Lines)),
            (ui(Always, Json, false), true, Some(View::Events)),
            (ui(Never, Text, false), true, None),
        ];
        for (ui, terminal, expected) in cases {
            assert_eq!(View::choose(&ui, terminal), expected, "{ui:?} {terminal}");
        }
    }

    #[test]
    fn clones_count_together_over_threads() {
        let progress = Progress::start(&ui(ProgressMode::Never, LogFormat::Text, false));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let progress = progress.clone();
                scope.spawn(move || {
                    progress.found(2, 20);
                    progress.done(1, 10);
                });
            }
        });
        progress.planned();
        let state = progress.counters.state();
        let expected = State {
            found_objects: 8,
            found_bytes: 80,
            done_objects: 4,
            done_bytes: 40,
            planned: true,
        };
        assert_eq!(state, expected);
    }

    #[test]
    fn a_painter_ends_at_once_when_it_is_dropped() {
        let counters = Arc::new(Counters::default());
        let started = Instant::now();
        let painter = Painter::start(View::Events, Arc::clone(&counters)).unwrap();
        drop(painter);
        assert!(started.elapsed() < View::Events.interval());
        assert_eq!(Arc::strong_count(&counters), 1);
    }
}
