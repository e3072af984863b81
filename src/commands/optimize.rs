//! `pinclean optimize`: small files, packed into larger ones.

use crate::settings::{Optimize, Ui};
use crate::{Error, Result};

/// Packs the small files of tables into larger ones, in commits that change no data.
///
/// # Errors
/// [`Error::Usage`]: it is not there yet.
pub fn optimize(_settings: &Optimize, _ui: &Ui) -> Result<()> {
    Err(Error::Usage("optimize is not there yet".to_owned()))
}
