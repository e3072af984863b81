//! `pinclean man`: the manual.

use std::path::Path;

use crate::cli::{manual, manuals};
use crate::disk::Durability;
use crate::settings::{Man, Ui};
use crate::{Error, Result, whole_file};

/// Prints the first page, or writes all of them into a folder, which is made
/// if need be.
///
/// # Errors
/// [`Error::Write`] if the folder or standard output takes no more.
pub fn man(settings: &Man, ui: &Ui) -> Result<()> {
    let Some(folder) = &settings.save else { return super::print(&manual().text) };
    std::fs::create_dir_all(folder).map_err(|e| denied(folder, e))?;
    let pages = manuals();
    for page in &pages {
        let path = folder.join(&page.file);
        whole_file::write(&path, page.text.as_bytes(), Durability::Synced)
            .map_err(|e| denied(&path, e))?;
    }
    if ui.quiet {
        return Ok(());
    }
    super::print(&format!("{} pages: {}\n", pages.len(), folder.display()))
}

fn denied(path: &Path, e: std::io::Error) -> Error {
    Error::Write { place: path.display().to_string(), source: e.into() }
}
