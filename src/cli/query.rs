//! `pinclean query`, as typed.

use clap::Args;

use super::words::Words;
use super::{S3Args, SnapshotArgs};

pub(super) const EXAMPLE: &str = "\
The tables are pin, geo, user and any other; quarantine_pin is what was rejected of pin. SHOW TABLES \
lists them, DESCRIBE pin its columns. Times are UTC.

Each option is also PINCLEAN_<OPTION> in the environment and a key of pinclean.toml; but --tables \
is the --out of `run`: PINCLEAN_OUT and the key out. And --format and --save, which mean something \
else elsewhere, are PINCLEAN_QUERY_FORMAT and PINCLEAN_QUERY_SAVE, and keys of [query].

Example:
  pinclean query \"SELECT category, COUNT(*) AS posts FROM pin GROUP BY category\"";

/// `pinclean query`, as typed.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// One SELECT in the SQL of Polars [default: what is piped in]
    #[arg(value_name = "SQL")]
    pub sql: Option<String>,
    /// Read the SQL from a file; - is standard input
    #[arg(long, short, value_name = "FILE", help_heading = "Question")]
    pub file: Option<String>,
    /// Which version of the tables.
    #[command(flatten)]
    pub snapshot: SnapshotArgs,
    /// table, csv, json, ndjson, markdown, and with --save parquet [default: table]
    #[arg(long, value_name = "FORMAT", value_parser = Words(&["table", "csv", "json", "ndjson", "markdown", "parquet"]), hide_possible_values = true, help_heading = "Output")]
    pub format: Option<String>,
    /// Write the answer to a file; its ending says the format, unless --format does
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub save: Option<String>,
    /// Do not sync files to the disk: faster, but a power cut may break a saved answer
    #[arg(long, help_heading = "Output")]
    pub no_fsync: bool,
    /// S3.
    #[command(flatten)]
    pub s3: S3Args,
}
