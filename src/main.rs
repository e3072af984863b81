//! The `pinclean` binary.

use std::process::ExitCode;

use pinclean::cli::{self, Cli};
use pinclean::settings::{self, Command, Layers, LogFormat, Ui};
use pinclean::{Result, commands, failpoint, logging};

fn main() -> ExitCode {
    let typed = match cli::parse(std::env::args_os()) {
        Ok(typed) => typed,
        Err(usage) => return told(&usage),
    };
    let mut log = LogFormat::Text;
    match start(typed, &mut log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logging::failure(&error, log);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Runs the command; `log` is how to tell of an error, as soon as it is known.
fn start(typed: Cli, log: &mut LogFormat) -> Result<()> {
    failpoint::arm()?;
    let env = |name: &str| std::env::var_os(name);
    let layers = Layers::read(&typed, &env)?;
    let ui = Ui::resolve(&typed, &layers)?;
    logging::init(&ui);
    *log = ui.log;
    for name in settings::unknown_variables(std::env::vars_os().map(|(name, _)| name)) {
        tracing::warn!("{name} is the variable of no option: it is not read");
    }
    let command = Command::resolve(typed.verb, &layers)?;
    commands::dispatch(&command, &ui)
}

/// Help, version or a usage error, as clap words it.
fn told(usage: &clap::Error) -> ExitCode {
    // Where the terminal is gone there is no one to tell.
    _ = usage.print();
    ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2))
}
