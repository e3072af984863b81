//! A file that is written under a name that nobody looks for.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::recording::{DiskEvent, record};
use super::{Durability, sync_file};

/// A new file. Once it is whole and synced it gets its name by [`rename_to`](Self::rename_to)
/// or [`link_to`](Self::link_to).
#[derive(Debug)]
pub struct StagedFile {
    file: File,
    path: PathBuf,
    durability: Durability,
}

impl StagedFile {
    /// Makes a new, empty file.
    ///
    /// # Errors
    /// What the system says; `AlreadyExists` if the path is taken.
    pub fn create(path: PathBuf, durability: Durability) -> io::Result<StagedFile> {
        let file = File::create_new(&path)?;
        record(&DiskEvent::Create { path: &path });
        Ok(StagedFile { file, path, durability })
    }

    /// Writes bytes at a place of the file. Several threads may do so at once.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)?;
        record(&DiskEvent::Write { path: &self.path, offset, bytes });
        Ok(())
    }

    /// Starts to move bytes that were written to the disk, so that the sync at the
    /// end does not have to wait for all of a large file. It is no sync.
    pub fn begin_write_back(&self, offset: u64, bytes: u64) {
        if self.durability.syncs() {
            begin_write_back(&self.file, offset, bytes);
        }
    }

    /// Waits until all bytes are on the disk, unless nothing is synced. Nothing may
    /// be written afterwards: closing the file then has no error left to report.
    ///
    /// # Errors
    /// [`SyncFailed`](super::SyncFailed): the file must be removed, and not be synced again.
    pub fn sync(&self) -> io::Result<()> {
        match self.durability {
            Durability::Synced => sync_file(&self.file, &self.path),
            Durability::Unsynced => Ok(()),
        }
    }

    /// Gives the file its name, in the place of a file that has it.
    ///
    /// # Errors
    /// What the system says; the staged file is removed.
    pub fn rename_to(self, path: &Path) -> io::Result<()> {
        let StagedFile { file, path: staged, .. } = self;
        // Some file systems in user space send the bytes only when a file is closed.
        drop(file);
        rename(&staged, path).inspect_err(|_| _ = remove(&staged))
    }

    /// Gives the file a second name, if no file has it.
    ///
    /// # Errors
    /// What the system says; `AlreadyExists` if the name is taken.
    pub fn link_to(&self, path: &Path) -> io::Result<()> {
        link(&self.path, path)
    }

    /// Removes the name that the file was staged under.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self) -> io::Result<()> {
        remove(&self.path)
    }
}

/// Renames a file, in the place of a file that has the name.
///
/// # Errors
/// What the system says.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    record(&DiskEvent::Rename { from, to });
    Ok(())
}

/// Gives a file another name, if no file has it.
///
/// # Errors
/// What the system says; `AlreadyExists` if the name is taken.
pub fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)?;
    record(&DiskEvent::Link { from, to });
    Ok(())
}

/// Removes a file.
///
/// # Errors
/// What the system says.
pub fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    record(&DiskEvent::Remove { path });
    Ok(())
}

/// Asks the kernel to drop pages from its cache. Pages that are not on the disk yet
/// cannot be dropped: instead their write-back begins. An error only means that the
/// sync takes longer.
#[cfg(target_os = "linux")]
fn begin_write_back(file: &File, offset: u64, bytes: u64) {
    use rustix::fs::{Advice, fadvise};
    _ = fadvise(file, offset, std::num::NonZeroU64::new(bytes), Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
fn begin_write_back(_: &File, _: u64, _: u64) {}
