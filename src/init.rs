//! A first transforms file for a topic, from a sample of its objects.
//!
//! It is meant to be read and mended by a person: each column says above it
//! what was seen, and what is only a guess is commented out. What is active
//! parses, and its example holds.

mod draft;
mod field;
mod guess;
mod names;
mod placeholder;
mod quote;
mod records;
mod sample;
mod seen;
#[cfg(test)]
mod tests;
mod values;

use std::io::Write;
use std::path::Path;

pub use draft::{Draft, draft};
pub use sample::{Sample, Sampling, sample};

use crate::{Error, Result};

/// Writes a drafted file, and makes its folder; a file that is there is only
/// overwritten if it may be.
///
/// # Errors
/// [`Error::File`] if the file is there, [`Error::Write`] if it cannot be written.
pub fn save(text: &str, path: &Path, overwrite: bool) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    match overwrite {
        true => options.write(true).create(true).truncate(true),
        false => options.write(true).create_new(true),
    };
    let not_written =
        |e: std::io::Error| Error::Write { place: path.display().to_string(), source: e.into() };
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).map_err(not_written)?;
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => Error::File {
            path: path.to_owned(),
            problem: "the file is there already: name another, or overwrite it with --force".into(),
        },
        _ => not_written(source),
    })
}
