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

/// Sizes are estimated for objects of no more bytes. A file's size takes about as
/// long as reading so small a file. And shards of such files are full by their
/// number before they are by their bytes
/// ([`ShardLimits`](crate::pipeline::plan::ShardLimits)). A larger file that no
/// sample meets makes its shard larger than the others, and nothing else.
const TINY: u64 = 2048;

/// A file in the sample of so many bytes says that they are not all alike.
const LARGE: u64 = 64 << 10;

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
        let (mut count, mut bytes, mut largest) = (0, 0, 0);
        let mut text = String::new();
        for index in sample(self.names.len()) {
            if let Some(size) = self.size(&self.names[index], &mut text)? {
                count += 1;
                bytes += size;
                largest = size.max(largest);
            }
        }
        let mean = bytes / count.max(1);
        let alike = mean <= TINY && largest < LARGE;
        Ok(if alike { Sizes::Mean(mean) } else { Sizes::Exact })
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

/// Indices spread over all, one in each stretch, at places that follow no period.
fn sample(all: usize) -> impl Iterator<Item = usize> {
    let stretch = all / SAMPLE;
    // Knuth's multiplier: 2^32 over the golden ratio.
    (0..SAMPLE).map(move |n| n * stretch + n.wrapping_mul(2_654_435_761) % stretch.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_and_has_no_period() {
        for all in [FEW + 1, 40_000, 1_000_003] {
            let indices: Vec<usize> = sample(all).collect();
            assert_eq!(indices.len(), SAMPLE);
            assert!(indices.is_sorted() && indices[SAMPLE - 1] < all);
            for period in [2, 3, 5, 7, 10, all / SAMPLE] {
                let met = indices.iter().filter(|index| *index % period == 0).count();
                assert!(met < SAMPLE * 3 / 4, "{met} of {all} at multiples of {period}");
            }
        }
    }
}
