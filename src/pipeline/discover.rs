//! Listing: which objects are new, per topic, directory and Kafka partition.
//!
//! Requests, when nothing is new: one for the topics, one for each topic's
//! folder, one for each directory below it. In a directory of more than 1,000
//! objects that is not of the default partitioner, one more for each Kafka
//! partition that was committed. Watermarks at or past 10^9 cost more: names
//! of eleven digits may sort before them (see `discover/remote.rs`).
//!
//! The last committed object of a default partitioner's directory is listed
//! again: if its size has changed, the sink has written it anew, and it is read
//! again from the watermark on.
//!
//! Folders of a time-based partitioner that are older than the lookback are not
//! listed, nor is a year or month that is older as a whole, on S3 as on a disk:
//! what arrives there late needs a longer lookback or `full`.
//!
//! On S3 what lies before a watermark is not listed. So these need `full`:
//! an object that arrives there late or is written anew, what a sink writes once its
//! `filename.offset.zero.pad.width` was raised, and the folders that it makes
//! in a committed `partition=N` once its `s3.schema.partition.affix.type` is
//! `SUFFIX`.

use std::collections::BTreeMap;
use std::ops::{AddAssign, ControlFlow};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::key::{Extension, Layout, Source, Topic, ValueName};
use crate::spec::{Spec, TopicGlob};
use crate::store::{Backend, Store};
use crate::{Error, Result};

mod folder;
mod local;
mod lookback;
mod remote;
mod split;
mod subject;
mod topics;

use subject::Subject;
use topics::Choice;

pub use lookback::Lookback;

/// One object of records, small: a plan holds many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The start offset in its name.
    pub start: u64,
    /// Bytes, as listed. In a folder of very many small files this is their mean,
    /// unless [`Listing::exact_sizes`].
    pub size: u64,
    /// Digits of the offset in its name, zeros included.
    pub width: u8,
    /// How its name ends.
    pub extension: Extension,
    /// The ETag, on S3.
    pub etag: Option<Box<str>>,
}

impl Object {
    /// Its file name, exactly as listed.
    pub fn file_name(&self, source: &Source, layout: &Layout) -> String {
        let mut name = String::new();
        self.push_file_name(&mut name, source, layout);
        name
    }

    /// Appends its file name to `out`, which a loop can use again.
    pub fn push_file_name(&self, out: &mut String, source: &Source, layout: &Layout) {
        let &Object { start, width, extension, .. } = self;
        let name = ValueName { partition: source.partition, start, width, extension };
        name.push_to(out, &source.topic, layout);
    }

    /// Its key below the source's root, exactly as listed.
    pub fn key(&self, source: &Source, layout: &Layout) -> String {
        let mut key = source.prefix(layout);
        self.push_file_name(&mut key, source, layout);
        key
    }
}

/// New objects of one source.
///
/// Over all batches of a source start offsets rise, except that they begin
/// again at most once, where a sink's offset width was changed: names then do
/// not sort as their numbers do.
#[derive(Debug)]
pub struct Found {
    /// Topic, directory and Kafka partition.
    pub source: Arc<Source>,
    /// Index of the table's spec.
    pub table: usize,
    /// The objects, each past the source's watermark; may be empty.
    pub objects: Vec<Object>,
    /// Whether this is all of the source.
    pub last: bool,
}

/// How far a source was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// Start offset of the last committed object.
    pub start: u64,
    /// The offset after its last record: start plus records. Just past `start` if
    /// the object holds other records than its offsets allow.
    pub end: u64,
    /// The last committed object, as it was then.
    #[serde(default)]
    pub last: Option<LastObject>,
}

/// What is known of an object after it was read: enough to see that the sink
/// has written it again with more records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastObject {
    /// Bytes, as read.
    pub size: u64,
    /// How its name ended.
    pub extension: Extension,
}

/// The watermarks of one table.
pub type Watermarks = BTreeMap<Source, Watermark>;

