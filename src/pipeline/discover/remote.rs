//! Listing S3: only what comes after the watermarks, directories side by side.
//!
//! A folder of the default partitioner is listed flat, from its watermark on.
//! Any other is listed level by level. If its first page is not all of it, the
//! Kafka partitions that were committed are skipped, each up to its watermark,
//! and everything between them is listed: folders, and partitions that are new.
//!
//! Keys sort as text, offsets as numbers. Where the two differ the listing
//! takes in more and the watermark decides, as a number:
//! - An offset of 10^10 and more has more digits than the zeros were made for,
//!   and sorts before smaller ones. So from 10^9 on only names that begin with
//!   a zero are skipped ([`Block`]).
//! - A sink may be told to write offsets wider than usual. A watermark does not
//!   know the width, so the listing begins at the last committed object itself;
//!   if that is not met, the offsets are wider or the object was deleted, and
//!   what was skipped is listed after all.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

use super::folder::Folder;
use super::subject::{Block, Subject};
use super::{Found, Skipped, Survey};
use crate::key::Topic;
use crate::store::{ListPage, ListedKey, Page, S3};
use crate::{Error, Result};

/// Directories that are listed at once. S3 answers a LIST in some 50 ms, so
/// this is some 300 pages a second: far below what one prefix allows.
const SIDE_BY_SIDE: usize = 16;
/// Batches (pages, most of them) that wait for the plan.
const AHEAD: usize = 64;

/// Whatever answers LIST requests.
pub(super) trait Pages: Send + Sync + 'static {
    /// One LIST request.
    fn page(&self, request: ListPage) -> impl Future<Output = Result<Page>> + Send;
}

impl Pages for S3 {
    async fn page(&self, request: ListPage) -> Result<Page> {
        self.list_page(&request).await
    }
}

/// What lies directly below a prefix.
pub(super) async fn survey<P: Pages>(pages: &P, prefix: &str) -> Result<Survey> {
    let mut survey = Survey::default();
    let mut token = None;
    loop {
        let request =
            ListPage { prefix: prefix.into(), delimiter: true, token, ..ListPage::default() };
        let page = pages.page(request).await?;
        let names = page.prefixes.iter().filter_map(|p| p.strip_prefix(prefix));
        survey.folders.extend(names.map(|name| name.trim_end_matches('/').to_owned()));
        for object in page.objects {
            if name_below(&object.key, prefix).is_some() {
                survey.files.add(|| object.key);
            }
        }
        match page.next {
            Some(next) => token = Some(next),
            None => return Ok(survey),
        }
    }
}

