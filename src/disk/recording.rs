//! What a process does to the disk, recorded, and syncs that fail on request.
//!
//! In builds with debug assertions two variables are read. `PINCLEAN_DISK_RECORD=FILE`
//! appends each operation to a file, one JSON object a line: a test replays them to
//! each point where the power may go. `PINCLEAN_SYNC_FAILS=3` lets the third sync fail
//! with an I/O error.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::io::Errno;
use serde::Serialize;

/// The variables, in builds that read them.
pub const VARIABLES: &[&str] = if cfg!(debug_assertions) { &[RECORD, FAIL] } else { &[] };

const RECORD: &str = "PINCLEAN_DISK_RECORD";
const FAIL: &str = "PINCLEAN_SYNC_FAILS";

/// An operation on the disk. Each is recorded once it is done, so that of two of
/// which one follows from the other the first is recorded first.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum DiskEvent<'a> {
    /// A new, empty file.
    Create { path: &'a Path },
    /// Bytes at a place of a file.
    Write { path: &'a Path, offset: u64, bytes: &'a [u8] },
    /// A sync that begins: it covers what was recorded before.
    Sync { path: &'a Path },
    /// The sync of this path has ended well.
    Synced { path: &'a Path },
    /// A file with another name, in the place of one that had it.
    Rename { from: &'a Path, to: &'a Path },
    /// A file with a second name.
    Link { from: &'a Path, to: &'a Path },
    /// A file that lost a name.
    Remove { path: &'a Path },
    /// A new folder.
    MakeFolder { path: &'a Path },
}

/// Appends an operation to the record, if there is one.
pub(super) fn record(event: &DiskEvent<'_>) {
    static FILE: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    if !cfg!(debug_assertions) {
        return;
    }
    let open = || {
        let path = std::env::var_os(RECORD)?;
        OpenOptions::new().create(true).append(true).open(path).ok().map(Mutex::new)
    };
    let Some(file) = FILE.get_or_init(open) else { return };
    let Ok(mut line) = serde_json::to_vec(event) else { return };
    line.push(b'\n');
    // A record that lacks a line fails the test that reads it.
    _ = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line);
}

/// Fails if the sync that is about to begin is the one that is to fail.
pub(super) fn fail_sync() -> io::Result<()> {
    static LEFT: OnceLock<Option<AtomicU64>> = OnceLock::new();
    if !cfg!(debug_assertions) {
        return Ok(());
    }
    let read = || std::env::var(FAIL).ok()?.parse().ok().map(AtomicU64::new);
    match LEFT.get_or_init(read) {
        Some(left) if left.fetch_sub(1, Relaxed) == 1 => Err(Errno::IO.into()),
        _ => Ok(()),
    }
}
