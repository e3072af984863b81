//! What the user typed. This module alone knows clap.
//!
//! Every option is text as typed, or absent: [`crate::settings`] puts it
//! before the environment and `pinclean.toml`, parses it, and fills in the
//! defaults. The defaults in the help are words; those that count are there.

use std::ffi::OsString;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};

mod source;
mod s3;
mod run;
mod check;
mod init;
mod emulate;
mod tables;
mod ask;
mod query;
mod completions;
mod man;
mod words;

pub use ask::AskArgs;
pub use check::CheckArgs;
pub use completions::{CompletionsArgs, Shell, completions};
pub use emulate::EmulateArgs;
pub use init::InitArgs;
pub use man::{ManArgs, Page, manual, manuals};
pub use query::QueryArgs;
pub use run::RunArgs;
pub use s3::S3Args;
pub use source::{LayoutArgs, SourceArgs};
pub use tables::{
    HistoryArgs, OptimizeArgs, PlaceArgs, ReplayArgs, SnapshotArgs, TablesArgs, VacuumArgs,
};

use words::Words;

/// What stands below the commands. The help of each one lists the options that
/// all of them have, so they take one line here, and the whole fits a screen.
const NOTES: &str = "\
Each command has --help, --quiet, --verbose, --log text|json and --config FILE.
Each option is also a variable, PINCLEAN_<OPTION>, and a key of pinclean.toml.

Example:
  pinclean run --bucket my-bucket --out ./clean";

const SCREEN: &str = "{about}\n\n{usage-heading} {usage}\n\n{subcommands}{after-help}";

/// Turn the JSON of a Kafka S3 sink into clean tables, and prove nothing was lost
#[derive(Debug, Parser)]
#[command(name = "pinclean", version, max_term_width = 100)]
#[command(help_template = SCREEN, after_help = NOTES)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub verb: Verb,
}

/// A command, with its options as typed.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Clean what is new in a bucket or folder into tables
    #[command(after_help = run::EXAMPLE)]
    Run(Box<RunArgs>),
    /// Answer a question in SQL from clean tables
    #[command(after_help = query::EXAMPLE)]
    Query(QueryArgs),
    /// Answer the business questions from clean tables
    #[command(after_help = ask::EXAMPLE)]
    Ask(AskArgs),
    /// Validate transforms and run their examples
    #[command(after_help = check::EXAMPLE)]
    Check(CheckArgs),
    /// Write a first transforms file for a topic, from a sample of it
    #[command(after_help = init::EXAMPLE)]
    Init(InitArgs),
    /// Write a bucket of invented records, as the sink would
    #[command(after_help = emulate::EXAMPLE)]
    Emulate(EmulateArgs),
    /// Clean the quarantined records again, after transforms were mended
    #[command(after_help = tables::REPLAY_EXAMPLE)]
    Replay(ReplayArgs),
    /// Pack the small files of tables into larger ones
    #[command(after_help = tables::OPTIMIZE_EXAMPLE)]
    Optimize(OptimizeArgs),
    /// Delete files that tables no longer use
    #[command(after_help = tables::VACUUM_EXAMPLE)]
    Vacuum(VacuumArgs),
    /// Show the runs of tables, and how far each partition is read
    #[command(after_help = tables::HISTORY_EXAMPLE)]
    History(HistoryArgs),
    /// Print what makes a shell complete commands and options
    #[command(after_help = completions::EXAMPLE)]
    Completions(CompletionsArgs),
    /// Print the manual page, or save one of each command
    #[command(after_help = man::EXAMPLE)]
    Man(ManArgs),
}

impl Verb {
    /// The command's name, which is also its table in `pinclean.toml`.
    pub fn name(&self) -> &'static str {
        match self {
            Verb::Run(_) => "run",
            Verb::Check(_) => "check",
            Verb::Init(_) => "init",
            Verb::Emulate(_) => "emulate",
            Verb::Optimize(_) => "optimize",
            Verb::Vacuum(_) => "vacuum",
            Verb::Replay(_) => "replay",
            Verb::History(_) => "history",
            Verb::Ask(_) => "ask",
            Verb::Query(_) => "query",
            Verb::Completions(_) => "completions",
            Verb::Man(_) => "man",
        }
    }
}

/// Options of every command, as typed.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Global")]
pub struct Global {
    /// Settings file [default: pinclean.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<String>,
    /// Form of the messages on standard error: text or json [default: text]
    #[arg(long, global = true, value_name = "FORM", value_parser = Words(&["text", "json"]), hide_possible_values = true)]
    pub log: Option<String>,
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say more, for finding faults
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One value.
    Value,
    /// Nothing: it is on or off.
    Switch,
    /// A value each time that it is given.
    List,
}

/// An option that can be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opt {
    /// Its name, such as `max-rejects`: that of its variable and of its key.
    pub name: String,
    /// Its flag, without the dashes: the name, but for `--tables`, which is
    /// the `out` of the commands that work on finished tables.
    pub flag: String,
    /// Its command; `None` for an option of every command.
    pub command: Option<String>,
    /// What it takes.
    pub kind: Kind,
    /// The words that it takes; none if it takes others than a few.
    pub words: Vec<String>,
}

/// Parses a command line, the program's name first.
///
/// # Errors
/// What clap says; for `--help` and `--version` too, with exit code 0.
pub fn parse<I>(args: I) -> Result<Cli, clap::Error>
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    Cli::try_parse_from(args)
}

/// Every option of every command: the one list from which the keys of
/// `pinclean.toml` come.
pub fn options() -> Vec<Opt> {
    let cli = Cli::command();
    let mut all = options_of(&cli, None);
    for command in cli.get_subcommands() {
        all.extend(options_of(command, Some(command.get_name())));
    }
    all
}

fn options_of(command: &clap::Command, name: Option<&str>) -> Vec<Opt> {
    let kind = |action: &ArgAction| match action {
        ArgAction::SetTrue => Kind::Switch,
        ArgAction::Append => Kind::List,
        _ => Kind::Value,
    };
    let opt = |arg: &clap::Arg| {
        Some(Opt {
            name: arg.get_id().as_str().replace('_', "-"),
            flag: arg.get_long()?.to_owned(),
            command: name.map(str::to_owned),
            kind: kind(arg.get_action()),
            words: words_of(arg),
        })
    };
    command.get_arguments().filter_map(opt).collect()
}

fn words_of(arg: &clap::Arg) -> Vec<String> {
    // A switch would take "true" and "false", if it took anything.
    let values = arg.get_action().takes_values().then(|| arg.get_possible_values());
    values.unwrap_or_default().iter().map(|value| value.get_name().to_owned()).collect()
}

#[cfg(test)]
mod tests;