/// Lists the topics on the runtime, and hands on what it finds from here.
pub(super) fn run<P: Pages>(
    pages: Arc<P>,
    subjects: Vec<Arc<Subject>>,
    runtime: &Handle,
    emit: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<BTreeMap<Topic, Skipped>> {
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    let walk = runtime.spawn(walk(pages, subjects, sender));
    while let Some(found) = receiver.blocking_recv() {
        if emit(found).is_break() {
            break;
        }
    }
    // Whoever still lists learns from this that nobody listens any more.
    drop(receiver);
    runtime.block_on(walk).map_err(internal)?
}

async fn walk<P: Pages>(
    pages: Arc<P>,
    subjects: Vec<Arc<Subject>>,
    found: mpsc::Sender<Found>,
) -> Result<BTreeMap<Topic, Skipped>> {
    let mut waiting: Vec<(Arc<Subject>, Arc<str>)> =
        subjects.into_iter().rev().map(|subject| (subject, "".into())).collect();
    let mut running = JoinSet::new();
    let mut skipped: BTreeMap<Topic, Skipped> = BTreeMap::new();
    loop {
        while running.len() < SIDE_BY_SIDE
            && let Some((subject, directory)) = waiting.pop()
        {
            running.spawn(Visit::new(&pages, subject, directory, &found).run());
        }
        let Some(visited) = running.join_next().await else { return Ok(skipped) };
        let visited = visited.map_err(internal)??;
        *skipped.entry(visited.subject.topic.clone()).or_default() += visited.skipped;
        if found.is_closed() {
            return Ok(skipped);
        }
        let children = visited.children.into_iter().rev();
        waiting.extend(children.map(|child| (visited.subject.clone(), child.into())));
    }
}

fn internal(e: JoinError) -> Error {
    Error::Internal { stage: "discover", message: e.to_string() }
}

/// One directory being listed.
struct Visit<P> {
    pages: Arc<P>,
    subject: Arc<Subject>,
    directory: Arc<str>,
    /// Its keys start with this; ends with `/`.
    prefix: String,
    /// Whether folders in it are listed on their own.
    delimiter: bool,
    found: mpsc::Sender<Found>,
    /// By directory: more than one if a flat listing meets folders.
    folders: BTreeMap<Arc<str>, Folder>,
    /// Folders in it, to be listed on their own.
    children: BTreeSet<String>,
}

/// What is left to do and to say when a directory was listed.
struct Visited {
    subject: Arc<Subject>,
    children: BTreeSet<String>,
    skipped: Skipped,
}

/// A range of keys in a directory.
#[derive(Debug, Default)]
struct Range<'a> {
    after: Option<&'a str>,
    /// Inclusive.
    through: Option<&'a str>,
    /// An object to look out for: Kafka partition and start offset.
    landmark: Option<(u32, u64)>,
}

/// Whether the landmark was met.
type Met = bool;

impl<P: Pages> Visit<P> {
    fn new(
        pages: &Arc<P>,
        subject: Arc<Subject>,
        directory: Arc<str>,
        found: &mpsc::Sender<Found>,
    ) -> Visit<P> {
        Visit {
            pages: pages.clone(),
            prefix: subject.directory_prefix(&directory),
            delimiter: subject.default_partition(&directory).is_none(),
            subject,
            directory,
            found: found.clone(),
            folders: BTreeMap::new(),
            children: BTreeSet::new(),
        }
    }

    async fn run(mut self) -> Result<Visited> {
        let blocks = self.subject.blocks(&self.directory);
        match blocks.as_slice() {
            [] => {
                self.list(Range::default(), None).await?;
            }
            [block] if !self.delimiter => self.list_after(block).await?,
            blocks => self.list_around(blocks).await?,
        }
        let mut skipped = Skipped::default();
        for folder in std::mem::take(&mut self.folders).into_values() {
            let (rest, more) = folder.finish();
            skipped += more;
            self.send(rest).await;
        }
        let met = self.children.len();
        self.children.retain(|child| !self.subject.is_past(child));
        skipped.older_folders += (met - self.children.len()) as u64;
        Ok(Visited { subject: self.subject, children: self.children, skipped })
    }

    /// Lists a folder that holds one Kafka partition: one request if nothing
    /// is new.
    async fn list_after(&mut self, block: &Block) -> Result<()> {
        if !self.list(block.tail(None), None).await? {
            let skipped = Range { through: Some(&block.cursor), ..Range::default() };
            self.list(skipped, None).await?;
        }
        Ok(())
    }

    /// Lists a folder, but not the blocks of what was committed: one request
    /// if it is small, else one more for each block if nothing is new.
    async fn list_around(&mut self, blocks: &[Block]) -> Result<()> {
        let first = self.request(&Range::default(), None).await?;
        if first.next.is_none() {
            self.take(first, &Range::default()).await;
            return Ok(());
        }
        let through = blocks.first().map(|block| block.first.as_str());
        self.list(Range { through, ..Range::default() }, Some(first)).await?;
        for (i, block) in blocks.iter().enumerate() {
            let through = blocks.get(i + 1).map(|next| next.first.as_str());
            if !self.list(block.tail(through), None).await? {
                let (after, through) = (Some(block.first.as_str()), Some(block.cursor.as_str()));
                self.list(Range { after, through, landmark: None }, None).await?;
            }
        }
        Ok(())
    }

