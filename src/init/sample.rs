//! A few of a topic's objects, from all over it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::key::{Layout, Source, Topic};
use crate::pipeline::discover::{Discovered, Found, Listing, Object, discover, list_topics};
use crate::pipeline::fetch::{FetchLimits, Fetcher, RawBatch, fetch};
use crate::pipeline::plan::{Following, Shard};
use crate::spec::{Spec, parse};
use crate::store::Store;
use crate::{Error, Result};

/// Objects that are listed at most: a topic may have millions.
const LISTED: usize = 200_000;

/// Bytes of records that are kept at most, whatever the objects hold.
const BYTES: usize = 64 << 20;

/// Sources that are read side by side.
const SIDE_BY_SIDE: usize = 16;

/// Names that a message lists.
const NAMES: usize = 20;

/// Which topic, where, and how much of it.
#[derive(Clone, Copy)]
pub struct Sampling<'a> {
    /// The topic.
    pub topic: &'a Topic,
    /// Where the sink wrote.
    pub store: &'a Store,
    /// How it names objects.
    pub layout: &'a Layout,
    /// How many objects are read, at most.
    pub objects: usize,
    /// Where requests run.
    pub runtime: &'a Handle,
}

/// The records of some objects.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// Whole lines.
    pub lines: Vec<u8>,
    /// Objects that were read.
    pub objects: usize,
    /// Directories that they lie in.
    pub directories: usize,
    /// Kafka partitions that they are of.
    pub partitions: usize,
}

/// Reads some objects of a topic, spread over its directories and partitions
/// and, in each of these, from the first to the last. Blocks; not to be called
/// on a runtime's thread.
///
/// # Errors
/// [`Error::NothingMatched`] if the topic has no objects of records, and
/// whatever listing and reading can fail with.
pub fn sample(input: &Sampling<'_>) -> Result<Sample> {
    let listed = list(input)?;
    let shards = spread(listed, input.objects);
    let limits = FetchLimits::default();
    let (store, layout) = (input.store.clone(), input.layout.clone());
    let fetcher = Fetcher::new(store, layout, limits, input.runtime.clone());
    let mut sample = Sample {
        lines: Vec::new(),
        objects: shards.iter().map(|shard| shard.objects.len()).sum(),
        directories: count(&shards, |source| source.directory.to_string()),
        partitions: count(&shards, |source| source.partition),
    };
    let mut left = shards.len();
    for some in shards.chunks(SIDE_BY_SIDE) {
        // On S3 each of these reads ahead from here on.
        let readers: Vec<_> = some.iter().map(|shard| fetch(&fetcher, Arc::clone(shard))).collect();
        for batches in readers {
            let room = (BYTES - sample.lines.len().min(BYTES)) / left;
            let full = sample.lines.len() + room;
            for batch in batches {
                push(&mut sample.lines, &batch?, full);
                if sample.lines.len() >= full {
                    break;
                }
            }
            left -= 1;
        }
    }
    Ok(sample)
}

/// Appends the lines of a batch, until there are about as many bytes.
fn push(lines: &mut Vec<u8>, batch: &RawBatch, full: usize) {
    for piece in batch.pieces.iter().filter(|piece| piece.cut.is_none() && piece.fault.is_none()) {
        for line in batch.bytes[piece.range.clone()].split(|byte| *byte == b'\n') {
            if lines.len() >= full {
                return;
            }
            if !line.trim_ascii().is_empty() {
                lines.extend_from_slice(line);
                lines.push(b'\n');
            }
        }
    }
}

fn count<T: Ord>(shards: &[Arc<Shard>], part: impl Fn(&Source) -> T) -> usize {
    shards.iter().map(|shard| part(&shard.source)).collect::<BTreeSet<T>>().len()
}

