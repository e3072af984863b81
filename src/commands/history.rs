//! `pinclean history`: the runs of tables.

use crate::settings::{History, Ui};
use crate::{Error, Result};

/// Prints the runs of tables, with their counts, versions and watermarks.
///
/// # Errors
/// [`Error::Usage`]: it is not there yet.
pub fn history(_settings: &History, _ui: &Ui) -> Result<()> {
    Err(Error::Usage("history is not there yet".to_owned()))
}
