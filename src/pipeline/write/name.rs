//! The names of Parquet files.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::key::{Extension, Source, Topic};
use crate::pipeline::plan::Shard;

/// A Parquet file's name: `<topic>+<partition>+<first>-<last>.<directory>.<generation>.<inputs>.parquet`.
///
/// `first` and `last` are the start offsets of the shard's first and last
/// object. `directory` is a hash of the source's directory, so that no name
/// holds a path separator. `inputs` is a hash of all that determines the rows:
/// this version of pinclean, the transform, the objects with their sizes and tags,
/// and those that follow them. Two files of one name therefore hold the same rows, and it does no
/// harm if the second replaces the first, whichever was committed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileName {
    /// The topic.
    pub topic: Topic,
    /// The Kafka partition.
    pub partition: u32,
    /// Start offset of the first object.
    pub first: u64,
    /// Start offset of the last object.
    pub last: u64,
    /// Hash of the directory.
    pub directory: u64,
    /// The manifest that a full run builds; 0 for an increment.
    pub generation: u64,
    /// Hash of what determines the rows.
    pub inputs: u64,
}

impl FileName {
    /// The name of a shard's files.
    pub fn of(shard: &Shard, spec_hash: &str, generation: u64) -> FileName {
        let starts = || shard.objects.iter().map(|o| o.start);
        FileName {
            topic: shard.source.topic.clone(),
            partition: shard.source.partition,
            first: starts().next().unwrap_or(0),
            last: starts().next_back().unwrap_or(0),
            directory: directory_hash(&shard.source),
            generation,
            inputs: inputs_hash(shard, spec_hash),
        }
    }

    /// The name without its ending, for a table whose log may list an earlier
    /// attempt's file of the same rows and another size: with the part of the
    /// run's id that is random, so that no attempt overwrites the file of another.
    /// [`parse`](Self::parse) takes no such name for its own.
    pub fn stem_of_run(&self, run_id: &str) -> String {
        let random = run_id.rsplit('-').next().unwrap_or(run_id);
        format!("{}-{random}", self.stem())
    }

    /// The name without its ending.
    pub fn stem(&self) -> String {
        let FileName { topic, partition, first, last, directory, generation, inputs } = self;
        format!(
            "{topic}+{partition}+{first:010}-{last:010}.{directory:016x}.{generation}.{inputs:016x}"
        )
    }

    /// Reads a name back; `None` for any name that pinclean does not give to the
    /// one file of a shard.
    pub fn parse(name: &str) -> Option<FileName> {
        let mut parts = name.strip_suffix(".parquet")?.rsplitn(4, '.');
        let inputs = u64::from_str_radix(parts.next()?, 16).ok()?;
        let generation = parts.next()?.parse().ok()?;
        let directory = u64::from_str_radix(parts.next()?, 16).ok()?;
        let mut range = parts.next()?.rsplitn(3, '+');
        let (first, last) = range.next()?.split_once('-')?;
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        let partition = range.next()?.parse().ok()?;
        let topic = Topic::parse(range.next()?)?;
        let parsed = FileName { topic, partition, first, last, directory, generation, inputs };
        (parsed.to_string() == name).then_some(parsed)
    }

    /// What the file's watermark is kept under.
    pub fn source(&self) -> SourceHash {
        SourceHash {
            topic: self.topic.clone(),
            partition: self.partition,
            directory: self.directory,
        }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.parquet", self.stem())
    }
}

/// A [`Source`] as far as a file's name tells it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceHash {
    topic: Topic,
    partition: u32,
    directory: u64,
}

impl From<&Source> for SourceHash {
    fn from(source: &Source) -> SourceHash {
        SourceHash {
            topic: source.topic.clone(),
            partition: source.partition,
            directory: directory_hash(source),
        }
    }
}

fn directory_hash(source: &Source) -> u64 {
    head(Sha256::digest(source.directory.as_bytes()).into())
}

