//! One directory being listed: names → new objects in order, and counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::subject::Subject;
use super::{Besides, Found, LastObject, Latest, Object, Skipped};
use crate::key::{DEFAULT_WIDTH, Name, Source, ValueName};

/// The connector's folder for null values, unless `tombstone.encoded.partition`
/// says otherwise (`TombstoneSupportedPartitioner`).
const TOMBSTONES: &str = "tombstone";

/// Offsets below this have zeros in front if they have the default width.
pub(super) const SHORTER: u64 = 10u64.pow(DEFAULT_WIDTH as u32 - 1);

/// One directory being listed.
pub(super) struct Folder {
    subject: Arc<Subject>,
    directory: Arc<str>,
    tombstones: bool,
    /// By Kafka partition, the last start offset that was committed.
    committed: BTreeMap<u32, u64>,
    /// The last committed object, as it was.
    last: Option<LastObject>,
    /// By Kafka partition, the object of the greatest start offset that was listed.
    newest: BTreeMap<u32, Seen>,
    /// Likewise, the one that the watermark stands at.
    at_watermark: BTreeMap<u32, Seen>,
    partitions: BTreeMap<u32, Partition>,
    pub skipped: Skipped,
}

/// An object that was listed, and when it was written, if that is known.
#[derive(Clone, Copy)]
struct Seen {
    name: ValueName,
    modified: Option<DateTime<Utc>>,
}

impl Folder {
    pub fn new(subject: Arc<Subject>, directory: Arc<str>) -> Folder {
        Folder {
            committed: subject.committed(&directory).cloned().unwrap_or_default(),
            last: subject.last(&directory),
            tombstones: directory.split('/').next() == Some(TOMBSTONES),
            subject,
            directory,
            newest: BTreeMap::new(),
            at_watermark: BTreeMap::new(),
            partitions: BTreeMap::new(),
            skipped: Skipped::default(),
        }
    }

    /// Reads the name of a file, and when it was written if that is known: `Some`
    /// if it holds records, new or not; what is none is counted here.
    pub fn read(&mut self, name: &str, modified: Option<DateTime<Utc>>) -> Option<ValueName> {
        if self.tombstones {
            self.skipped.tombstones += 1;
            return None;
        }
        match Name::parse(name, &self.subject.topic, &self.subject.layout) {
            Name::Value(value) => {
                self.note(Seen { name: value, modified });
                return Some(value);
            }
            Name::Sidecar { partition, start } => {
                let new = self.is_new(partition, start);
                self.skipped.sidecars += u64::from(new);
            }
            Name::Foreign => {
                let key = || self.subject.directory_prefix(&self.directory) + name;
                self.skipped.foreign.add(key);
            }
            Name::Other => self.skip(name),
        }
        None
    }

    fn note(&mut self, seen: Seen) {
        let ValueName { partition, start, .. } = seen.name;
        if self.committed.get(&partition) == Some(&start) {
            self.at_watermark.insert(partition, seen);
        }
        let newest = self.newest.entry(partition).or_insert(seen);
        if start >= newest.name.start {
            *newest = seen;
        }
    }

    /// Asks when the latest objects were written, of which that is not known.
    pub fn date(&mut self, modified: impl Fn(&str) -> Option<DateTime<Utc>>) {
        let mut file = String::new();
        for seen in self.newest.values_mut().chain(self.at_watermark.values_mut()) {
            if seen.modified.is_none() {
                file.clear();
                seen.name.push_to(&mut file, &self.subject.topic, &self.subject.layout);
                seen.modified = modified(&file);
            }
        }
    }

    /// Counts something that cannot be an object of records.
    pub fn skip(&mut self, name: &str) {
        let key = || self.subject.directory_prefix(&self.directory) + name;
        self.skipped.other.add(key);
    }

    /// Whether nothing of this offset was committed.
    pub fn is_new(&self, partition: u32, start: u64) -> bool {
        self.committed.get(&partition).is_none_or(|&committed| start > committed)
    }

    /// Whether this is the last committed object.
    pub fn is_last(&self, name: &ValueName) -> bool {
        self.committed.get(&name.partition) == Some(&name.start)
            && self.last.is_some_and(|last| last.extension == name.extension)
    }

    /// Whether the last committed object was written again since: what it holds
    /// past the watermark is new.
    pub fn is_rewritten(&self, name: &ValueName, size: u64) -> bool {
        self.is_last(name) && self.last.is_some_and(|last| last.size != size)
    }

    /// Adds a new object.
    pub fn push(&mut self, name: ValueName, size: u64, etag: Option<Box<str>>) {
        let ValueName { partition, start, width, extension } = name;
        self.partitions
            .entry(partition)
            .or_insert_with(|| Partition::new(&self.subject, &self.directory, partition))
            .push(Object { start, size, width, extension, etag });
    }

    /// Takes what can be handed on while the listing goes on.
    pub fn ready(&mut self) -> Vec<Found> {
        let table = self.subject.table;
        self.partitions
            .values_mut()
            .filter(|partition| !partition.ready.is_empty())
            .map(|partition| Found {
                source: partition.source.clone(),
                table,
                objects: std::mem::take(&mut partition.ready),
                last: false,
            })
            .collect()
    }

    /// Takes the rest: the directory was listed to its end.
    pub fn finish(mut self) -> (Vec<Found>, Besides) {
        for (partition, newest) in &self.newest {
            if self.committed.get(partition).is_some_and(|&committed| newest.name.start < committed)
            {
                let names = self.subject.layout.name_prefix(&self.subject.topic, *partition);
                let key = || self.subject.directory_prefix(&self.directory) + &names;
                self.skipped.behind.add(key);
            }
        }
        let table = self.subject.table;
        let found = self.partitions.into_values().map(|partition| partition.finish(table));
        let last = |seen: BTreeMap<u32, Seen>| seen.into_values().filter_map(|s| s.modified).max();
        let latest = Latest { listed: last(self.newest), committed: last(self.at_watermark) };
        (found.collect(), Besides { skipped: self.skipped, latest })
    }
}

/// The new objects of one Kafka partition in one directory.
struct Partition {
    source: Arc<Source>,
    /// In order.
    ready: Vec<Object>,
    /// In no order; once something is held, everything after it is.
    held: Vec<Object>,
    holding: bool,
    /// Whether a name had the default width because of its zeros.
    padded: bool,
    last: u64,
}

impl Partition {
    fn new(subject: &Subject, directory: &Arc<str>, partition: u32) -> Partition {
        let (topic, directory) = (subject.topic.clone(), directory.clone());
        Partition {
            source: Arc::new(Source { topic, directory, partition }),
            ready: Vec::new(),
            held: Vec::new(),
            holding: false,
            padded: false,
            last: 0,
        }
    }

    fn push(&mut self, object: Object) {
        // Keys sort as their offsets do as long as these have one width. Most
        // have the default one, which a zero in front proves, and pass through;
        // others wait for the end.
        self.padded |= object.start < SHORTER;
        self.holding |= object.width != DEFAULT_WIDTH || !self.padded || object.start < self.last;
        self.last = object.start;
        match self.holding {
            true => self.held.push(object),
            false => self.ready.push(object),
        }
    }

    fn finish(mut self, table: usize) -> Found {
        self.held.sort_unstable_by_key(|o| (o.start, o.extension, o.width));
        self.ready.append(&mut self.held);
        Found { source: self.source, table, objects: self.ready, last: true }
    }
}
