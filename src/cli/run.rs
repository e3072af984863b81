//! `pinclean run`, as typed.

use clap::{ArgAction, Args};

use super::words::Words;
use super::{S3Args, SourceArgs};

pub(super) const EXAMPLE: &str = "\
Each option is also PINCLEAN_<OPTION> in the environment and a key of pinclean.toml.

Example:
  pinclean run --bucket my-bucket --out ./clean --max-rejects 1%";

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
    /// Exit with 3 if more than N records or P% are quarantined; without 100% also if a table gets none of its records
    #[arg(long, value_name = "N|P%", help_heading = "Cleaning")]
    pub max_rejects: Option<String>,
    /// Folder, file:// or s3://bucket/prefix for the tables [default: ./clean]
    #[arg(long, value_name = "URL", help_heading = "Output")]
    pub out: Option<String>,
    /// Format of the tables: delta or parquet [default: delta]
    #[arg(long, value_name = "FORMAT", value_parser = Words(&["delta", "parquet"]), hide_possible_values = true, help_heading = "Output")]
    pub format: Option<String>,
    /// append, or overwrite: rebuild each table in one commit [default: append]
    #[arg(long, value_name = "MODE", value_parser = Words(&["append", "overwrite"]), hide_possible_values = true, help_heading = "Output")]
    pub mode: Option<String>,
    /// Then optimize each Delta table that has more than N small files
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub optimize_after: Option<String>,
    /// Write the run's report here too
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub report: Option<String>,
    /// Write metrics here when the run ends, however it does: Prometheus text, such as x.prom
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub metrics: Option<String>,
    /// Do not sync files to the disk: faster, but a power cut may break the tables
    #[arg(long, help_heading = "Running")]
    pub no_fsync: bool,
    /// Memory for records on their way, such as 512MiB or 2g [default: 256MiB]
    #[arg(long, value_name = "SIZE", help_heading = "Running")]
    pub memory: Option<String>,
    /// Most objects asked for at a time on S3, 1 to 4096; found out below that [default: 512]
    #[arg(long, value_name = "N", help_heading = "Running")]
    pub concurrency: Option<String>,
    /// Show progress: auto, always or never [default: auto]
    #[arg(long, value_name = "WHEN", value_parser = Words(&["auto", "always", "never"]), hide_possible_values = true, help_heading = "Running")]
    pub progress: Option<String>,
    /// S3.
    #[command(flatten)]
    pub s3: S3Args,
}