/// What is listed, and what is known of it.
#[derive(Clone, Copy)]
pub struct Listing<'a> {
    /// Where the sink wrote.
    pub store: &'a Store,
    /// How it names objects.
    pub layout: &'a Layout,
    /// The tables' specs.
    pub specs: &'a [Spec],
    /// The topics that are wanted; empty for all.
    pub topic_globs: &'a [TopicGlob],
    /// How far each table was committed; one for each spec, in their order.
    pub watermarks: &'a [Watermarks],
    /// Whether to list everything, whatever was committed.
    pub full: bool,
    /// Which folders of a time-based partitioner are listed; `None` for all.
    pub lookback: Option<Lookback>,
    /// Whether the size of each object must be known before it is read: in a folder
    /// of small files, asking for it takes about as long as reading.
    pub exact_sizes: bool,
    /// Where requests run.
    pub runtime: &'a Handle,
}

/// What was listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovered {
    /// The topics that have a transform.
    pub topics: BTreeMap<Topic, TopicFound>,
    /// The sources that have new objects.
    pub sources: BTreeMap<Source, Total>,
    /// The topics that no transform is for; nothing of them was listed.
    pub without_transform: Vec<Topic>,
    /// What lies among the topics and is none: files, and folders whose names
    /// Kafka would not allow.
    pub strays: Strays,
}

/// What was listed of one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicFound {
    /// Index of the table's spec.
    pub table: usize,
    /// New objects of records.
    pub new: Total,
    /// What was not read, and is well.
    pub skipped: Skipped,
    /// When its latest objects were written.
    pub latest: Latest,
}

/// When the latest objects were written, as the store says. In each directory the
/// object of the greatest start offset counts, for each Kafka partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latest {
    /// Of all that were listed; `None` if there are none, or the store does not say.
    pub listed: Option<DateTime<Utc>>,
    /// Of those that the watermarks stand at; `None` too if none of these was listed.
    pub committed: Option<DateTime<Utc>>,
}

impl AddAssign for Latest {
    fn add_assign(&mut self, more: Latest) {
        self.listed = self.listed.max(more.listed);
        self.committed = self.committed.max(more.committed);
    }
}

/// Objects and their bytes, as listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// Objects.
    pub objects: u64,
    /// Bytes.
    pub bytes: u64,
}

impl AddAssign for Total {
    fn add_assign(&mut self, more: Total) {
        self.objects += more.objects;
        self.bytes += more.bytes;
    }
}

/// What was not read: objects that hold no records of their topic, and folders
/// that are too old. What lies before a watermark was counted by the run that
/// committed it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Keys and headers beside the values.
    pub sidecars: u64,
    /// Keys of records whose value is null.
    pub tombstones: u64,
    /// Objects named for another topic.
    pub foreign: Strays,
    /// All others.
    pub other: Strays,
    /// Sources that hold objects, none of them as new as what was committed: a
    /// topic that was created again, perhaps. What is in them is not read.
    pub behind: Strays,
    /// Folders that were not listed, since they are older than the lookback. What
    /// is below one is not known: it counts once.
    pub older_folders: u64,
}

impl AddAssign for Skipped {
    fn add_assign(&mut self, more: Skipped) {
        self.sidecars += more.sidecars;
        self.tombstones += more.tombstones;
        self.foreign += more.foreign;
        self.other += more.other;
        self.behind += more.behind;
        self.older_folders += more.older_folders;
    }
}

/// What a listing learns of a topic besides its new objects.
#[derive(Debug, Default)]
struct Besides {
    skipped: Skipped,
    latest: Latest,
}

impl AddAssign for Besides {
    fn add_assign(&mut self, more: Besides) {
        self.skipped += more.skipped;
        self.latest += more.latest;
    }
}

/// A count of things that do not belong, with a few of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strays {
    /// How many.
    pub count: u64,
    /// At most [`Strays::EXAMPLES`] of them: keys below the source's root.
    pub examples: Vec<String>,
}

impl Strays {
    /// How many names are kept.
    pub const EXAMPLES: usize = 5;

    fn add(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.examples.len() < Self::EXAMPLES {
            self.examples.push(name());
        }
    }
}

impl AddAssign for Strays {
    fn add_assign(&mut self, more: Strays) {
        self.count += more.count;
        let room = Self::EXAMPLES - self.examples.len();
        self.examples.extend(more.examples.into_iter().take(room));
    }
}

