//! What the user typed. This module alone knows clap.
//!
//! Every option is text as typed, or absent: [`crate::settings`] puts it
//! before the environment and `pinclean.toml`, parses it, and fills in the
//! defaults. The defaults in the help are words; those that count are there.

use std::ffi::OsString;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};

mod tables;

pub use tables::{HistoryArgs, OptimizeArgs, ReplayArgs, TablesArgs, VacuumArgs};

const LAYERS: &str = "\
Every option is also an environment variable (--max-rejects is PINCLEAN_MAX_REJECTS) and a key of
pinclean.toml (max_rejects). Flags win over variables, variables over the file.";

const RUN_EXAMPLE: &str = "\
Each option is also PINCLEAN_<OPTION> in the environment and a key of pinclean.toml.

Example:
  pinclean run --bucket my-bucket --out ./clean --max-rejects 1%";

const CHECK_EXAMPLE: &str = "\
Example:
  pinclean check ./transforms";

const INIT_EXAMPLE: &str = "\
Each option is also PINCLEAN_<OPTION> in the environment and a key of pinclean.toml; but --out,
which `run` has too, is PINCLEAN_INIT_OUT and a key of [init].

Example:
  pinclean init shop.orders --bucket my-bucket --out transforms/orders.toml";

const EMULATE_EXAMPLE: &str = "\
Each option is also PINCLEAN_<OPTION> in the environment and a key of pinclean.toml.

Example:
  pinclean emulate ./bucket --rows 15000 --partitions 3 --bad-rate 0.1%";

/// Turns the JSON that a Kafka S3 sink wrote into clean tables, and proves that nothing was lost.
#[derive(Debug, Parser)]
#[command(name = "pinclean", version, max_term_width = 100, after_help = LAYERS)]
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
    #[command(after_help = RUN_EXAMPLE)]
    Run(Box<RunArgs>),
    /// Validate transforms and run their examples
    #[command(after_help = CHECK_EXAMPLE)]
    Check(CheckArgs),
    /// Write a first transforms file for a topic, from a sample of it
    #[command(after_help = INIT_EXAMPLE)]
    Init(InitArgs),
    /// Write a bucket of invented records, as the sink would
    #[command(after_help = EMULATE_EXAMPLE)]
    Emulate(EmulateArgs),
    /// Pack the small files of tables into larger ones
    #[command(after_help = tables::OPTIMIZE_EXAMPLE)]
    Optimize(OptimizeArgs),
    /// Delete files that tables no longer use
    #[command(after_help = tables::VACUUM_EXAMPLE)]
    Vacuum(VacuumArgs),
    /// Clean the quarantined records again, after transforms were mended
    #[command(after_help = tables::REPLAY_EXAMPLE)]
    Replay(ReplayArgs),
    /// Show the runs of tables, and how far each partition is read
    #[command(after_help = tables::HISTORY_EXAMPLE)]
    History(HistoryArgs),
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
    #[arg(long, global = true, value_name = "FORM")]
    pub log: Option<String>,
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say more, for finding faults
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

/// Where objects lie and how they are named, as typed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct SourceArgs {
    /// S3 bucket to read; means --source s3://NAME
    #[arg(long, value_name = "NAME")]
    pub bucket: Option<String>,
    /// Folder, file:// or s3://bucket/prefix to read
    #[arg(long, value_name = "URL")]
    pub source: Option<String>,
    /// How the sink was set up.
    #[command(flatten)]
    pub layout: LayoutArgs,
}

/// How the sink was set up, as typed.
#[derive(Debug, Args)]
pub struct LayoutArgs {
    /// The sink's topics.dir, may be empty [default: topics]
    #[arg(long, value_name = "DIR")]
    pub topics_dir: Option<String>,
    /// The sink's file.delim [default: +]
    #[arg(long, value_name = "TEXT")]
    pub file_delim: Option<String>,
}

/// What to know of S3, as typed.
#[derive(Debug, Args)]
#[command(next_help_heading = "S3")]
pub struct S3Args {
    /// Profile of the AWS configuration files
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Region of the bucket [default: found out]
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
    /// Server that speaks S3, such as MinIO
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Put the bucket in the path, not in the host name
    #[arg(long)]
    pub path_style: bool,
    /// Send no credentials, for public buckets
    #[arg(long)]
    pub no_sign_request: bool,
    /// Pay for the requests, for buckets that ask for it
    #[arg(long)]
    pub request_payer: bool,
}

