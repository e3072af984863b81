//! `pinclean completions`: what teaches a shell the commands and options.

use crate::Result;
use crate::cli::{Shell, completions as script};

/// Prints a shell's completions.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write) if standard output takes no more.
pub fn completions(shell: Shell) -> Result<()> {
    super::print(&script(shell))
}
