//! The commands that work on finished tables, as typed.

use clap::Args;

use super::S3Args;

pub(super) const OPTIMIZE_EXAMPLE: &str = "\
Each option is also PINCLEAN_<OPTION> in the environment and a key of pinclean.toml; but --tables \
is the --out of `run`: PINCLEAN_OUT and the key out.

Example:
  pinclean optimize pin --tables s3://lake/clean --sort unique_id";

pub(super) const VACUUM_EXAMPLE: &str = "\
Each option is also PINCLEAN_<OPTION> in the environment and a key of pinclean.toml; but --tables \
is the --out of `run`: PINCLEAN_OUT and the key out. And --force, which `init` has too, is \
PINCLEAN_VACUUM_FORCE and a key of [vacuum].

Example:
  pinclean vacuum --tables s3://lake/clean --retain 30d --dry-run";

pub(super) const REPLAY_EXAMPLE: &str = "\
Each option is also PINCLEAN_<OPTION> in the environment and a key of pinclean.toml; but --tables \
is the --out of `run`: PINCLEAN_OUT and the key out.

Example:
  pinclean replay pin --tables s3://lake/clean --transforms ./transforms";

pub(super) const HISTORY_EXAMPLE: &str = "\
Each option is also PINCLEAN_<OPTION> in the environment and a key of pinclean.toml; but --tables \
is the --out of `run`: PINCLEAN_OUT and the key out.

Example:
  pinclean history pin --tables s3://lake/clean --limit 5";

/// Where finished tables are, as typed.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// Folder, file:// or s3://bucket/prefix of the tables [default: ./clean]
    // `run` calls the same place --out, and so do the variable and the key.
    #[arg(long = "tables", alias = "out", value_name = "URL", help_heading = "Tables")]
    pub out: Option<String>,
}

/// Finished tables, as typed.
#[derive(Debug, Args)]
pub struct TablesArgs {
    /// Tables to work on [default: all that are there]
    #[arg(value_name = "TABLE")]
    pub names: Vec<String>,
    /// Where they are.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Finished tables, at one version each, as typed.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// Where they are.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Ask the tables as they were: a version, or a time such as 2026-11-20T10:00:00Z
    #[arg(long, value_name = "VERSION|TIME", help_heading = "Tables")]
    pub as_of: Option<String>,
}

/// `pinclean optimize`, as typed.
#[derive(Debug, Args)]
pub struct OptimizeArgs {
    /// Which tables.
    #[command(flatten)]
    pub tables: TablesArgs,
    /// Size of the files to make, from 1MiB [default: 128MiB]
    #[arg(long, value_name = "SIZE", help_heading = "Files")]
    pub target_size: Option<String>,
    /// Sort the rows that are packed together by this column
    #[arg(long, value_name = "COLUMN", help_heading = "Files")]
    pub sort: Option<String>,
    /// Do not sync files to the disk: faster, but a power cut may break the tables
    #[arg(long, help_heading = "Running")]
    pub no_fsync: bool,
    /// Memory for rows on their way, such as 512MiB or 2g [default: 256MiB]
    #[arg(long, value_name = "SIZE", help_heading = "Running")]
    pub memory: Option<String>,
    /// S3.
    #[command(flatten)]
    pub s3: S3Args,
}

/// `pinclean vacuum`, as typed.
#[derive(Debug, Args)]
pub struct VacuumArgs {
    /// Which tables.
    #[command(flatten)]
    pub tables: TablesArgs,
    /// Keep files that were in use so long ago, such as 30d or 12h [default: 7d]
    #[arg(long, value_name = "SPAN", help_heading = "Files")]
    pub retain: Option<String>,
    /// Say what would be deleted, and delete nothing
    #[arg(long, help_heading = "Files")]
    pub dry_run: bool,
    /// Allow --retain below 7d; files of a job that is running may be deleted
    #[arg(long, help_heading = "Files")]
    pub force: bool,
    /// Do not sync files to the disk: faster, but a power cut may break the tables
    #[arg(long, help_heading = "Running")]
    pub no_fsync: bool,
    /// S3.
    #[command(flatten)]
    pub s3: S3Args,
}

/// `pinclean replay`, as typed.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Which tables.
    #[command(flatten)]
    pub tables: TablesArgs,
    /// Folder of transforms, in place of those built in
    #[arg(long, value_name = "DIR", help_heading = "Cleaning")]
    pub transforms: Option<String>,
    /// Write the replay's report here too
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub report: Option<String>,
    /// Do not sync files to the disk: faster, but a power cut may break the tables
    #[arg(long, help_heading = "Running")]
    pub no_fsync: bool,
    /// Memory for records on their way, such as 512MiB or 2g [default: 256MiB]
    #[arg(long, value_name = "SIZE", help_heading = "Running")]
    pub memory: Option<String>,
    /// S3.
    #[command(flatten)]
    pub s3: S3Args,
}

/// `pinclean history`, as typed.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Which tables.
    #[command(flatten)]
    pub tables: TablesArgs,
    /// Show so many runs of each table, the latest first [default: 20]
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub limit: Option<String>,
    /// Print JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// S3.
    #[command(flatten)]
    pub s3: S3Args,
}
