//! `pinclean check`: do the transforms parse, and do their examples hold?

use crate::settings::{Check, Ui};
use crate::{Result, check as examples, spec};

/// Reads the transforms and runs their examples.
///
/// # Errors
/// [`Error::Spec`](crate::Error::Spec) with every problem at once, and
/// [`Error::File`](crate::Error::File) if the files cannot be read.
pub fn check(settings: &Check, ui: &Ui) -> Result<()> {
    let specs = spec::load(settings.transforms.as_deref())?;
    let passed = examples::check(&specs)?;
    for table in passed.iter().filter(|table| table.examples == 0) {
        tracing::warn!("{}: there is no [[example]] of what it does", table.file);
    }
    if ui.quiet {
        return Ok(());
    }
    let lines: Vec<_> = passed.iter().map(|table| format!("{table}\n")).collect();
    super::print(&lines.concat())
}
