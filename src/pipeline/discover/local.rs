//! Listing a folder of the file system, one directory at a time.
//!
//! Links to files are followed. Links to directories too, unless that directory
//! belongs to the topic anyway: each is read once, and circles end.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::Folder;
use super::subject::Subject;
use super::{Besides, Found, Listing, Survey};
use crate::Result;
use crate::key::{Topic, ValueName};
use crate::store::Requests;
use directory::{Directory, Kind};
use names::Names;

mod directory;
mod names;

/// What lies directly below `root/prefix`; nothing if that does not exist.
pub(super) fn survey(root: &Path, prefix: &str, requests: &Requests) -> Result<Survey> {
    let mut survey = Survey::default();
    requests.list(1);
    let Some(directory) = Directory::open(root.join(prefix))? else { return Ok(survey) };
    directory.each(|name, kind| {
        let name = name.to_string_lossy();
        match directory.kind(&name, kind)? {
            Kind::Directory | Kind::LinkedDirectory => survey.folders.push(name.into_owned()),
            _ => survey.files.add(|| format!("{prefix}{name}")),
        }
        Ok(())
    })?;
    Ok(survey)
}

/// Lists the topics, one after the other.
pub(super) fn walk(
    root: &Path,
    input: &Listing<'_>,
    subjects: &[Arc<Subject>],
    emit: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<BTreeMap<Topic, Besides>> {
    let mut besides = BTreeMap::new();
    for subject in subjects {
        let mut walk = Walk {
            path: root.join(&subject.prefix),
            subject: subject.clone(),
            requests: input.store.requests(),
            exact_sizes: input.exact_sizes,
            emit: &mut *emit,
            visited: HashSet::new(),
            waiting: vec!["".into()],
            linked: Vec::new(),
            besides: Besides::default(),
        };
        let flow = walk.run()?;
        besides.insert(subject.topic.clone(), walk.besides);
        if flow.is_break() {
            break;
        }
    }
    Ok(besides)
}

/// One topic being listed.
struct Walk<'a> {
    /// The topic's folder.
    path: PathBuf,
    subject: Arc<Subject>,
    requests: &'a Requests,
    exact_sizes: bool,
    emit: &'a mut dyn FnMut(Found) -> ControlFlow<()>,
    /// Directories by their real paths.
    visited: HashSet<PathBuf>,
    /// Directories to be read, relative to the topic's folder.
    waiting: Vec<Arc<str>>,
    /// Links to directories: last, so that a directory that is there in person
    /// is read by its own name.
    linked: Vec<Arc<str>>,
    besides: Besides,
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

    fn visit(&mut self, below: &Arc<str>) -> Result<ControlFlow<()>> {
        let path = self.path.join(&**below);
        let real = fs::canonicalize(&path).map_err(|e| directory::failed(&path, e))?;
        if !self.visited.insert(real) {
            return Ok(ControlFlow::Continue(()));
        }
        self.requests.list(1);
        let Some(directory) = Directory::open(path)? else {
            let gone = io::Error::from(io::ErrorKind::NotFound);
            return Err(directory::failed(&self.path.join(&**below), gone));
        };
        let mut folder = Folder::new(self.subject.clone(), below.clone());
        let new = self.list(&directory, below, &mut folder)?;
        folder.date(|name| directory.modified(name));
        self.besides += folder.finish().1;
        let names = Names::new(&directory, &self.subject, below, new);
        names.emit(self.exact_sizes, &mut *self.emit)
    }

    /// The names of objects that are new, in no order.
    fn list(
        &mut self,
        directory: &Directory,
        below: &str,
        folder: &mut Folder,
    ) -> Result<Vec<ValueName>> {
        let mut new = Vec::new();
        let (waiting, linked) = (self.waiting.len(), self.linked.len());
        directory.each(|name, kind| {
            let Ok(name) = name.to_str() else {
                folder.skip(&name.to_string_lossy());
                return Ok(());
            };
            match directory.kind(name, kind)? {
                Kind::Directory | Kind::LinkedDirectory
                    if self.subject.is_past(&joined(below, name)) =>
                {
                    folder.skipped.older_folders += 1;
                }
                Kind::Directory => self.waiting.push(joined(below, name)),
                Kind::LinkedDirectory => self.linked.push(joined(below, name)),
                Kind::Other => folder.skip(name),
                Kind::File => new.extend(new_in(directory, folder, name)?),
            }
            Ok(())
        })?;
        // Popped from the end, so read in the order of their names.
        self.waiting[waiting..].sort_unstable_by(|a, b| b.cmp(a));
        self.linked[linked..].sort_unstable_by(|a, b| b.cmp(a));
        Ok(new)
    }
}

/// What a file's name says, if the file is new, or written again since it was
/// committed.
fn new_in(directory: &Directory, folder: &mut Folder, name: &str) -> Result<Option<ValueName>> {
    let Some(value) = folder.read(name, None) else { return Ok(None) };
    let new = folder.is_new(value.partition, value.start)
        || folder.is_last(&value)
            && directory.size(name)?.is_some_and(|size| folder.is_rewritten(&value, size));
    Ok(new.then_some(value))
}

fn joined(directory: &str, name: &str) -> Arc<str> {
    match directory {
        "" => name.into(),
        _ => format!("{directory}/{name}").into(),
    }
}
