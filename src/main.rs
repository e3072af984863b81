//! The `pinclean` binary.

use std::process::ExitCode;

use pinclean::cli::{self, Cli};
use pinclean::pipeline::report::run_id;
use pinclean::settings::{self, Command, Layers, Ui};
use pinclean::{Result, commands, failpoint, logging, signals};

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    let run_id = run_id(chrono::Utc::now());
    logging::begin(&run_id, logging::glance(&args, std::env::var_os("PINCLEAN_LOG")));
    if let Err(error) = signals::end_the_process(logging::failure) {
        logging::failure(&error);
        return ExitCode::from(error.exit_code());
    }
    let typed = match cli::parse(args) {
        Ok(typed) => typed,
        Err(usage) => {
            logging::usage(&usage);
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    match start(typed, &run_id) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logging::failure(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Runs the command.
fn start(typed: Cli, run_id: &str) -> Result<()> {
    failpoint::arm()?;
    let env = |name: &str| std::env::var_os(name);
    let layers = Layers::read(&typed, &env)?;
    let ui = Ui::resolve(&typed, &layers)?;
    logging::init(&ui);
    for name in settings::unknown_variables(std::env::vars_os().map(|(name, _)| name)) {
        tracing::warn!("{name} is the variable of no option: it is not read");
    }
    let command = Command::resolve(typed.verb, &layers)?;
    commands::dispatch(&command, &ui, run_id)
}
