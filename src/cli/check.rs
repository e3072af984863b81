//! `pinclean check`, as typed.

use clap::Args;

pub(super) const EXAMPLE: &str = "\
Example:
  pinclean check ./transforms";

/// `pinclean check`, as typed.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Folder of transforms [default: transforms of `run`, else those built in]
    #[arg(value_name = "DIR")]
    pub dir: Option<String>,
}
