//! `pinclean vacuum`: files that no table uses any more, deleted.

use crate::settings::{Ui, Vacuum};
use crate::{Error, Result};

/// Deletes the files that tables have not used for as long as is asked for.
///
/// # Errors
/// [`Error::Usage`]: it is not there yet.
pub fn vacuum(_settings: &Vacuum, _ui: &Ui) -> Result<()> {
    Err(Error::Usage("vacuum is not there yet".to_owned()))
}
