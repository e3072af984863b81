//! `pinclean ask`, as typed.

use clap::Args;

use super::words::Words;
use super::{S3Args, SnapshotArgs};

pub(super) const EXAMPLE: &str = "\
Each option is also PINCLEAN_<OPTION> in the environment and a key of pinclean.toml; but --tables \
is the --out of `run`: PINCLEAN_OUT and the key out. And --format and --save, which mean something \
else elsewhere, are PINCLEAN_ASK_FORMAT and PINCLEAN_ASK_SAVE, and keys of [ask].

Example:
  pinclean ask top-category-by-country --set ties=one --tables s3://lake/clean";

/// `pinclean ask`, as typed.
#[derive(Debug, Args)]
pub struct AskArgs {
    /// Questions to answer; without any, they are listed
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Answer all questions
    #[arg(long, help_heading = "Questions")]
    pub all: bool,
    /// Value of a parameter, such as ties=one; repeatable
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Questions")]
    pub set: Vec<String>,
    /// Folder of questions, in place of those built in
    #[arg(long, value_name = "DIR", help_heading = "Questions")]
    pub questions: Option<String>,
    /// Which version of the tables.
    #[command(flatten)]
    pub snapshot: SnapshotArgs,
    /// table, csv, json, ndjson, markdown, and with --save parquet [default: table, saved: csv]
    #[arg(long, value_name = "FORMAT", value_parser = Words(&["table", "csv", "json", "ndjson", "markdown", "parquet"]), hide_possible_values = true, help_heading = "Output")]
    pub format: Option<String>,
    /// Save a file of each answer in this folder, file:// or s3://bucket/prefix
    #[arg(long, value_name = "URL", help_heading = "Output")]
    pub save: Option<String>,
    /// Do not sync files to the disk: faster, but a power cut may break a saved answer
    #[arg(long, help_heading = "Output")]
    pub no_fsync: bool,
    /// S3.
    #[command(flatten)]
    pub s3: S3Args,
}
