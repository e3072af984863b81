//! `pinclean init`, as typed.

use clap::Args;

use super::{S3Args, SourceArgs};

pub(super) const EXAMPLE: &str = "\
Each option is also PINCLEAN_<OPTION> in the environment and a key of pinclean.toml; but --out, \
which `run` has too, is PINCLEAN_INIT_OUT and a key of [init].

Example:
  pinclean init shop.orders --bucket my-bucket --out transforms/orders.toml";

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
