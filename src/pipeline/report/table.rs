//! One table's part of the report.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{NullColumn, RejectExample, SeenValues};
use crate::code::Code;
use crate::key::{Source, Topic};
use crate::pipeline::discover::{Skipped, Strays};
use crate::pipeline::write::DataFile;
use crate::{Error, Result};

/// What was counted in one shard, or in several of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShardCounts {
    /// Objects read.
    pub objects: u64,
    /// Their bytes, as stored.
    pub bytes: u64,
    /// Records read.
    pub read: u64,
    /// Records written to the table.
    pub written: u64,
    /// Records written to the quarantine.
    pub quarantined: u64,
    /// Certain duplicates, dropped.
    pub duplicate: u64,
    /// Rejects by code and column.
    pub rejects: BTreeMap<(Code, Option<String>), u64>,
    /// An example of each kind of reject.
    pub examples: BTreeMap<(Code, Option<String>), RejectExample>,
    /// Columns that had a value, and fields that were there.
    pub seen: SeenValues,
    /// Values changed, by column and rule.
    pub changes: BTreeMap<(String, String), u64>,
    /// Fields that no column reads, by name.
    pub unknown_fields: BTreeMap<String, u64>,
    /// Envelopes opened, by kind.
    pub envelopes: BTreeMap<String, u64>,
    /// The first record's Kafka offset.
    pub first_offset: Option<u64>,
    /// The last record's Kafka offset.
    pub last_offset: Option<u64>,
}

impl ShardCounts {
    /// Adds the counts of `other`; the order does not matter.
    pub fn merge(&mut self, other: &ShardCounts) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.read += other.read;
        self.written += other.written;
        self.quarantined += other.quarantined;
        self.duplicate += other.duplicate;
        add(&mut self.rejects, &other.rejects);
        add_examples(&mut self.examples, &other.examples);
        self.seen.merge(&other.seen);
        add(&mut self.changes, &other.changes);
        add(&mut self.unknown_fields, &other.unknown_fields);
        add(&mut self.envelopes, &other.envelopes);
        self.first_offset = least(self.first_offset, other.first_offset);
        self.last_offset = self.last_offset.max(other.last_offset);
    }
}

fn add<K: Ord + Clone>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, n) in from {
        *to.entry(key.clone()).or_default() += n;
    }
}

/// Keeps the least example of each kind, so that the order of shards does not matter.
fn add_examples<K: Ord + Clone>(
    to: &mut BTreeMap<K, RejectExample>,
    from: &BTreeMap<K, RejectExample>,
) {
    for (kind, example) in from {
        let kept = to.entry(kind.clone()).or_insert_with(|| example.clone());
        if example < kept {
            kept.clone_from(example);
        }
    }
}

fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}

/// Small files that were packed into larger ones, with the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Packed {
    /// Files before.
    pub files: u64,
    /// Files after.
    pub into_files: u64,
    /// Rows in them.
    pub rows: u64,
    /// Bytes before.
    pub bytes: u64,
    /// Bytes after.
    pub into_bytes: u64,
}

/// What became of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// The transform's hash.
    pub spec_hash: String,
    /// Where the commit is; `None` if there was nothing to commit.
    pub commit: Option<String>,
    /// Objects read.
    pub objects: u64,
    /// Their bytes, as stored.
    pub bytes: u64,
    /// Records read: the sum of the next three.
    pub records_read: u64,
    /// Records written to the table.
    pub records_written: u64,
    /// Records written to the quarantine.
    pub records_quarantined: u64,
    /// Certain duplicates, dropped.
    pub records_duplicate: u64,
    /// Rows that a later record of the same key replaced, of this run or of the
    /// table: with `unique_by` it grows by those written less these.
    pub records_replaced: u64,
    /// Rejects by code, then by column; the column is empty if the record as a
    /// whole was wrong.
    pub rejects: BTreeMap<&'static str, BTreeMap<String, u64>>,
    /// An example of each kind of reject: a broken gate shows one.
    #[serde(skip)]
    pub examples: BTreeMap<(Code, Option<String>), RejectExample>,
    /// Columns that had a value, and fields that were there.
    #[serde(skip)]
    pub seen: SeenValues,
    /// Written columns that are null in every row of this run.
    pub null_columns: Vec<NullColumn>,
    /// Values changed, by column, then by rule.
    pub columns: BTreeMap<String, BTreeMap<String, u64>>,
    /// Fields that no column reads, by name.
    pub unknown_fields: BTreeMap<String, u64>,
    /// Envelopes opened, by kind.
    pub envelopes: BTreeMap<String, u64>,
    /// Where the records are from.
    pub topics: BTreeMap<String, TopicReport>,
    /// Objects of keys and headers, not read.
    pub sidecars: u64,
    /// Objects of tombstones, not read.
    pub tombstones: u64,
    /// Objects that are not the sink's, or of another topic; not read.
    pub foreign: u64,
    /// Keys of a few of them.
    pub foreign_examples: Vec<String>,
    /// Files of rows that the commit added. With `unique_by` some hold rows that
    /// were there before.
    pub files: Vec<DataFile>,
    /// Files of rejects.
    pub quarantine_files: Vec<DataFile>,
    /// What `--optimize-after` did to the table's files, if it did.
    pub packed: Option<Packed>,
    /// The same of its quarantine.
    pub quarantine_packed: Option<Packed>,
}

