//! Where a long listing is cut, so that its parts can be listed side by side.
//!
//! Names hold offsets, so that from a page of them it can be guessed where the
//! page after next will begin. A guess decides only how many requests it takes:
//! whatever the cuts are, the ranges between them hold each key once.

use std::sync::Arc;

use super::subject::Subject;
use crate::key::{DEFAULT_WIDTH, Name};
use crate::store::Page;

/// Two pages, and a little less: the second then shows that the range has ended.
const PAGES: f64 = 1.9;
/// Longer numbers do not sort as they count.
const LONGEST: u64 = 10u64.pow(DEFAULT_WIDTH as u32) - 1;

/// Cuts in the names of one Kafka partition in one directory.
#[derive(Debug)]
pub(super) struct Cuts {
    subject: Arc<Subject>,
    /// The directory's keys start with this.
    prefix: String,
    partition: u32,
    /// Past the last cut.
    from: u64,
    /// Offsets from one cut to the next.
    step: u64,
    /// A key that the next cut must lie after.
    past: String,
}

impl Cuts {
    /// The cuts after a page; none if its names do not tell them.
    pub(super) fn after(subject: &Arc<Subject>, prefix: &str, page: &Page) -> Option<Cuts> {
        let (subject, prefix) = (subject.clone(), prefix.to_owned());
        let past = page.objects.last()?.key.clone();
        let mut cuts = Cuts { subject, prefix, partition: 0, from: 0, step: 0, past };
        (cuts.partition, cuts.from) = cuts.place(&cuts.past)?;
        cuts.measure(page);
        (cuts.step > 0).then_some(cuts)
    }

    /// Goes by this page from now on, if it can.
    pub(super) fn measure(&mut self, page: &Page) {
        let ends = page.objects.first().zip(page.objects.last());
        let places = ends.and_then(|(a, b)| self.place(&a.key).zip(self.place(&b.key)));
        if let Some(((of_first, first), (of_last, last))) = places
            && (of_first, of_last) == (self.partition, self.partition)
            && last > first
        {
            self.step = ((last - first) as f64 * PAGES).ceil() as u64;
        }
    }

    /// Goes on after a key that lies past cuts that were given, since nothing is
    /// between; false if it does not tell where.
    pub(super) fn skip(&mut self, key: String) -> bool {
        let Some((partition, start)) = self.place(&key) else { return false };
        let from = if partition == self.partition { self.from.max(start) } else { start };
        (self.partition, self.from, self.past) = (partition, from, key);
        true
    }

    /// The next cut: a key that nobody has, most likely. None where names do not
    /// sort as they count: cuts would then be far too many.
    pub(super) fn next(&mut self) -> Option<String> {
        self.from = self.from.checked_add(self.step).filter(|from| *from <= LONGEST)?;
        let names = self.subject.layout.name_prefix(&self.subject.topic, self.partition);
        let width = usize::from(DEFAULT_WIDTH);
        let cut = format!("{}{names}{:0width$}", self.prefix, self.from);
        (cut > self.past).then_some(cut)
    }

    /// The Kafka partition and the start offset in a key.
    fn place(&self, key: &str) -> Option<(u32, u64)> {
        let name = key.strip_prefix(&self.prefix)?;
        match Name::parse(name, &self.subject.topic, &self.subject.layout) {
            Name::Value(value) => Some((value.partition, value.start)),
            Name::Sidecar { partition, start } => Some((partition, start)),
            _ => None,
        }
    }
}
