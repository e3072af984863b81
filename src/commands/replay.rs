//! `pinclean replay`: quarantined records, cleaned again.

use crate::settings::{Replay, Ui};
use crate::{Error, Result};

/// Takes quarantined records through cleaning again and lands those that pass.
///
/// # Errors
/// [`Error::Usage`]: it is not there yet.
pub fn replay(_settings: &Replay, _ui: &Ui) -> Result<()> {
    Err(Error::Usage("replay is not there yet".to_owned()))
}