/// What was read of one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TopicReport {
    /// By Kafka partition, over all directories.
    pub partitions: BTreeMap<u32, PartitionReport>,
    /// By directory below the topic, then by Kafka partition.
    pub directories: BTreeMap<String, BTreeMap<u32, PartitionReport>>,
    /// Folders older than `--lookback`, not listed; one with folders below it
    /// counts once.
    pub folders_older_than_lookback: u64,
}

/// What was read of one Kafka partition in one directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PartitionReport {
    /// Objects.
    pub objects: u64,
    /// Records.
    pub records: u64,
    /// The first record's Kafka offset.
    pub first_offset: Option<u64>,
    /// The last record's Kafka offset.
    pub last_offset: Option<u64>,
}

impl TableReport {
    /// Adds what one shard of `source` gave.
    pub fn add_shard(&mut self, source: &Source, counts: &ShardCounts) {
        self.objects += counts.objects;
        self.bytes += counts.bytes;
        self.records_read += counts.read;
        self.records_written += counts.written;
        self.records_quarantined += counts.quarantined;
        self.records_duplicate += counts.duplicate;
        for ((code, column), n) in &counts.rejects {
            let by_column = self.rejects.entry(code.as_str()).or_default();
            *by_column.entry(column.clone().unwrap_or_default()).or_default() += n;
        }
        add_examples(&mut self.examples, &counts.examples);
        self.seen.merge(&counts.seen);
        for ((column, rule), n) in &counts.changes {
            let by_rule = self.columns.entry(column.clone()).or_default();
            *by_rule.entry(rule.clone()).or_default() += n;
        }
        add(&mut self.unknown_fields, &counts.unknown_fields);
        add(&mut self.envelopes, &counts.envelopes);
        let topic = self.topics.entry(source.topic.to_string()).or_default();
        topic.partitions.entry(source.partition).or_default().add(counts);
        let directory = topic.directories.entry(source.directory.to_string()).or_default();
        directory.entry(source.partition).or_default().add(counts);
    }

    /// Adds what was listed of one topic and not read.
    pub fn add_skipped(&mut self, topic: &Topic, skipped: &Skipped) {
        if skipped.older_folders > 0 {
            let topic = self.topics.entry(topic.to_string()).or_default();
            topic.folders_older_than_lookback += skipped.older_folders;
        }
        self.sidecars += skipped.sidecars;
        self.tombstones += skipped.tombstones;
        for strays in [&skipped.foreign, &skipped.other] {
            self.foreign += strays.count;
            let room = Strays::EXAMPLES.saturating_sub(self.foreign_examples.len());
            self.foreign_examples.extend(strays.examples.iter().take(room).cloned());
        }
    }

    /// Proves that nothing was lost: every record that was read is written,
    /// quarantined or a certain duplicate, and the files hold what was counted.
    ///
    /// # Errors
    ///
    /// [`Error::Balance`] if the sum does not hold; [`Error::Internal`] if the
    /// counts and the files disagree.
    pub fn balance(&self, name: &str) -> Result<()> {
        let &TableReport { records_read: read, records_written: written, .. } = self;
        let (quarantined, duplicate) = (self.records_quarantined, self.records_duplicate);
        if read != written + quarantined + duplicate {
            let table = name.to_owned();
            return Err(Error::Balance { table, read, written, quarantined, duplicate });
        }
        let rejects = self.rejects.values().flat_map(BTreeMap::values).sum();
        let agree = [
            ("rows in files", rows(&self.files), written),
            ("rows in quarantine files", rows(&self.quarantine_files), quarantined),
            ("rejects by code", rejects, quarantined),
        ];
        match agree.iter().find(|(_, found, counted)| found != counted) {
            None => Ok(()),
            Some((what, found, counted)) => {
                let message = format!("{name}: {found} {what}, but {counted} were counted");
                Err(Error::Internal { stage: "report", message })
            }
        }
    }
}

fn rows(files: &[DataFile]) -> u64 {
    files.iter().map(|file| file.rows).sum()
}

impl PartitionReport {
    fn add(&mut self, counts: &ShardCounts) {
        self.objects += counts.objects;
        self.records += counts.read;
        self.first_offset = least(self.first_offset, counts.first_offset);
        self.last_offset = self.last_offset.max(counts.last_offset);
    }
}
