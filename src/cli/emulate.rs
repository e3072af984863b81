//! `pinclean emulate`, as typed.

use clap::Args;

use super::words::Words;
use super::{LayoutArgs, S3Args};

pub(super) const EXAMPLE: &str = "\
Each option is also PINCLEAN_<OPTION> in the environment and a key of pinclean.toml.

Example:
  pinclean emulate ./bucket --rows 15000 --partitions 3 --bad-rate 0.1%";

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
    #[arg(long, value_name = "NAME", value_parser = Words(&["default", "field", "daily", "hourly", "time"]), hide_possible_values = true, help_heading = "Sink")]
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
