//! How a file is written, and what is synced when.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use object_store::{Extensions, PutPayload};

use super::BeforeCommit;
use crate::disk::{self, PendingSyncs, StagedFile};

/// What a file is, once it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Some of what a commit will count on.
    BeforeCommit,
    /// A commit: it counts on all that was put before it, and its name is free or taken.
    Commit,
    /// Whole by itself, such as a report or a checkpoint.
    Alone,
}

impl Ending {
    /// Of a put that may overwrite.
    pub(super) fn of(extensions: &Extensions) -> Ending {
        match extensions.get::<BeforeCommit>() {
            Some(BeforeCommit) => Ending::BeforeCommit,
            None => Ending::Alone,
        }
    }
}

/// Writes a file.
///
/// # Errors
/// What the system says; [`disk::SyncFailed`]; `AlreadyExists` if a commit is taken. No
/// staged file is left.
pub(super) fn put(
    pending: &PendingSyncs,
    path: &Path,
    payload: &PutPayload,
    ending: Ending,
) -> io::Result<()> {
    let staged = stage(pending, path)?;
    let mut offset = 0;
    let written = payload.iter().try_for_each(|bytes| {
        staged.write_at(offset, bytes)?;
        offset += bytes.len() as u64;
        Ok(())
    });
    match written {
        Ok(()) => complete(pending, staged, path, ending),
        Err(error) => {
            _ = staged.remove();
            Err(error)
        }
    }
}

/// Makes a file under a name that no listing shows, in a folder that is there.
///
/// # Errors
/// What the system says, and [`disk::SyncFailed`].
pub(super) fn stage(pending: &PendingSyncs, path: &Path) -> io::Result<StagedFile> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    // Folders are there more often than not: without syncs nothing has to be known of them.
    if pending.durability().syncs() {
        pending.make_folder(folder)?;
    }
    let (mut number, mut missed) = (1, false);
    loop {
        match StagedFile::create(staged_path(path, number), pending.durability()) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => number += 1,
            // It was never made, or somebody removed it since this process used it.
            Err(e) if e.kind() == ErrorKind::NotFound && !missed => {
                missed = true;
                pending.forget_folders();
                pending.make_folder(folder)?;
            }
            created => return created,
        }
    }
}

/// Gives a staged file that is whole its name.
///
/// # Errors
/// As [`put`].
pub(super) fn complete(
    pending: &PendingSyncs,
    staged: StagedFile,
    path: &Path,
    ending: Ending,
) -> io::Result<()> {
    // What a commit counts on comes first, so that it is never there without it.
    let ready = match ending {
        Ending::Commit => pending.settle(),
        Ending::BeforeCommit | Ending::Alone => Ok(()),
    };
    let synced = ready.and_then(|()| pending.heed(staged.sync(), path));
    if let Err(error) = synced {
        _ = staged.remove();
        return Err(error);
    }
    match ending {
        Ending::BeforeCommit => {
            staged.rename_to(path)?;
            pending.note_name(path);
            Ok(())
        }
        Ending::Alone => {
            staged.rename_to(path)?;
            pending.sync_folder_of(path)
        }
        Ending::Commit => {
            let linked = staged.link_to(path).and_then(|()| pending.sync_folder_of(path));
            _ = staged.remove();
            linked
        }
    }
}

/// Gives a file a second name, in the place of a file that has it.
///
/// # Errors
/// What the system says.
pub(super) fn link_over(from: &Path, to: &Path) -> io::Result<()> {
    let mut number = 1;
    let staged = loop {
        let staged = staged_path(to, number);
        match disk::link(from, &staged) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => number += 1,
            linked => {
                linked?;
                break staged;
            }
        }
    };
    let renamed = disk::rename(&staged, to);
    // It failed, or both were names of one file already: the system then keeps both.
    _ = disk::remove(&staged);
    renamed
}

/// Renames a file, in the place of a file that has the name.
///
/// # Errors
/// What the system says.
pub(super) fn rename_over(from: &Path, to: &Path) -> io::Result<()> {
    disk::rename(from, to)?;
    // Of two names of one file the system keeps both.
    _ = disk::remove(from);
    Ok(())
}

/// Whether the file that a commit was linked from is still there.
pub(super) fn is_unsettled(commit: &Path) -> bool {
    staged_path(commit, 1).exists()
}

fn staged_path(path: &Path, number: u32) -> PathBuf {
    let mut staged = path.as_os_str().to_owned();
    staged.push(format!("#{number}"));
    staged.into()
}