/// The objects of the topic, by source.
fn list(input: &Sampling<'_>) -> Result<BTreeMap<Arc<Source>, Vec<Object>>> {
    let Sampling { topic, store, layout, runtime, .. } = *input;
    let spec = any(topic)?;
    let plan = Listing {
        store,
        layout,
        specs: std::slice::from_ref(&spec),
        topic_globs: &[],
        watermarks: &[],
        full: true,
        lookback: None,
        exact_sizes: false,
        runtime,
    };
    let there = list_topics(&plan)?;
    if !there.is_empty() && !there.contains(topic) {
        return Err(nothing(
            input,
            format!("there is no topic {topic}; there are {}", shown(&there)),
        ));
    }
    let mut listed: BTreeMap<Arc<Source>, Vec<Object>> = BTreeMap::new();
    let mut total = 0;
    let discovered = discover(&plan, |Found { source, objects, .. }| {
        total += objects.len();
        if !objects.is_empty() {
            listed.entry(source).or_default().extend(objects);
        }
        if total < LISTED { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if listed.is_empty() {
        return Err(nothing(input, skipped(topic, &discovered)));
    }
    Ok(listed)
}

/// A spec that is for the topic, whatever is in it.
fn any(topic: &Topic) -> Result<Spec> {
    let text = format!(
        "version = 1\ntable = \"any\"\ntopics = [\"{topic}\"]\n\
         [[column]]\nname = \"a\"\ntype = \"string\"\nfield = \"a\"\n"
    );
    parse("the topic", &text).map_err(|problems| Error::Internal {
        stage: "init",
        message: problems.iter().map(ToString::to_string).collect(),
    })
}

fn nothing(input: &Sampling<'_>, found: String) -> Error {
    Error::NothingMatched { place: input.store.join(&input.layout.topics_prefix()), found }
}

fn shown(topics: &[Topic]) -> String {
    let names: Vec<_> = topics.iter().take(NAMES).map(Topic::as_str).collect();
    match topics.len() - names.len() {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn skipped(topic: &Topic, discovered: &Discovered) -> String {
    let mut text = format!("topic {topic} has no objects of records");
    let found = discovered.topics.get(topic).map(|found| &found.skipped);
    let strays = found.map(|skipped| (&skipped.foreign.examples, &skipped.other.examples));
    if let Some((foreign, other)) = strays
        && let Some(example) = foreign.iter().chain(other).next()
    {
        text.push_str(&format!(", but such as {example}"));
    }
    text
}

/// At most `most` objects, evenly from all sources; of too many sources some.
fn spread(listed: BTreeMap<Arc<Source>, Vec<Object>>, most: usize) -> Vec<Arc<Shard>> {
    let sources = every_nth(listed.into_iter().collect(), most);
    let mut left = (most, sources.len());
    let mut sources = sources;
    // What small sources leave over is for the large ones.
    sources.sort_by_key(|(_, objects)| objects.len());
    let shards = sources.into_iter().map(|(source, objects)| {
        let objects = every_nth(objects, left.0 / left.1);
        left = (left.0 - objects.len(), left.1 - 1);
        Arc::new(Shard { source, table: 0, objects, following: Following::default(), floor: 0 })
    });
    shards.collect()
}

/// At most `most` of a list, the first and the last among them.
fn every_nth<T>(list: Vec<T>, most: usize) -> Vec<T> {
    let count = list.len();
    if count <= most {
        return list;
    }
    let chosen: BTreeSet<usize> = match most {
        0 | 1 => (0..most).collect(),
        _ => (0..most).map(|n| n * (count - 1) / (most - 1)).collect(),
    };
    list.into_iter().enumerate().filter(|(n, _)| chosen.contains(n)).map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_list_has_its_ends() {
        for (count, most, expected) in [
            (3, 5, &[0, 1, 2][..]),
            (10, 4, &[0, 3, 6, 9]),
            (10, 2, &[0, 9]),
            (10, 1, &[0]),
            (10, 0, &[]),
            (0, 3, &[]),
        ] {
            assert_eq!(every_nth((0..count).collect(), most), expected, "{most} of {count}");
        }
    }
}
