//! Object names: topic, directory, Kafka partition, start offset.
//!
//! The grammar is that of the Confluent S3 sink connector
//! (`TopicPartitionWriter.fileKeyToCommit` and the partitioners of
//! kafka-connect-storage-common).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

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

    /// The keys of its objects start with this; below the source's root, ends
    /// with `/`.
    pub fn prefix(&self, layout: &Layout) -> String {
        let mut prefix = layout.topic_prefix(&self.topic);
        if !self.directory.is_empty() {
            prefix.push_str(&self.directory);
            prefix.push('/');
        }
        prefix
    }
}

/// Where the sink's objects lie below the source's root, and how they are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// `topics.dir`: may hold `/`, may be empty; neither starts nor ends with `/`.
    pub topics_dir: String,
    /// `file.delim`: holds a character that is no digit, and no `/`.
    pub file_delim: String,
}

impl Default for Layout {
    /// The connector's defaults: `topics` and `+`.
    fn default() -> Layout {
        Layout { topics_dir: "topics".into(), file_delim: "+".into() }
    }
}

impl Layout {
    /// Checks the two settings; a blank `topics_dir` is none, as for the sink.
    ///
    /// # Errors
    /// [`Error::Usage`] if names with this delimiter cannot be taken apart.
    pub fn new(topics_dir: &str, file_delim: &str) -> Result<Layout> {
        if file_delim.contains('/') || file_delim.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::Usage(format!(
                "the file delimiter {file_delim:?} cannot be told from the rest of a name: \
                 give the connector's file.delim, such as \"+\""
            )));
        }
        let topics_dir = topics_dir.trim().trim_matches('/').to_owned();
        Ok(Layout { topics_dir, file_delim: file_delim.to_owned() })
    }

    /// The keys of all topics start with this: empty, or ends with `/`.
    pub fn topics_prefix(&self) -> String {
        match self.topics_dir.as_str() {
            "" => String::new(),
            dir => format!("{dir}/"),
        }
    }

    /// The keys of a topic start with this; ends with `/`.
    pub fn topic_prefix(&self, topic: &Topic) -> String {
        format!("{}{topic}/", self.topics_prefix())
    }

    /// The names of one Kafka partition start with this, and no others do.
    pub fn name_prefix(&self, topic: &Topic, partition: u32) -> String {
        let delim = &self.file_delim;
        format!("{topic}{delim}{partition}{delim}")
    }
}

/// How an object's name ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Extension {
    /// `.json`
    #[serde(rename = ".json")]
    Json,
    /// `.json.gz`
    #[serde(rename = ".json.gz")]
    JsonGz,
}

impl Extension {
    /// As it stands in a name, with its first dot.
    pub fn as_str(self) -> &'static str {
        match self {
            Extension::Json => ".json",
            Extension::JsonGz => ".json.gz",
        }
    }
}

/// Digits of an offset in a name unless the sink was told otherwise
/// (`filename.offset.zero.pad.width`).
pub const DEFAULT_WIDTH: u8 = 10;

/// What a name says that an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Records of the topic.
    Value(ValueName),
    /// Keys or headers of records (`.keys.*`, `.headers.*`), in any format.
    Sidecar {
        /// The Kafka partition.
        partition: u32,
        /// The start offset.
        start: u64,
    },
    /// Named as the sink names objects, for another topic.
    Foreign,
    /// Anything else: another format, `_SUCCESS`, a dot file.
    Other,
}

/// The parts of the name of an object of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueName {
    /// The Kafka partition.
    pub partition: u32,
    /// The start offset: a Kafka offset, so at most [`i64::MAX`].
    pub start: u64,
    /// Digits of the offset, zeros included.
    pub width: u8,
    /// How the name ends.
    pub extension: Extension,
}

impl Name {
    /// Takes a file name apart, right to left: a topic may hold the delimiter,
    /// but what follows it cannot. `topic` is that of the folder.
    pub fn parse(name: &str, topic: &Topic, layout: &Layout) -> Name {
        if let Some((stem, extension)) = split_extension(name)
            && let Some(stem) = Stem::parse(stem, &layout.file_delim)
        {
            return match stem.topic == topic.as_str() {
                true => Name::Value(stem.value(extension)),
                false => Name::Foreign,
            };
        }
        // The view stands before the extension: `t+0+0000000000.keys.avro`.
        let stem = [".keys.", ".headers."]
            .into_iter()
            .filter_map(|view| name.rfind(view))
            .find_map(|at| Stem::parse(&name[..at], &layout.file_delim));
        match stem {
            Some(stem) if stem.topic == topic.as_str() => {
                Name::Sidecar { partition: stem.partition, start: stem.start }
            }
            Some(_) => Name::Foreign,
            None => Name::Other,
        }
    }
}

