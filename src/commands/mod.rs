//! The commands, each from its settings to its result.

use std::io::{ErrorKind, Write};

use crate::settings::{Check, Command, Emulate, Init, Run, Ui};
use crate::{Error, Result};

/// Does what the command says.
///
/// # Errors
/// Those of the command.
pub fn dispatch(command: &Command, ui: &Ui) -> Result<()> {
    match command {
        Command::Run(settings) => run(settings, ui),
        Command::Check(settings) => check(settings, ui),
        Command::Init(settings) => init(settings, ui),
        Command::Emulate(settings) => emulate(settings, ui),
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

// PLACEHOLDERS: nothing is behind the four commands below yet.

/// Cleans what is new in a bucket or folder into tables.
///
/// # Errors
/// Any of [`Error`].
pub fn run(_settings: &Run, _ui: &Ui) -> Result<()> {
    not_there("run")
}

/// Validates transforms and runs their examples.
///
/// # Errors
/// [`Error::Spec`] with every problem.
pub fn check(_settings: &Check, _ui: &Ui) -> Result<()> {
    not_there("check")
}

/// Writes a first transforms file for a topic.
///
/// # Errors
/// [`Error::NothingMatched`] if the topic has no objects, [`Error::File`] if
/// the file is there.
pub fn init(_settings: &Init, _ui: &Ui) -> Result<()> {
    not_there("init")
}

/// Writes a bucket of invented records.
///
/// # Errors
/// [`Error::Write`] and those of the store.
pub fn emulate(_settings: &Emulate, _ui: &Ui) -> Result<()> {
    not_there("emulate")
}

fn not_there(stage: &'static str) -> Result<()> {
    Err(Error::Internal { stage, message: "the command is not there yet".to_owned() })
}
