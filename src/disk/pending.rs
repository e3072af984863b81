//! Which folders have names in them that are not yet on the disk.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::recording::{DiskEvent, record};
use super::{Durability, SyncFailed, sync_folder};

/// Folders that are synced at once.
const SYNCED_AT_ONCE: usize = 8;

/// The syncs that a process still owes to one place. A folder with many new files is
/// synced once, when something counts on them.
#[derive(Debug)]
pub struct PendingSyncs {
    durability: Durability,
    folders: Mutex<Folders>,
    /// Held while folders are synced: who finds nothing to sync may go on only once
    /// those that another thread took are synced.
    syncing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Folders {
    /// Those whose own name is known to be on the disk.
    durable: HashSet<PathBuf>,
    /// Those that were made, or found empty, and whose parent is not synced yet.
    fresh: HashSet<PathBuf>,
    /// Those in which files got names.
    changed: BTreeSet<PathBuf>,
    /// Those in which files lost their names. Nothing counts on that before the end.
    thinned: BTreeSet<PathBuf>,
    /// The first file or folder whose sync failed.
    failed: Option<PathBuf>,
}

impl PendingSyncs {
    /// Nothing is owed yet.
    pub fn new(durability: Durability) -> PendingSyncs {
        PendingSyncs { durability, folders: Mutex::default(), syncing: Mutex::default() }
    }

    /// Whether files and folders are synced.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// Makes a folder and those above it. Before anything is put into a folder its
    /// own name is on the disk; so the name of a folder that is not empty is.
    ///
    /// # Errors
    /// What the system says, and [`SyncFailed`].
    pub fn make_folder(&self, folder: &Path) -> io::Result<()> {
        if !self.durability.syncs() {
            return create_folders(folder);
        }
        if self.folders().durable.contains(folder) {
            return Ok(());
        }
        match is_empty(folder) {
            Ok(false) => {
                self.folders().durable.insert(folder.to_owned());
                return Ok(());
            }
            // A process may have died after it made the folder.
            Ok(true) => {}
            Err(e) if e.kind() == ErrorKind::NotFound => {
                folder.parent().map_or(Ok(()), |parent| self.make_folder(parent))?;
                create_folder(folder)?;
            }
            Err(e) => return Err(e),
        }
        self.folders().fresh.insert(folder.to_owned());
        self.sync_name_of(folder)
    }

    /// Forgets which folders are there: one of them was removed.
    pub fn forget_folders(&self) {
        self.folders().durable.clear();
    }

    /// Notes that a file got its name in a folder.
    pub fn note_name(&self, path: &Path) {
        if let (true, Some(folder)) = (self.durability.syncs(), path.parent()) {
            self.folders().changed.insert(folder.to_owned());
        }
    }

    /// Notes that a file lost its name in a folder.
    pub fn note_removal(&self, path: &Path) {
        if let (true, Some(folder)) = (self.durability.syncs(), path.parent()) {
            self.folders().thinned.insert(folder.to_owned());
        }
    }

    /// Waits until all names that files got are on the disk.
    ///
    /// # Errors
    /// [`SyncFailed`], also for a sync that failed before.
    pub fn settle(&self) -> io::Result<()> {
        self.sync_those(|folders| std::mem::take(&mut folders.changed))
    }

    /// As [`settle`](Self::settle), and until the names that files lost are gone there.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub fn finish(&self) -> io::Result<()> {
        self.sync_those(|folders| {
            let mut all = std::mem::take(&mut folders.changed);
            all.append(&mut folders.thinned);
            all
        })
    }

    /// Waits until the names in the folder of a file are on the disk.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub fn sync_folder_of(&self, path: &Path) -> io::Result<()> {
        self.sync_those(|_| path.parent().map(Path::to_owned).into_iter().collect())
    }

    /// Passes a result on. If it is a sync that failed, nothing is synced any more:
    /// whatever would count on that file is refused.
    ///
    /// # Errors
    /// That of the result.
    pub fn heed<T>(&self, result: io::Result<T>, path: &Path) -> io::Result<T> {
        result.inspect_err(|error| {
            if SyncFailed::is_cause_of(error) {
                self.folders().failed.get_or_insert_with(|| path.to_owned());
            }
        })
    }

    fn sync_those(&self, take: impl FnOnce(&mut Folders) -> BTreeSet<PathBuf>) -> io::Result<()> {
        if !self.durability.syncs() {
            return Ok(());
        }
        let _syncing = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        self.check()?;
        let folders = Vec::from_iter(take(&mut self.folders()));
        let share = folders.len().div_ceil(SYNCED_AT_ONCE).max(1);
        match &folders[..] {
            few if few.len() <= 1 => few.iter().try_for_each(|folder| self.sync(folder)),
            // Each waits for the disk, and file systems answer several at once.
            many => thread::scope(|scope| {
                let sync = |part| move || <[PathBuf]>::iter(part).try_for_each(|f| self.sync(f));
                let threads: Vec<_> = many
                    .chunks(share)
                    .map(|part| thread::Builder::new().spawn_scoped(scope, sync(part)))
                    .collect();
                let panicked = || io::Error::other("a thread panicked");
                let mut results =
                    threads.into_iter().map(|t| t?.join().unwrap_or_else(|_| Err(panicked())));
                // All of them are waited for.
                results.by_ref().fold(Ok(()), Result::and)
            }),
        }
    }

    /// Syncs the parent of a folder that was made. What was made beside it before the
    /// sync began needs none of its own.
    fn sync_name_of(&self, folder: &Path) -> io::Result<()> {
        let _syncing = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        self.check()?;
        let Some(parent) = folder.parent() else { return Ok(()) };
        if self.folders().durable.contains(folder) {
            return Ok(());
        }
        let beside = |made: &&PathBuf| made.parent() == Some(parent);
        let made: Vec<PathBuf> = self.folders().fresh.iter().filter(beside).cloned().collect();
        self.sync(parent)?;
        let mut folders = self.folders();
        folders.fresh.retain(|fresh| !made.contains(fresh));
        folders.durable.extend(made);
        Ok(())
    }

    fn sync(&self, folder: &Path) -> io::Result<()> {
        // What comes to the folder from now on is noted anew.
        let mut folders = self.folders();
        folders.changed.remove(folder);
        folders.thinned.remove(folder);
        drop(folders);
        self.heed(sync_folder(folder), folder)
    }

    fn check(&self) -> io::Result<()> {
        match &self.folders().failed {
            None => Ok(()),
            Some(path) => Err(SyncFailed::error(path, io::Error::other("its sync failed before"))),
        }
    }

    fn folders(&self) -> MutexGuard<'_, Folders> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there is nothing in a folder. One that may not be listed counts as in use.
fn is_empty(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(e) if e.kind() == ErrorKind::PermissionDenied => Ok(false),
        Err(e) => Err(e),
    }
}

fn create_folders(folder: &Path) -> io::Result<()> {
    match (create_folder(folder), folder.parent()) {
        (Err(e), Some(parent)) if e.kind() == ErrorKind::NotFound => {
            create_folders(parent)?;
            create_folder(folder)
        }
        (created, _) => created,
    }
}

fn create_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => {
            record(&DiskEvent::MakeFolder { path: folder });
            Ok(())
        }
        // Another thread or process was faster.
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}