impl ValueName {
    /// Appends the name to `out`: exactly the one that was parsed.
    pub fn push_to(&self, out: &mut String, topic: &Topic, layout: &Layout) {
        let ValueName { partition, start, width, extension } = *self;
        out.push_str(topic.as_str());
        out.push_str(&layout.file_delim);
        push_digits(out, partition.into(), 1);
        out.push_str(&layout.file_delim);
        push_digits(out, start, width.into());
        out.push_str(extension.as_str());
    }
}

/// Appends a number, with zeros in front up to `width` digits. A run spells a
/// name for each object, and formatting takes several times as long.
fn push_digits(out: &mut String, mut number: u64, width: usize) {
    // As many as `u64::MAX` has.
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
        first -= 1;
        if number == 0 {
            break;
        }
    }
    let digits = &digits[first..];
    out.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
    out.extend(digits.iter().map(|&digit| char::from(digit)));
}

/// A name without its extension.
struct Stem<'a> {
    topic: &'a str,
    partition: u32,
    start: u64,
    width: u8,
}

impl<'a> Stem<'a> {
    fn parse(stem: &'a str, delim: &str) -> Option<Stem<'a>> {
        let (rest, offset) = stem.rsplit_once(delim)?;
        let (topic, partition) = rest.rsplit_once(delim)?;
        // The sink writes a partition without zeros in front; a name that has
        // them could not be told from one that has none.
        let canonical = partition == "0" || !partition.starts_with('0');
        let start = digits(offset).filter(|&start| i64::try_from(start).is_ok())?;
        let partition = digits(partition).filter(|_| canonical)?;
        Some(Stem {
            topic,
            partition: partition.try_into().ok()?,
            start,
            width: offset.len().try_into().ok()?,
        })
    }

    fn value(&self, extension: Extension) -> ValueName {
        let &Stem { partition, start, width, .. } = self;
        ValueName { partition, start, width, extension }
    }
}

/// The number that `text` spells with digits alone.
fn digits(text: &str) -> Option<u64> {
    // `u64::from_str` also takes a plus sign.
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn split_extension(name: &str) -> Option<(&str, Extension)> {
    [Extension::JsonGz, Extension::Json]
        .into_iter()
        .find_map(|e| name.strip_suffix(e.as_str()).map(|stem| (stem, e)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn topic(name: &str) -> Topic {
        Topic::parse(name).unwrap()
    }

    fn layout(delim: &str) -> Layout {
        Layout::new("topics", delim).unwrap()
    }

    fn value(partition: u32, start: u64, width: u8, extension: Extension) -> Name {
        Name::Value(ValueName { partition, start, width, extension })
    }

    #[test]
    fn names_are_taken_apart_right_to_left() {
        use Extension::{Json, JsonGz};
        let cases = [
            ("+", "u.pin", "u.pin+0+0000000007.json", value(0, 7, 10, Json)),
            ("+", "u.pin", "u.pin+12+0000000007.json.gz", value(12, 7, 10, JsonGz)),
            ("-", "a-1-2", "a-1-2-3-0000000004.json", value(3, 4, 10, Json)),
            ("_", "a_1", "a_1_0_0000000004.json", value(0, 4, 10, Json)),
            (".", "a.keys.b", "a.keys.b.0.0000000004.json", value(0, 4, 10, Json)),
            ("--", "a-", "a---0--0000000004.json", value(0, 4, 10, Json)),
            ("x1", "t", "tx10x10000000004.json", value(0, 4, 10, Json)),
            ("+", "t", "t+0+10000000000.json", value(0, 10_000_000_000, 11, Json)),
            ("+", "t", "t+0+00000000000000000005.json", value(0, 5, 20, Json)),
            ("+", "t", "t+0+5.json", value(0, 5, 1, Json)),
            ("+", "t", "t+0+9223372036854775807.json", value(0, i64::MAX as u64, 19, Json)),
        ];
        for (delim, name_topic, name, expected) in cases {
            assert_eq!(Name::parse(name, &topic(name_topic), &layout(delim)), expected, "{name}");
        }
    }

    #[test]
    fn names_that_are_no_values_are_told_apart() {
        let sidecar = Name::Sidecar { partition: 0, start: 7 };
        let cases = [
            ("+", "t+0+0000000007.keys.json", sidecar),
            ("+", "t+0+0000000007.keys.json.gz", sidecar),
            ("+", "t+0+0000000007.headers.json", sidecar),
            ("+", "t+0+0000000007.keys.avro", sidecar),
            (".", "t.0.0000000007.headers.bin", sidecar),
            ("+", "other+0+0000000007.json", Name::Foreign),
            ("+", "other+0+0000000007.keys.avro", Name::Foreign),
            ("+", "t+0+0000000007.avro", Name::Other),
            ("+", "t+0+0000000007.snappy.parquet", Name::Other),
            ("+", "t+0+0000000007.JSON", Name::Other),
            ("+", "t+0+0000000007", Name::Other),
            ("+", "t+00+0000000007.json", Name::Other),
            ("+", "t+-1+0000000007.json", Name::Other),
            ("+", "t+4294967296+0000000007.json", Name::Other),
            ("+", "t+0+.json", Name::Other),
            ("+", "t++0000000007.json", Name::Other),
            ("+", "t+0+00000000x7.json", Name::Other),
            ("+", "t+0+9223372036854775808.json", Name::Other),
            ("+", "t+0+99999999999999999999.json", Name::Other),
            ("++", "t++0+++7.json", Name::Other),
            ("+", ".t+0+0000000007.json.swp", Name::Other),
            ("+", "_SUCCESS", Name::Other),
            ("+", ".json", Name::Other),
            ("+", "", Name::Other),
        ];
        for (delim, name, expected) in cases {
            assert_eq!(Name::parse(name, &topic("t"), &layout(delim)), expected, "{name}");
        }
    }

    #[test]
    fn a_blank_topics_dir_gives_keys_that_start_with_the_topic() {
        let source = |directory: &str| Source {
            topic: topic("t"),
            directory: directory.into(),
            partition: 0,
        };
        let cases = [
            ("topics", "partition=0", "topics/t/partition=0/"),
            ("", "partition=0", "t/partition=0/"),
            (" ", "partition=0", "t/partition=0/"),
            ("/a/b/", "year=2024/month=01", "a/b/t/year=2024/month=01/"),
            ("topics", "", "topics/t/"),
            ("", "", "t/"),
        ];
        for (topics_dir, directory, expected) in cases {
            let layout = Layout::new(topics_dir, "+").unwrap();
            assert_eq!(source(directory).prefix(&layout), expected);
        }
    }

    #[test]
    fn a_delimiter_that_looks_like_an_offset_is_refused() {
        for delim in ["", "0", "12", "/", "+/"] {
            assert!(matches!(Layout::new("topics", delim), Err(Error::Usage(_))), "{delim:?}");
        }
    }

    proptest! {
        #[test]
        fn a_name_that_was_written_reads_back_the_same(
            name in "[a-zA-Z0-9._-]{1,249}",
            delim in prop::sample::select(vec!["+", "-", "_", ".", "--", "+-+", "._", "x1", "~"]),
            partition: u32,
            start in prop_oneof![0..=i64::MAX as u64, 9_999_999_990..10_000_000_010u64],
            pad in 1..=20usize,
            gz: bool,
        ) {
            prop_assume!(Topic::parse(&name).is_some());
            let (topic, layout) = (topic(&name), layout(delim));
            let extension = if gz { Extension::JsonGz } else { Extension::Json };
            let width = format!("{start:0pad$}").len() as u8;
            let value = ValueName { partition, start, width, extension };
            let mut written = String::new();
            value.push_to(&mut written, &topic, &layout);
            prop_assert!(written.starts_with(&layout.name_prefix(&topic, partition)));
            prop_assert_eq!(Name::parse(&written, &topic, &layout), Name::Value(value));
        }

        #[test]
        fn a_value_name_that_was_read_is_written_the_same(
            name in "t[+.-]{1,2}[0-9]{1,3}[+.-]{1,2}[0-9]{1,21}(.keys)?.json(.gz)?",
            delim in prop::sample::select(vec!["+", "-", ".", "+-"]),
        ) {
            let (topic, layout) = (topic("t"), layout(delim));
            if let Name::Value(value) = Name::parse(&name, &topic, &layout) {
                let mut written = String::new();
                value.push_to(&mut written, &topic, &layout);
                prop_assert_eq!(written, name);
            }
        }
    }
}
