//! What a listing must know of one topic.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::TopicFound;
use super::folder::SHORTER;
use super::lookback::Horizon;
use super::topics::Chosen;
use crate::key::{DEFAULT_WIDTH, Layout, Source, Topic};
use crate::pipeline::discover::{LastObject, Listing};

/// One topic that is listed: its table and how far it was committed.
#[derive(Debug)]
pub(super) struct Subject {
    pub topic: Topic,
    /// Index of the table's spec.
    pub table: usize,
    pub layout: Layout,
    /// The keys of the topic start with this; ends with `/`.
    pub prefix: String,
    /// By directory and Kafka partition, the last start offset that was
    /// committed; empty if everything is to be listed.
    committed: BTreeMap<String, BTreeMap<u32, u64>>,
    /// Of the default partitioner's directories, the last committed object.
    last: BTreeMap<String, LastObject>,
    /// Which of its folders are too old to be listed.
    horizon: Horizon,
}

impl Subject {
    pub fn new(chosen: Chosen, input: &Listing<'_>) -> Subject {
        let Chosen { topic, table } = chosen;
        let mut committed: BTreeMap<String, BTreeMap<u32, u64>> = BTreeMap::new();
        let mut last = BTreeMap::new();
        if let Some(watermarks) = input.watermarks.get(table).filter(|_| !input.full) {
            let first = Source { topic: topic.clone(), directory: "".into(), partition: 0 };
            let of_topic =
                watermarks.range(first..).take_while(|(source, _)| source.topic == topic);
            for (source, watermark) in of_topic {
                let directory = committed.entry(source.directory.to_string()).or_default();
                directory.insert(source.partition, watermark.start);
                // Elsewhere it is not known which of its records are new.
                if let Some(object) = watermark.last.filter(|_| source.is_default_partitioner()) {
                    last.insert(source.directory.to_string(), object);
                }
            }
        }
        let directories = committed.keys().map(String::as_str);
        let horizon = input.lookback.map(|back| Horizon::new(directories, back));
        let (layout, horizon) = (input.layout.clone(), horizon.unwrap_or_default());
        let prefix = layout.topic_prefix(&topic);
        Subject { prefix, topic, table, layout, committed, last, horizon }
    }

    /// Its entry among what was discovered.
    pub fn nothing_found(&self) -> (Topic, TopicFound) {
        let found = TopicFound { table: self.table, ..TopicFound::default() };
        (self.topic.clone(), found)
    }

    /// The last start offsets that were committed, by Kafka partition.
    pub fn committed(&self, directory: &str) -> Option<&BTreeMap<u32, u64>> {
        self.committed.get(directory)
    }

    /// The last committed object of a directory, if it holds one Kafka partition.
    pub fn last(&self, directory: &str) -> Option<LastObject> {
        self.last.get(directory).copied()
    }

    /// Whether a directory, and all below it, is older than the lookback.
    pub fn is_past(&self, directory: &str) -> bool {
        self.horizon.is_past(directory)
    }

    /// The keys of a directory start with this; ends with `/`.
    pub fn directory_prefix(&self, directory: &str) -> String {
        match directory {
            "" => self.prefix.clone(),
            _ => format!("{}{directory}/", self.prefix),
        }
    }

    /// The Kafka partition of a folder of the default partitioner, which holds
    /// that one and nothing else, and no folders.
    pub fn default_partition(&self, directory: &str) -> Option<u32> {
        let (_, name) = directory.rsplit_once('/').unwrap_or(("", directory));
        let partition = name.strip_prefix("partition=")?.parse().ok()?;
        // A field may be called `partition`, and `s3.schema.partition.affix.type`
        // may put folders below: what was committed shows it.
        let alone = self
            .committed
            .get(directory)
            .is_none_or(|partitions| partitions.keys().all(|&p| p == partition));
        (alone && !self.has_committed_below(directory)).then_some(partition)
    }

    fn has_committed_below(&self, directory: &str) -> bool {
        let below = format!("{directory}/");
        let from = (Bound::Included(below.as_str()), Bound::Unbounded);
        self.committed.range::<str, _>(from).next().is_some_and(|(d, _)| d.starts_with(&below))
    }

    /// Where the names of what was committed lie in a directory, in the order
    /// of their keys.
    pub fn blocks(&self, directory: &str) -> Vec<Block> {
        let prefix = self.directory_prefix(directory);
        let partitions = self.committed.get(directory).into_iter().flatten();
        let mut blocks: Vec<Block> = partitions
            .map(|(&partition, &start)| {
                let names = self.layout.name_prefix(&self.topic, partition);
                Block::new(format!("{prefix}{names}"), partition, start)
            })
            .collect();
        blocks.sort_unstable_by(|a, b| a.first.cmp(&b.first));
        blocks
    }
}

/// The keys of one Kafka partition in one directory: they share a prefix that
/// no other key has, so they stand together in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The prefix.
    pub first: String,
    /// New keys come after this one, and so does the key of the last committed
    /// object, if offsets are written with the default width or less. Whether
    /// that key is met shows whether they are.
    pub cursor: String,
    pub partition: u32,
    /// The last start offset that was committed.
    pub committed: u64,
}

impl Block {
    fn new(first: String, partition: u32, committed: u64) -> Block {
        let width = usize::from(DEFAULT_WIDTH);
        let cursor = match committed < SHORTER {
            // Longer numbers have no zeros in front, and sort after it.
            true => format!("{first}{committed:0width$}"),
            // Names of more digits may sort before it: `1…` before `9…`. All
            // that is certain is that a new name does not begin with a zero.
            false => format!("{first}0~"),
        };
        Block { first, cursor, partition, committed }
    }
}
