//! Messages on standard error: lines for people, or JSON.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use clap::error::ErrorKind;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::Error;
use crate::progress::screen;
use crate::settings::{LogFormat, Ui};

mod json;

use json::{Line, Lines};

/// Whether messages are JSON, as far as is known by now.
static JSON: AtomicBool = AtomicBool::new(false);

/// The run that every message of this process is of.
static RUN_ID: OnceLock<String> = OnceLock::new();

/// Says of which run the messages are, and in which form, as far as a look at the
/// command line and the environment tells it: what goes wrong before the settings
/// are read is to be told in that form too. A panic is told alike, and ends the process
/// with exit code 1, in whatever profile it was built. To be called first of all, once.
pub fn begin(run_id: &str, format: LogFormat) {
    JSON.store(format == LogFormat::Json, Relaxed);
    if RUN_ID.set(run_id.to_owned()).is_err() {
        tracing::debug!("the run is known already");
    }
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        match is_json() {
            true => emit("pinclean", vec![("message", panic.to_string().into())]),
            false => told(panic),
        }
        // Without this it would be a signal where a panic aborts, and no code that a
        // scheduler knows.
        std::process::exit(1);
    }));
}

/// What `--log` or its variable ask for, before either was parsed.
pub fn glance(args: &[OsString], variable: Option<OsString>) -> LogFormat {
    let typed = args.iter().enumerate().rev().find_map(|(n, arg)| match arg.to_str()? {
        "--log" => args.get(n + 1).and_then(|value| value.to_str()),
        arg => arg.strip_prefix("--log="),
    });
    let asked = typed.or_else(|| variable.as_ref()?.to_str());
    if asked == Some("json") { LogFormat::Json } else { LogFormat::Text }
}

fn is_json() -> bool {
    JSON.load(Relaxed)
}

fn run_id() -> &'static str {
    RUN_ID.get().map_or("", String::as_str)
}

/// Starts the log. A second start changes nothing.
pub fn init(ui: &Ui) {
    JSON.store(ui.log == LogFormat::Json, Relaxed);
    let format: Box<dyn Layer<Registry> + Send + Sync> = match ui.log {
        LogFormat::Json => {
            let lines = Lines { run_id: run_id().to_owned() };
            fmt::layer().event_format(lines).with_writer(|| Screen).boxed()
        }
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
        // It calls it an error each time that a table is not there yet.
        .with_target("buoyant_kernel::snapshot::builder", LevelFilter::OFF)
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
        // Where standard error is full or closed there is no one to tell: the exit code
        // still says how the command ended. An error here would end the process by a
        // panic in the log.
        _ = screen().suspend(|| io::stderr().write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Tells why the command failed, once, with what each lower layer said.
pub fn failure(error: &Error) {
    if is_json() {
        return emit(
            module_path!(),
            vec![
                ("message", error.to_string().into()),
                ("causes", causes(error).join(": ").into()),
                ("exit_code", error.exit_code().into()),
            ],
        );
    }
    // Where standard error is closed there is no one to tell.
    _ = Screen.write_all(text(error).as_bytes());
}

/// Help, a version, or what is wrong with the command line, as clap words it.
pub fn usage(usage: &clap::Error) {
    // Help that is shown for want of a command is no message either.
    let help = usage.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    match usage.use_stderr() && !help && is_json() {
        true => {
            let text = usage.render().to_string();
            failure(&Error::Usage(text.trim_start_matches("error: ").trim_end().to_owned()));
        }
        // Where the terminal is gone there is no one to tell.
        false => _ = usage.print(),
    }
}

/// Writes an error as JSON, whether the log was started or not.
fn emit(target: &str, fields: Vec<(&'static str, serde_json::Value)>) {
    let line = Line { run_id: run_id(), level: "ERROR", target, fields };
    if let Ok(text) = line.text() {
        _ = Screen.write_all(text.as_bytes());
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

/// Returns an error and what each lower layer said, in one line.
pub fn with_causes(error: &Error) -> String {
    let said = causes(error);
    std::iter::once(error.to_string()).chain(said).collect::<Vec<_>>().join(": ")
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
    fn an_error_in_one_line_has_its_causes() {
        let source = chain(&["sending: refused", "refused", "errno 111"]).unwrap();
        let error = Error::Read { object: "k".to_owned(), source };
        assert_eq!(with_causes(&error), "cannot read k: sending: refused: errno 111");
        assert_eq!(with_causes(&Error::Usage("no".to_owned())), "no");
    }

    #[test]
    fn a_glance_tells_the_form_of_the_messages() {
        let cases: [(&[&str], Option<&str>, LogFormat); 8] = [
            (&[], None, LogFormat::Text),
            (&[], Some("json"), LogFormat::Json),
            (&["run", "--log", "json"], None, LogFormat::Json),
            (&["--log=json", "run"], Some("text"), LogFormat::Json),
            (&["run", "--log", "text"], Some("json"), LogFormat::Text),
            (&["run", "--log"], None, LogFormat::Text),
            (&["run", "--log=xml"], Some("json"), LogFormat::Text),
            (&["run", "--login", "json"], None, LogFormat::Text),
        ];
        for (args, variable, expected) in cases {
            let words: Vec<OsString> = args.iter().map(OsString::from).collect();
            assert_eq!(glance(&words, variable.map(OsString::from)), expected, "{args:?}");
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