    /// Lists a range; its first page may be there already.
    async fn list(&mut self, range: Range<'_>, first: Option<Page>) -> Result<Met> {
        let mut page = match first {
            Some(page) => page,
            None if self.found.is_closed() => return Ok(true),
            None => self.request(&range, None).await?,
        };
        let mut met = false;
        loop {
            let next = page.next.take();
            let taken = self.take(page, &range).await;
            met |= taken.met;
            match next {
                Some(token) if !taken.end => page = self.request(&range, Some(token)).await?,
                _ => return Ok(met),
            }
        }
    }

    async fn request(&self, range: &Range<'_>, token: Option<String>) -> Result<Page> {
        let request = ListPage {
            prefix: self.prefix.clone(),
            start_after: range.after.map(str::to_owned),
            delimiter: self.delimiter,
            max_keys: None,
            token,
        };
        self.pages.page(request).await
    }

    /// Sorts a page's keys and hands on what is new.
    async fn take(&mut self, page: Page, range: &Range<'_>) -> Taken {
        let mut taken = Taken::default();
        for object in page.objects {
            match range.through {
                Some(through) if object.key.as_str() > through => taken.end = true,
                _ => taken.met |= self.take_key(object, range.landmark),
            }
        }
        for folder in page.prefixes {
            let folder = folder.trim_end_matches('/');
            // Compared as S3 sorts it: with its delimiter.
            match range.through {
                Some(through) if format!("{folder}/").as_str() > through => taken.end = true,
                _ => self.take_folder(folder),
            }
        }
        let ready: Vec<Found> = self.folders.values_mut().flat_map(Folder::ready).collect();
        taken.end |= !self.send(ready).await;
        taken
    }

    fn take_folder(&mut self, key: &str) {
        if let Some(directory) = key.strip_prefix(&self.subject.prefix) {
            self.children.insert(directory.to_owned());
        }
    }

    fn take_key(&mut self, object: ListedKey, landmark: Option<(u32, u64)>) -> Met {
        let ListedKey { key, size, etag } = object;
        let Some(name) = name_below(&key, &self.prefix) else { return false };
        let (folder, name) = match name.rsplit_once('/') {
            None => (self.folder(&self.directory.clone()), name),
            Some((below, name)) => {
                let directory = match &*self.directory {
                    "" => below.to_owned(),
                    directory => format!("{directory}/{below}"),
                };
                (self.folder(&directory.into()), name)
            }
        };
        let Some(value) = folder.read(name) else { return false };
        let new = folder.is_new(value.partition, value.start);
        if new || folder.is_rewritten(&value, size) {
            folder.push(value, size, etag.map(String::into_boxed_str));
        }
        landmark == Some((value.partition, value.start))
    }

    fn folder(&mut self, directory: &Arc<str>) -> &mut Folder {
        self.folders
            .entry(directory.clone())
            .or_insert_with(|| Folder::new(self.subject.clone(), directory.clone()))
    }

    /// Whether somebody still listens.
    async fn send(&self, found: Vec<Found>) -> bool {
        for found in found {
            if self.found.send(found).await.is_err() {
                return false;
            }
        }
        true
    }
}

impl Block {
    /// From the watermark on.
    fn tail<'a>(&'a self, through: Option<&'a str>) -> Range<'a> {
        let landmark = Some((self.partition, self.committed));
        Range { after: Some(&self.cursor), through, landmark }
    }
}

#[derive(Default)]
struct Taken {
    met: Met,
    /// Whether the range ends in this page.
    end: bool,
}

/// The part of a key after a prefix; none for the markers of folders, which are
/// objects of no bytes whose key is the folder's.
fn name_below<'a>(key: &'a str, prefix: &str) -> Option<&'a str> {
    key.strip_prefix(prefix).filter(|name| !name.is_empty() && !name.ends_with('/'))
}
