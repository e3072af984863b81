//! Listing a folder of the file system, one directory at a time.
//!
//! Links to files are followed. Links to directories too, unless that directory
//! belongs to the topic anyway: each is read once, and circles end.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, DirEntry, FileType};
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::{Folder, Order};
use super::subject::Subject;
use super::{Found, Skipped, Survey};
use crate::key::Topic;
use crate::store::Requests;
use crate::{Error, Result};

/// What lies directly below `root/prefix`; nothing if that does not exist.
pub(super) fn survey(root: &Path, prefix: &str, requests: &Requests) -> Result<Survey> {
    let mut survey = Survey::default();
    let path = root.join(prefix);
    let entries = match read_dir(&path, requests) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(survey),
        entries => entries.map_err(|e| denied_or_unreadable(&path, e))?,
    };
    for entry in entries {
        let entry = entry.map_err(|e| denied_or_unreadable(&path, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        match kind(&entry)? {
            Kind::Directory | Kind::LinkedDirectory => survey.folders.push(name),
            _ => survey.files.add(|| format!("{prefix}{name}")),
        }
    }
    Ok(survey)
}

/// Lists the topics, one after the other.
pub(super) fn walk(
    root: &Path,
    subjects: &[Arc<Subject>],
    requests: &Requests,
    emit: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<BTreeMap<Topic, Skipped>> {
    let mut skipped = BTreeMap::new();
    for subject in subjects {
        let mut walk = Walk {
            path: root.join(&subject.prefix),
            subject: subject.clone(),
            requests,
            emit: &mut *emit,
            visited: HashSet::new(),
            waiting: vec!["".into()],
            linked: Vec::new(),
            skipped: Skipped::default(),
        };
        let flow = walk.run()?;
        skipped.insert(subject.topic.clone(), walk.skipped);
        if flow.is_break() {
            break;
        }
    }
    Ok(skipped)
}

/// One topic being listed.
struct Walk<'a> {
    /// The topic's folder.
    path: PathBuf,
    subject: Arc<Subject>,
    requests: &'a Requests,
    emit: &'a mut dyn FnMut(Found) -> ControlFlow<()>,
    /// Directories by their real paths.
    visited: HashSet<PathBuf>,
    /// Directories to be read, relative to the topic's folder.
    waiting: Vec<Arc<str>>,
    /// Links to directories: last, so that a directory that is there in person
    /// is read by its own name.
    linked: Vec<Arc<str>>,
    skipped: Skipped,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<ControlFlow<()>> {
        while let Some(directory) = self.waiting.pop().or_else(|| self.linked.pop()) {
            if self.visit(&directory)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn visit(&mut self, directory: &Arc<str>) -> Result<ControlFlow<()>> {
        let path = self.path.join(&**directory);
        let real = fs::canonicalize(&path).map_err(|e| denied_or_unreadable(&path, e))?;
        if !self.visited.insert(real) {
            return Ok(ControlFlow::Continue(()));
        }
        let folder = self.list(&path, directory)?;
        let (found, skipped) = folder.finish();
        self.skipped += skipped;
        for found in found {
            if (self.emit)(found).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn list(&mut self, path: &Path, directory: &Arc<str>) -> Result<Folder> {
        let mut folder = Folder::new(self.subject.clone(), directory.clone(), Order::None);
        let (waiting, linked) = (self.waiting.len(), self.linked.len());
        let failed = |e| denied_or_unreadable(path, e);
        for entry in read_dir(path, self.requests).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                folder.skip(&name.to_string_lossy());
                continue;
            };
            match kind(&entry)? {
                Kind::Directory | Kind::LinkedDirectory
                    if self.subject.is_past(&below(directory, name)) =>
                {
                    folder.skipped.older_folders += 1;
                }
                Kind::Directory => self.waiting.push(below(directory, name)),
                Kind::LinkedDirectory => self.linked.push(below(directory, name)),
                Kind::Other => folder.skip(name),
                Kind::File => add_file(&mut folder, name, || entry.metadata(), path)?,
                Kind::LinkedFile => {
                    add_file(&mut folder, name, || fs::metadata(entry.path()), path)?;
                }
            }
        }
        // Popped from the end, so read in the order of their names.
        self.waiting[waiting..].sort_unstable_by(|a, b| b.cmp(a));
        self.linked[linked..].sort_unstable_by(|a, b| b.cmp(a));
        Ok(folder)
    }
}

/// Asks for the size only if it is needed: that is most of the time a listing
/// takes.
fn add_file(
    folder: &mut Folder,
    name: &str,
    metadata: impl FnOnce() -> io::Result<fs::Metadata>,
    directory: &Path,
) -> Result<()> {
    let Some(value) = folder.read(name) else { return Ok(()) };
    let new = folder.is_new(value.partition, value.start);
    if !new && !folder.is_last(&value) {
        return Ok(());
    }
    match metadata() {
        Ok(metadata) if new || folder.is_rewritten(&value, metadata.len()) => {
            folder.push(value, metadata.len(), None);
        }
        Ok(_) => {}
        // Deleted since: as if it had been so before.
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => return Err(denied_or_unreadable(&directory.join(name), e)),
    }
    Ok(())
}

fn below(directory: &str, name: &str) -> Arc<str> {
    match directory {
        "" => name.into(),
        _ => format!("{directory}/{name}").into(),
    }
}

enum Kind {
    File,
    LinkedFile,
    Directory,
    LinkedDirectory,
    /// A socket, a device, or a link that leads nowhere.
    Other,
}

fn kind(entry: &DirEntry) -> Result<Kind> {
    let plain = |kind: FileType| match (kind.is_dir(), kind.is_file()) {
        (true, _) => Kind::Directory,
        (_, true) => Kind::File,
        _ => Kind::Other,
    };
    let failed = |e| denied_or_unreadable(&entry.path(), e);
    let own = entry.file_type().map_err(failed)?;
    if !own.is_symlink() {
        return Ok(plain(own));
    }
    match fs::metadata(entry.path()) {
        Ok(metadata) => Ok(match plain(metadata.file_type()) {
            Kind::Directory => Kind::LinkedDirectory,
            Kind::File => Kind::LinkedFile,
            other => other,
        }),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Kind::Other),
        Err(e) => Err(failed(e)),
    }
}

fn read_dir(path: &Path, requests: &Requests) -> io::Result<fs::ReadDir> {
    requests.list(1);
    fs::read_dir(path)
}

fn denied_or_unreadable(path: &Path, e: io::Error) -> Error {
    let place = path.display().to_string();
    match e.kind() {
        ErrorKind::PermissionDenied => {
            Error::FileDenied { action: "list", path: place, source: e.into() }
        }
        _ => Error::Read { object: place, source: e.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = |kind| denied_or_unreadable(Path::new("/data/t"), io::Error::from(kind));
        let denied = error(ErrorKind::PermissionDenied);
        assert!(matches!(&denied, Error::FileDenied { path, .. } if path == "/data/t"));
        let broken = error(ErrorKind::NotADirectory);
        assert!(matches!(&broken, Error::Read { object, .. } if object == "/data/t"));
    }
}