/// `pinclean run`, as typed.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Where the objects lie.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Only topics that match; may be repeated
    #[arg(long, value_name = "GLOB", action = ArgAction::Append, help_heading = "Input")]
    pub topic: Vec<String>,
    /// Read everything again, not only what is new: the same as --mode overwrite
    #[arg(long, help_heading = "Input")]
    pub full: bool,
    /// Still list time folders that are older than the newest by this, such as 12h [default: 7d]
    #[arg(long, value_name = "TIME", help_heading = "Input")]
    pub lookback: Option<String>,
    /// Folder of transforms, in place of those built in
    #[arg(long, value_name = "DIR", help_heading = "Cleaning")]
    pub transforms: Option<String>,
    /// Exit with 3 if more records, or a greater share, are quarantined
    #[arg(long, value_name = "N|P%", help_heading = "Cleaning")]
    pub max_rejects: Option<String>,
    /// Folder, file:// or s3://bucket/prefix for the tables [default: ./clean]
    #[arg(long, value_name = "URL", help_heading = "Output")]
    pub out: Option<String>,
    /// Format of the tables: delta or parquet [default: delta]
    #[arg(long, value_name = "FORMAT", help_heading = "Output")]
    pub format: Option<String>,
    /// append, or overwrite: rebuild each table in one commit [default: append]
    #[arg(long, value_name = "MODE", help_heading = "Output")]
    pub mode: Option<String>,
    /// Then optimize each Delta table that has more than N small files
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub optimize_after: Option<String>,
    /// Write the run's report here too
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub report: Option<String>,
    /// Memory for records on their way, such as 512MiB or 2g [default: 256MiB]
    #[arg(long, value_name = "SIZE", help_heading = "Running")]
    pub memory: Option<String>,
    /// Most objects asked for at a time on S3, 1 to 4096; found out below that [default: 512]
    #[arg(long, value_name = "N", help_heading = "Running")]
    pub concurrency: Option<String>,
    /// Show progress: auto, always or never [default: auto]
    #[arg(long, value_name = "WHEN", help_heading = "Running")]
    pub progress: Option<String>,
    /// S3.
    #[command(flatten)]
    pub s3: S3Args,
}

/// `pinclean check`, as typed.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Folder of transforms [default: transforms of `run`, else those built in]
    #[arg(value_name = "DIR")]
    pub dir: Option<String>,
}

/// `pinclean init`, as typed.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The topic to sample
    #[arg(value_name = "TOPIC")]
    pub topic: String,
    /// Where the objects lie.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Objects to sample [default: 1000]
    #[arg(long, value_name = "N", help_heading = "Input")]
    pub sample: Option<String>,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<String>,
    /// Overwrite the file if it is there
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// S3.
    #[command(flatten)]
    pub s3: S3Args,
}