/// Lists what is new and hands it to `emit` while the listing goes on; `emit`
/// ends it early by breaking. Blocks; not to be called on a runtime's thread.
///
/// # Errors
/// [`Error::NothingMatched`] if no topic has a transform, [`Error::Usage`] if
/// one has two, and whatever listing can fail with.
pub fn discover(
    input: &Listing<'_>,
    mut emit: impl FnMut(Found) -> ControlFlow<()>,
) -> Result<Discovered> {
    let survey = survey(input, &input.layout.topics_prefix())?;
    let choice = topics::choose(&survey.folders, input)?;
    if choice.matched.is_empty() {
        return Err(nothing_matched(&survey, &choice, input)?);
    }
    let subjects: Vec<Arc<Subject>> =
        choice.matched.into_iter().map(|chosen| Arc::new(Subject::new(chosen, input))).collect();
    let mut discovered = Discovered {
        topics: subjects.iter().map(|subject| subject.nothing_found()).collect(),
        without_transform: choice.without_transform,
        strays: choice.strays,
        ..Discovered::default()
    };
    discovered.strays += survey.files;

    let mut totals: BTreeMap<Arc<Source>, Total> = BTreeMap::new();
    let mut count_and_emit = |found: Found| {
        if !found.objects.is_empty() {
            let bytes = found.objects.iter().map(|o| o.size).sum();
            let total = Total { objects: found.objects.len() as u64, bytes };
            *totals.entry(found.source.clone()).or_default() += total;
        }
        emit(found)
    };
    let besides = match input.store.backend() {
        Backend::Local(root) => local::walk(root, input, &subjects, &mut count_and_emit)?,
        Backend::S3(s3) => {
            remote::run(Arc::new(s3.clone()), subjects, input.runtime, &mut count_and_emit)?
        }
    };
    discovered.add(totals, besides);
    Ok(discovered)
}

/// The topics that are there, sorted; none if their folder is not there. Blocks;
/// not to be called on a runtime's thread.
///
/// # Errors
/// Whatever listing can fail with.
pub fn list_topics(input: &Listing<'_>) -> Result<Vec<Topic>> {
    let survey = survey(input, &input.layout.topics_prefix())?;
    Ok(survey.folders.iter().filter_map(|folder| Topic::parse(folder)).collect())
}

impl Discovered {
    fn add(&mut self, totals: BTreeMap<Arc<Source>, Total>, besides: BTreeMap<Topic, Besides>) {
        for (source, total) in totals {
            if let Some(topic) = self.topics.get_mut(&source.topic) {
                topic.new += total;
            }
            self.sources.insert(Arc::unwrap_or_clone(source), total);
        }
        for (name, besides) in besides {
            if let Some(topic) = self.topics.get_mut(&name) {
                topic.skipped += besides.skipped;
                topic.latest += besides.latest;
            }
        }
    }
}

fn nothing_matched(survey: &Survey, choice: &Choice, input: &Listing<'_>) -> Result<Error> {
    // Where the topics are not, their folder may have been misnamed.
    let misnamed = survey.is_empty() && !input.layout.topics_dir.is_empty();
    let siblings = if misnamed { self::survey(input, "")?.folders } else { Vec::new() };
    let found = topics::explain(survey, choice, &siblings, input);
    Ok(Error::NothingMatched { place: input.store.url().to_owned(), found })
}

/// What lies directly below a prefix.
#[derive(Debug, Default)]
struct Survey {
    /// Names of folders, sorted.
    folders: Vec<String>,
    /// Files.
    files: Strays,
}

impl Survey {
    fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.files.count == 0
    }
}

fn survey(input: &Listing<'_>, prefix: &str) -> Result<Survey> {
    let mut survey = match input.store.backend() {
        Backend::Local(root) => local::survey(root, prefix, input.store.requests())?,
        Backend::S3(s3) => input.runtime.block_on(remote::survey(s3, prefix))?,
    };
    survey.folders.sort_unstable();
    Ok(survey)
}

#[cfg(test)]
mod tests;
