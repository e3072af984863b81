//! The names of new objects in one directory → objects in order, with sizes.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::directory::Directory;
use crate::Result;
use crate::key::{Source, ValueName};
use crate::pipeline::discover::subject::Subject;
use crate::pipeline::discover::{Found, Object};

/// In a directory of no more new objects the size of each is asked for.
const FEW: usize = 4096;

/// How many of more are asked for theirs.
const SAMPLE: usize = 256;

/// Sizes are estimated for objects of no more bytes on average. A file's size
/// takes about as long as reading so small a file. And shards of such files are
/// full by their number before they are by their bytes, so that an estimate does
/// no harm there ([`ShardLimits`](crate::pipeline::plan::ShardLimits)).
const TINY: u64 = 2048;

/// Objects that are handed on at once: a name takes less room than an object.
const AT_ONCE: usize = 8192;

/// New objects in one directory.
pub(super) struct Names<'a> {
    directory: &'a Directory,
    subject: &'a Subject,
    below: &'a Arc<str>,
    /// In order.
    names: Vec<ValueName>,
}

/// How the sizes of objects are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sizes {
    Exact,
    Mean(u64),
}

impl<'a> Names<'a> {
    /// Takes the names in any order.
    pub fn new(
        directory: &'a Directory,
        subject: &'a Subject,
        below: &'a Arc<str>,
        mut names: Vec<ValueName>,
    ) -> Names<'a> {
        names.sort_unstable_by_key(|name| (name.partition, name.start, name.extension, name.width));
        Names { directory, subject, below, names }
    }

    /// Hands them on, one Kafka partition after the other.
    ///
    /// # Errors
    /// If the size of a file cannot be learnt.
    pub fn emit(
        self,
        exact_sizes: bool,
        emit: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let sizes = if exact_sizes { Sizes::Exact } else { self.sizes()? };
        for names in self.names.chunk_by(|a, b| a.partition == b.partition) {
            let source = self.source(names[0].partition);
            let mut rest = names;
            while !rest.is_empty() {
                let some;
                (some, rest) = rest.split_at(rest.len().min(AT_ONCE));
                let (source, table) = (Arc::clone(&source), self.subject.table);
                let objects = self.objects(&source, some, sizes)?;
                if emit(Found { source, table, objects, last: rest.is_empty() }).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn source(&self, partition: u32) -> Arc<Source> {
        let (topic, directory) = (self.subject.topic.clone(), Arc::clone(self.below));
        Arc::new(Source { topic, directory, partition })
    }

    fn sizes(&self) -> Result<Sizes> {
        if self.names.len() <= FEW {
            return Ok(Sizes::Exact);
        }
        let (mut count, mut bytes) = (0, 0);
        let mut text = String::new();
        for name in self.names.iter().step_by(self.names.len() / SAMPLE) {
            if let Some(size) = self.size(name, &mut text)? {
                count += 1;
                bytes += size;
            }
        }
        let mean = bytes / count.max(1);
        Ok(if mean <= TINY { Sizes::Mean(mean) } else { Sizes::Exact })
    }

    fn objects(&self, source: &Source, names: &[ValueName], sizes: Sizes) -> Result<Vec<Object>> {
        let mut objects = Vec::with_capacity(names.len());
        let mut text = String::new();
        for name in names {
            let size = match sizes {
                Sizes::Exact => self.size(name, &mut text)?,
                Sizes::Mean(mean) => Some(mean),
            };
            debug_assert_eq!(name.partition, source.partition);
            let &ValueName { start, width, extension, .. } = name;
            // Deleted since: as if it had been so before.
            objects.extend(size.map(|size| Object { start, size, width, extension, etag: None }));
        }
        Ok(objects)
    }

    fn size(&self, name: &ValueName, text: &mut String) -> Result<Option<u64>> {
        text.clear();
        name.push_to(text, &self.subject.topic, &self.subject.layout);
        self.directory.size(text)
    }
}