fn inputs_hash(shard: &Shard, spec_hash: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update([0]);
    hash.update(spec_hash);
    hash.update([0]);
    hash.update((shard.objects.len() as u64).to_le_bytes());
    hash.update(shard.floor.to_le_bytes());
    for object in shard.objects.iter().chain(&shard.following.objects) {
        hash.update(object.start.to_le_bytes());
        hash.update(object.size.to_le_bytes());
        hash.update([object.width, u8::from(object.extension == Extension::JsonGz)]);
        hash.update(object.etag.as_deref().unwrap_or("").as_bytes());
        hash.update([0]);
    }
    head(hash.finalize().into())
}

fn head(digest: [u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = digest;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::pipeline::discover::Object;
    use crate::pipeline::plan::Following;

    fn shard() -> Shard {
        let object = |start| Object {
            start,
            size: 10,
            width: 10,
            extension: Extension::Json,
            etag: Some("e".into()),
        };
        Shard {
            source: Arc::new(Source {
                topic: Topic::parse("a.pin").unwrap(),
                directory: "year=2024/month=01".into(),
                partition: 3,
            }),
            table: 0,
            objects: vec![object(5), object(12_345_678_901)],
            following: Following::default(),
            floor: 0,
        }
    }

    #[test]
    fn a_name_tells_the_key_range_and_reads_back() {
        let name = FileName::of(&shard(), "abc", 7);
        let text = name.to_string();
        assert!(text.starts_with("a.pin+3+0000000005-12345678901."), "{text}");
        assert!(!text.contains('/'));
        assert_eq!(FileName::parse(&text), Some(name));
    }

    #[test]
    fn foreign_names_are_not_read() {
        let good = FileName::of(&shard(), "abc", 0).to_string();
        for name in [
            "part-00000.snappy.parquet".to_owned(),
            "_SUCCESS".to_owned(),
            good.replace(".parquet", ".json"),
            good.replace("+3+", "+03+"),
            good.replace("0000000005", "5"),
            good.replace("a.pin", "a pin"),
            good.to_uppercase(),
            format!("{good}#1"),
            format!("x/{good}"),
        ] {
            assert_eq!(FileName::parse(&name), None, "{name}");
        }
    }

    #[test]
    fn no_two_runs_give_one_name_and_neither_is_taken_for_the_name_of_a_shard() {
        let name = FileName::of(&shard(), "abc", 7);
        let [a, b] = ["20240131T235959Z-0a1b2c3d", "20240131T235959Z-0a1b2c3e"]
            .map(|run| format!("{}.parquet", name.stem_of_run(run)));
        assert_ne!(a, b);
        assert!(a.ends_with("-0a1b2c3d.parquet"), "{a}");
        assert_eq!(FileName::parse(&a), None);
        assert_eq!(FileName::parse(&a.replace(".parquet", "-1.parquet")), None);
    }

    #[test]
    fn whatever_determines_the_rows_changes_the_name() {
        type Change = fn(&mut Shard);
        let changes: [Change; 9] = [
            |s| s.following.objects.push(s.objects[0].clone()),
            |s| s.following.objects = vec![s.objects.remove(1)],
            |s| {
                let moved = Object { start: 99_999_999_999, ..s.objects[0].clone() };
                s.following.objects.push(moved);
            },
            |s| s.floor = 1,
            |s| s.objects[0].size += 1,
            |s| s.objects[0].etag = None,
            |s| s.objects[0].extension = Extension::JsonGz,
            |s| s.objects[0].width = 11,
            |s| drop(s.objects.remove(0)),
        ];
        let base = FileName::of(&shard(), "abc", 0);
        assert_ne!(base.inputs, FileName::of(&shard(), "abd", 0).inputs);
        for (i, change) in changes.iter().enumerate() {
            let mut other = shard();
            change(&mut other);
            assert_ne!(base.inputs, FileName::of(&other, "abc", 0).inputs, "change {i}");
        }
    }

    #[test]
    fn directories_are_told_apart() {
        let mut other = shard();
        let source = Arc::make_mut(&mut other.source);
        source.directory = "year=2024/month=02".into();
        assert_ne!(
            FileName::of(&shard(), "abc", 0).source(),
            FileName::of(&other, "abc", 0).source()
        );
        assert_eq!(
            FileName::of(&other, "abc", 0).source(),
            SourceHash::from(other.source.as_ref())
        );
    }
}
