//! Local disks: what is written is still there after a power cut.
//!
//! Bytes that are written are only in memory until their file is synced, and the
//! name of a file is only in memory until its folder is. So whatever must survive
//! is synced in the order in which it is relied on:
//!
//! - a folder is synced into its parent before anything is put into it;
//! - a file is synced before it gets its name;
//! - a folder is synced before anything counts on the names in it.
//!
//! After a sync that failed nobody knows what is on the disk: the kernel may have
//! dropped the pages and report the next sync as a success. So no sync is tried
//! again, and the file is never used.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

mod pending;
pub mod recording;
mod staged;

pub use pending::PendingSyncs;
pub use staged::{StagedFile, link, remove, rename};

use recording::{DiskEvent, record};

/// Whether what is written has to survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Files and folders are synced.
    Synced,
    /// Nothing is synced: `--no-fsync`.
    Unsynced,
}

impl Durability {
    /// Whether files and folders are synced.
    pub fn syncs(self) -> bool {
        self == Durability::Synced
    }
}

/// A file or folder that could not be synced: what became of it is not known.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} could not be synced, and what was written may not be on the disk: check the disk, then run again",
    path.display()
)]
pub struct SyncFailed {
    /// The file or folder.
    path: PathBuf,
    /// What the system said.
    source: io::Error,
}

impl SyncFailed {
    fn error(path: &Path, source: io::Error) -> io::Error {
        io::Error::new(source.kind(), SyncFailed { path: path.to_owned(), source })
    }

    /// Whether this is why an operation failed.
    pub fn is_cause_of(error: &(dyn std::error::Error + 'static)) -> bool {
        let mut next = Some(error);
        while let Some(error) = next {
            // Asked for its source, an `io::Error` passes over what it wraps.
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            if error.is::<SyncFailed>() || inner.is_some_and(|inner| inner.is::<SyncFailed>()) {
                return true;
            }
            next = error.source();
        }
        false
    }
}

/// Waits until the bytes of a file are on the disk.
///
/// # Errors
/// [`SyncFailed`]: the file must not be used.
pub fn sync_file(file: &File, path: &Path) -> io::Result<()> {
    sync(file, path).map_err(|e| SyncFailed::error(path, e))
}

/// Waits until the names in a folder are on the disk.
///
/// # Errors
/// [`SyncFailed`], but not where a folder cannot be synced on its own: some network
/// file systems refuse it, and a folder may be writable and not readable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    let synced = File::open(folder).and_then(|opened| sync(&opened, folder));
    match synced {
        Err(e) if is_unable(&e) => {
            tracing::debug!("{} cannot be synced: {e}", folder.display());
            Ok(())
        }
        synced => synced.map_err(|e| SyncFailed::error(folder, e)),
    }
}

fn sync(file: &File, path: &Path) -> io::Result<()> {
    record(&DiskEvent::Sync { path });
    recording::fail_sync()?;
    // On macOS the library asks for F_FULLFSYNC: fsync alone would leave the bytes
    // in the drive's cache.
    file.sync_all()?;
    record(&DiskEvent::Synced { path });
    Ok(())
}

/// Whether an error says that the operation is not offered, and not that it failed.
fn is_unable(error: &io::Error) -> bool {
    let unable = [Errno::INVAL, Errno::BADF, Errno::NOTSUP, Errno::NOSYS, Errno::ACCESS];
    error.raw_os_error().is_some_and(|code| unable.iter().any(|e| e.raw_os_error() == code))
}

#[cfg(test)]
mod tests;
