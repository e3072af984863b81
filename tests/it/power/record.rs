//! What a process did to the disk.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// An operation, as the program records it.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Create { path: PathBuf },
    Write { path: PathBuf, offset: usize, bytes: Vec<u8> },
    Sync { path: PathBuf },
    Synced { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
    Link { from: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
    MakeFolder { path: PathBuf },
}

/// The events of a record, in order; none if the process wrote nothing.
pub fn read(file: &Path) -> Vec<Event> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
