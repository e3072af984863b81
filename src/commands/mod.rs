//! The commands, each from its settings to its result.

use std::io::{ErrorKind, Write};

use crate::settings::{Command, LogFormat, Ui};
use crate::{Error, Result};

mod ending;
mod engine;
mod tables;

pub mod run;
pub mod check;
pub mod init;
pub mod emulate;
pub mod optimize;
pub mod vacuum;
pub mod replay;
pub mod history;
pub mod ask;
pub mod query;
pub mod completions;
pub mod man;

/// Does what the command says; `run_id` is what it goes by in messages, reports and
/// the logs of tables.
///
/// # Errors
/// Those of the command.
pub fn dispatch(command: &Command, ui: &Ui, run_id: &str) -> Result<()> {
    match command {
        Command::Run(settings) => run::run(settings, ui, run_id),
        Command::Check(settings) => check::check(settings, ui),
        Command::Init(settings) => init::init(settings, ui),
        Command::Emulate(settings) => emulate::emulate(settings, ui),
        Command::Optimize(settings) => optimize::optimize(settings, ui, run_id),
        Command::Vacuum(settings) => vacuum::vacuum(settings, ui),
        Command::Replay(settings) => replay::replay(settings, ui, run_id),
        Command::History(settings) => history::history(settings, ui),
        Command::Ask(settings) => ask::ask(settings),
        Command::Query(settings) => query::query(settings),
        Command::Completions(shell) => completions::completions(*shell),
        Command::Man(settings) => man::man(settings, ui),
    }
}

/// Prints a result on standard output. That the reader has gone, as with
/// `| head`, is no error.
///
/// # Errors
/// [`Error::Write`] if standard output takes no more.
pub fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Write { place: "standard output".to_owned(), source: e.into() })
        }
        _ => Ok(()),
    }
}

/// Tells how a command ended: by a message, or by the report for people.
///
/// # Errors
/// As [`print`].
fn end(ui: &Ui, message: impl FnOnce(), report: impl FnOnce() -> String) -> Result<()> {
    match ui.log {
        // Both streams go to one place, as a rule, where each line is to be JSON.
        LogFormat::Json => message(),
        LogFormat::Text if ui.quiet => {}
        LogFormat::Text => print(&report())?,
    }
    Ok(())
}

/// The runtime of a command: it lists, reads and writes; the computing is done
/// on threads of the command's own.
///
/// # Errors
/// [`Error::Internal`] if the system gives no threads.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::Internal { stage: "start", message: e.to_string() })
}
