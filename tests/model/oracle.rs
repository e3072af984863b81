//! What the tables must hold: the rules of DESIGN.md on ordered maps, knowing
//! nothing of the program.

use std::collections::{BTreeMap, BTreeSet};

use crate::sink::{Becomes, Bucket, Object, Objects, Record, Source};

/// How far a source was committed.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// Of the last object that was read.
    start: u64,
    size: usize,
    /// The offset after the last record.
    end: u64,
}

/// One record in a table. The object counts where offsets are no more than lower
/// bounds: there two records may have one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    source: Source,
    offset: u64,
    object: u64,
}

/// A table and its part of the quarantine, after some number of commits.
#[derive(Debug, Clone, Default)]
pub struct Table {
    marks: BTreeMap<Source, Mark>,
    rows: BTreeMap<Place, String>,
    rejects: BTreeMap<Place, Rejected>,
}

#[derive(Debug, Clone)]
struct Rejected {
    text: String,
    /// The row that the mended transforms make of it.
    mended: Option<String>,
    resolved: bool,
}

impl Table {
    /// What a run over a bucket makes of it; `None` if there is nothing to commit.
    ///
    /// A shard has at most so many objects: which of two objects a record is taken from
    /// depends on where they are cut.
    pub fn after(
        &self,
        bucket: &Bucket,
        table: &str,
        (full, shard): (bool, usize),
    ) -> Option<Table> {
        let mut next = match full {
            true => Table::default(),
            false => self.clone(),
        };
        let of_table = bucket.0.iter().filter(|(source, _)| source.topic.table == table);
        let read = of_table.filter(|(source, objects)| next.read(source, objects, shard)).count();
        assert!(next.has_each_once(), "the model holds a record twice");
        (read > 0).then_some(next)
    }

    /// What a replay with the mended transforms makes of it; `None` if there is
    /// nothing to commit.
    pub fn replayed(&self) -> Option<Table> {
        let mut next = self.clone();
        let mut landed = false;
        for (place, reject) in next.rejects.iter_mut().filter(|(_, reject)| !reject.resolved) {
            let Some(row) = reject.mended.clone() else { continue };
            assert!(next.rows.insert(place.clone(), row).is_none(), "the model lands twice");
            (reject.resolved, landed) = (true, true);
        }
        landed.then_some(next)
    }

    /// Takes what is new of one source; false if nothing is.
    fn read(&mut self, source: &Source, objects: &Objects, shard: usize) -> bool {
        let mark = self.marks.get(source).copied();
        let is_new = |start: u64, object: &Object| match mark {
            None => true,
            Some(mark) if start == mark.start => {
                source.topic.by_partition && object.size != mark.size
            }
            Some(mark) => start > mark.start,
        };
        let new: Vec<(u64, &Object)> = objects
            .iter()
            .map(|(start, object)| (*start, object))
            .filter(|(start, object)| is_new(*start, object))
            .collect();
        let floor = mark.map_or(0, |mark| mark.end);
        let holds = |(start, object): &(u64, &Object), offset: u64| {
            (*start..*start + object.records.len() as u64).contains(&offset)
        };
        for (i, (start, object)) in new.iter().enumerate() {
            let own_shard = i - i % shard.min(new.len());
            let next_shard = own_shard.saturating_add(shard).min(new.len());
            for (line, record) in object.records.iter().enumerate() {
                let offset = *start + line as u64;
                // The last shard that holds a record takes it, from its first object.
                let is_taken = new[own_shard..i].iter().any(|other| holds(other, offset));
                let is_later = new[next_shard..].iter().any(|other| holds(other, offset));
                let is_committed = offset < floor;
                if !source.topic.by_partition || !(is_taken || is_later || is_committed) {
                    let place = Place { source: source.clone(), offset, object: *start };
                    self.add(place, (line, record), object);
                }
            }
        }
        let Some((start, object)) = new.last() else { return false };
        let ends = new.iter().map(|(start, object)| start + object.records.len() as u64);
        let end = ends.max().unwrap_or(0).max(floor);
        self.marks.insert(source.clone(), Mark { start: *start, size: object.size, end });
        true
    }

    /// Whether no offset of a Kafka partition is there twice.
    fn has_each_once(&self) -> bool {
        let by_partition = |place: &&Place| place.source.topic.by_partition;
        let rows = self.rows.keys().filter(by_partition);
        let rejects = self.rejects.iter().filter(|(_, reject)| !reject.resolved).map(|(p, _)| p);
        let all: Vec<_> = rows
            .chain(rejects.filter(by_partition))
            .map(|place| (&place.source, place.offset))
            .collect();
        all.iter().collect::<BTreeSet<_>>().len() == all.len()
    }

    fn add(&mut self, place: Place, (line, record): (usize, &Record), object: &Object) {
        let null = || "NULL".to_owned();
        match &record.becomes {
            Becomes::Row { id, note } => {
                let row = format!("id={id} note={}", note.clone().unwrap_or_else(null));
                assert!(self.rows.insert(place, row).is_none(), "the model reads twice");
            }
            Becomes::Reject { column, code } => {
                let text = format!(
                    "topic={} partition={} offset={} object={} line={} column={} code={code} raw={}",
                    place.source.topic.name,
                    place.source.partition,
                    place.offset,
                    place.source.key(place.object, object),
                    line + 1,
                    column.map_or_else(null, str::to_owned),
                    record.line.bytes().map(|b| format!("{b:02x}")).collect::<String>(),
                );
                let mended = record.mended.clone();
                let reject = Rejected { text, mended, resolved: false };
                assert!(self.rejects.insert(place, reject).is_none(), "the model reads twice");
            }
        }
    }

    /// The rows, sorted as texts.
    pub fn rows(&self) -> Vec<String> {
        sorted(self.rows.values().cloned())
    }

    /// The rejects, sorted as texts.
    pub fn rejects(&self) -> Vec<String> {
        let text = |Rejected { text, resolved, .. }: &Rejected| {
            format!("{text} resolved_at={}", if *resolved { "then" } else { "NULL" })
        };
        sorted(self.rejects.values().map(text))
    }
}

fn sorted(rows: impl Iterator<Item = String>) -> Vec<String> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort_unstable();
    rows
}