/// `pinclean emulate`, as typed.
#[derive(Debug, Args)]
pub struct EmulateArgs {
    /// Folder, file:// or s3://bucket/prefix to write
    #[arg(value_name = "OUT")]
    pub out: String,
    /// Records of each of the three topics [default: 10000]
    #[arg(long, value_name = "N", help_heading = "Records")]
    pub rows: Option<String>,
    /// First record: the slice after --rows N starts at N [default: 0]
    #[arg(long, value_name = "N", help_heading = "Records")]
    pub start_offset: Option<String>,
    /// Same seed, same bytes [default: 0]
    #[arg(long, value_name = "N", help_heading = "Records")]
    pub seed: Option<String>,
    /// Share of records that are malformed, such as 0.01 or 1% [default: 0]
    #[arg(long, value_name = "SHARE", help_heading = "Records")]
    pub bad_rate: Option<String>,
    /// What the topics' names start with [default: 5f1c0d9a77b3]
    #[arg(long, value_name = "NAME", help_heading = "Sink")]
    pub user: Option<String>,
    /// The sink's flush.size: records in an object [default: 1]
    #[arg(long, value_name = "N", help_heading = "Sink")]
    pub flush_size: Option<String>,
    /// Kafka partitions of each topic, 1 to 1000 [default: 1]
    #[arg(long, value_name = "N", help_heading = "Sink")]
    pub partitions: Option<String>,
    /// default, field, daily, hourly or time [default: default]
    #[arg(long, value_name = "NAME", help_heading = "Sink")]
    pub partitioner: Option<String>,
    /// Write .json.gz
    #[arg(long, help_heading = "Sink")]
    pub gzip: bool,
    /// How the sink was set up.
    #[command(flatten, next_help_heading = "Sink")]
    pub layout: LayoutArgs,
    /// Writes at a time, 1 to 4096 [default: 64]
    #[arg(long, value_name = "N", help_heading = "Running")]
    pub concurrency: Option<String>,
    /// S3.
    #[command(flatten)]
    pub s3: S3Args,
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
        })
    };
    command.get_arguments().filter_map(opt).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(command: &[&str]) -> String {
        let args = ["pinclean"].iter().chain(command).chain(&["--help"]);
        // As on a wide terminal, wherever the tests run.
        Cli::command().term_width(100).try_get_matches_from(args).unwrap_err().to_string()
    }

    #[test]
    fn clap_finds_no_fault_with_the_commands() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_tells_the_commands_and_the_layers() {
        insta::assert_snapshot!(help(&[]), @r"
        Turns the JSON that a Kafka S3 sink wrote into clean tables, and proves that nothing was lost

        Usage: pinclean [OPTIONS] <COMMAND>

        Commands:
          run       Clean what is new in a bucket or folder into tables
          check     Validate transforms and run their examples
          init      Write a first transforms file for a topic, from a sample of it
          emulate   Write a bucket of invented records, as the sink would
          optimize  Pack the small files of tables into larger ones
          vacuum    Delete files that tables no longer use
          replay    Clean the quarantined records again, after transforms were mended
          history   Show the runs of tables, and how far each partition is read
          help      Print this message or the help of the given subcommand(s)

        Options:
          -h, --help     Print help
          -V, --version  Print version

        Global:
              --config <FILE>  Settings file [default: pinclean.toml, if it is there]
              --log <FORM>     Form of the messages on standard error: text or json [default: text]
          -q, --quiet          Say nothing but errors
          -v, --verbose        Say more, for finding faults

        Every option is also an environment variable (--max-rejects is PINCLEAN_MAX_REJECTS) and a key of
        pinclean.toml (max_rejects). Flags win over variables, variables over the file.
        ");
    }

    #[test]
    fn help_of_a_command_ends_with_an_example() {
        insta::assert_snapshot!(help(&["check"]), @r"
        Validate transforms and run their examples

        Usage: pinclean check [OPTIONS] [DIR]

        Arguments:
          [DIR]  Folder of transforms [default: transforms of `run`, else those built in]

        Options:
          -h, --help  Print help

        Global:
              --config <FILE>  Settings file [default: pinclean.toml, if it is there]
              --log <FORM>     Form of the messages on standard error: text or json [default: text]
          -q, --quiet          Say nothing but errors
          -v, --verbose        Say more, for finding faults

        Example:
          pinclean check ./transforms
        ");
    }

    #[test]
    fn help_fits_a_screen() {
        for command in Cli::command().get_subcommands().map(clap::Command::get_name) {
            let help = help(&[command]);
            let (_, example) = help.split_once("\nExample:\n  ").unwrap();
            assert!(example.starts_with(&format!("pinclean {command} ")), "{example}");
            assert_eq!(example.trim().lines().count(), 1, "{example}");
            assert!(help.lines().count() <= 60, "{command}: {} lines", help.lines().count());
            for line in help.lines() {
                assert!(line.chars().count() <= 100, "{line:?}");
            }
        }
    }

    #[test]
    fn help_and_version_are_no_errors_but_a_wrong_flag_is() {
        for (arg, code) in [("--help", 0), ("--version", 0), ("--nonsense", 2), ("nonsense", 2)] {
            assert_eq!(parse(["pinclean", arg]).unwrap_err().exit_code(), code, "{arg}");
        }
        assert_eq!(parse(["pinclean"]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn global_options_may_stand_before_and_after_the_command() {
        for args in [["pinclean", "-q", "check"], ["pinclean", "check", "-q"]] {
            assert!(parse(args).unwrap().global.quiet);
        }
    }

    #[test]
    fn the_list_of_options_knows_their_kinds() {
        let kind = |name: &str| {
            options().into_iter().find(|o| o.name == name).map(|o| (o.command.is_none(), o.kind))
        };
        assert_eq!(kind("quiet"), Some((true, Kind::Switch)));
        assert_eq!(kind("memory"), Some((false, Kind::Value)));
        assert_eq!(kind("topic"), Some((false, Kind::List)));
        assert_eq!(kind("help"), None);
    }

    #[test]
    fn only_the_place_of_the_tables_has_a_flag_of_another_name() {
        let renamed = options().into_iter().filter(|o| o.flag != o.name);
        let renamed: Vec<_> = renamed.map(|o| (o.command.unwrap(), o.flag, o.name)).collect();
        let tables = |command: &str| (command.to_owned(), "tables".to_owned(), "out".to_owned());
        assert_eq!(renamed, ["optimize", "vacuum", "replay", "history"].map(tables));
    }
}
