//! Messages on standard error: lines for people, or JSON.

use std::io::{self, IsTerminal, Write};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::Error;
use crate::progress::screen;
use crate::settings::{LogFormat, Ui};

/// Starts the log. A second start changes nothing.
pub fn init(ui: &Ui) {
    let format: Box<dyn Layer<Registry> + Send + Sync> = match ui.log {
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(|| Screen).boxed(),
        LogFormat::Text => {
            fmt::layer().with_target(ui.verbose).with_ansi(colours()).with_writer(|| Screen).boxed()
        }
    };
    let started = tracing_subscriber::registry().with(format.with_filter(levels(ui))).try_init();
    if started.is_err() {
        tracing::debug!("the log was started before");
    }
}

/// Of other crates only what they call an error is shown: what matters of the
/// rest is in our own errors, with advice.
fn levels(ui: &Ui) -> Targets {
    let (ours, theirs) = match (ui.quiet, ui.verbose) {
        (true, _) => (LevelFilter::ERROR, LevelFilter::OFF),
        (false, true) => (LevelFilter::DEBUG, LevelFilter::INFO),
        (false, false) => (LevelFilter::INFO, LevelFilter::ERROR),
    };
    // What the Delta libraries log as an error may be an answer: no table, say.
    let libraries = theirs.min(if ui.verbose { LevelFilter::WARN } else { LevelFilter::OFF });
    Targets::new()
        .with_default(theirs)
        .with_target("buoyant_kernel", libraries)
        .with_target("delta_kernel", libraries)
        .with_target("deltalake_core", libraries)
        .with_target("pinclean", ours)
}

/// <https://no-color.org>
fn colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Standard error, clear of the progress bar. The log writes a message at a time.
struct Screen;

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        screen().suspend(|| io::stderr().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Tells why the command failed, once, with what each lower layer said.
pub fn failure(error: &Error, log: LogFormat) {
    match log {
        LogFormat::Text => {
            // Where standard error is closed there is no one to tell.
            _ = Screen.write_all(text(error).as_bytes());
        }
        LogFormat::Json => {
            let causes = causes(error).join(": ");
            tracing::error!(exit_code = error.exit_code(), causes, "{error}");
        }
    }
}

fn text(error: &Error) -> String {
    let mut text = format!("error: {error}\n");
    for cause in causes(error) {
        text.push_str("  caused by: ");
        text.push_str(&cause);
        text.push('\n');
    }
    text
}

/// What the lower layers said, outermost first. Many errors repeat their source
/// in their own text: what was just said is left out.
fn causes(error: &dyn std::error::Error) -> Vec<String> {
    let mut said = error.to_string();
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !said.contains(&text) {
            causes.push(text.clone());
            said = text;
        }
        next = cause.source();
    }
    causes
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;
    use crate::settings::ProgressMode;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Step(&'static str, #[source] Option<Box<Step>>);

    fn chain(texts: &[&'static str]) -> Option<Box<Step>> {
        let (first, rest) = texts.split_first()?;
        Some(Box::new(Step(first, chain(rest))))
    }

    #[test]
    fn each_cause_is_told_once() {
        let cases: [(&[&'static str], &str); 4] = [
            (&["refused"], "error: cannot read k\n  caused by: refused\n"),
            (
                &["sending: refused", "refused", "errno 111"],
                "error: cannot read k\n  caused by: sending: refused\n  caused by: errno 111\n",
            ),
            (&["cannot read k", "refused"], "error: cannot read k\n  caused by: refused\n"),
            (&["", "refused"], "error: cannot read k\n  caused by: refused\n"),
        ];
        for (texts, expected) in cases {
            let source = chain(texts).unwrap();
            let error = Error::Read { object: "k".to_owned(), source };
            assert_eq!(text(&error), expected);
        }
    }

    #[test]
    fn quiet_leaves_errors_and_verbose_adds_ours() {
        let ui = |quiet, verbose| Ui {
            progress: ProgressMode::Auto,
            log: LogFormat::Text,
            quiet,
            verbose,
        };
        let cases = [
            (ui(true, false), "pinclean::store", Level::ERROR, true),
            (ui(true, false), "pinclean::store", Level::WARN, false),
            (ui(true, false), "aws_config", Level::ERROR, false),
            (ui(false, false), "pinclean", Level::INFO, true),
            (ui(false, false), "pinclean", Level::DEBUG, false),
            (ui(false, false), "aws_config", Level::WARN, false),
            (ui(false, true), "pinclean", Level::DEBUG, true),
            (ui(false, true), "hyper", Level::DEBUG, false),
        ];
        for (ui, target, level, expected) in cases {
            assert_eq!(levels(&ui).would_enable(target, &level), expected, "{target} {level}");
        }
    }
}
