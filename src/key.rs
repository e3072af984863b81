//! Object names: topic, directory, Kafka partition, start offset.
//!
//! The grammar is that of the Confluent S3 sink connector
//! (`TopicPartitionWriter.fileKeyToCommit` and the partitioners of
//! kafka-connect-storage-common).

use std::fmt;
use std::sync::Arc;

/// A Kafka topic's name: 1 to 249 of `[a-zA-Z0-9._-]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(Arc<str>);

impl Topic {
    /// Checks a topic's name; `None` if Kafka would not allow it.
    pub fn parse(name: &str) -> Option<Topic> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let sound = (1..=249).contains(&name.len()) && name.bytes().all(legal);
        (sound && name != "." && name != "..").then(|| Topic(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a watermark belongs to: one Kafka partition in one directory of a topic.
///
/// Under the default partitioner the directory is `partition=<n>`; under the
/// others a directory holds objects of several Kafka partitions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The topic.
    pub topic: Topic,
    /// The encoded partition below the topic, such as `partition=0` or
    /// `year=2024/month=01/day=31`; empty if objects lie in the topic's folder.
    pub directory: Arc<str>,
    /// The Kafka partition, from the object's name.
    pub partition: u32,
}

impl Source {
    /// Whether the directory holds exactly this Kafka partition, so that the
    /// start offsets of neighbours tell where duplicates are.
    pub fn is_default_partitioner(&self) -> bool {
        self.directory.strip_prefix("partition=").is_some_and(|n| n.parse() == Ok(self.partition))
    }
}

/// Where the sink's objects lie below the source's root, and how they are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// `topics.dir`: may hold `/`, may be empty.
    pub topics_dir: String,
    /// `file.delim`.
    pub file_delim: String,
}

/// How an object's name ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extension {
    /// `.json`
    Json,
    /// `.json.gz`
    JsonGz,
}
