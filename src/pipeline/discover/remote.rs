//! Listing S3: only what comes after the watermarks, directories side by side.
//!
//! A folder of the default partitioner is listed flat, from its watermark on.
//! Any other is listed level by level. If its first page is not all of it, the
//! Kafka partitions that were committed are skipped, each up to its watermark,
//! and everything between them is listed: folders, and partitions that are new.
//!
//! A range that is longer than some pages is cut into many by the offsets in
//! their names ([`Cuts`]), which are listed side by side and read in order.
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

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesOrdered, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};

use super::folder::Folder;
use super::split::Cuts;
use super::subject::{Block, Subject};
use super::{Besides, Found, Survey};
use crate::key::Topic;
use crate::store::{ListPage, ListedKey, Page, S3};
use crate::{Error, Result};

/// Directories that are listed at once. S3 answers a LIST in some 50 ms, so
/// this is some 300 pages a second: far below what one prefix allows.
const SIDE_BY_SIDE: usize = 16;
/// Batches (pages, most of them) that wait for the plan.
const AHEAD: usize = 64;

/// Pages after which a range is long.
const LONG: usize = 3;
/// Ranges of one directory that are listed at once, and of all: each may hold
/// a few pages.
pub(super) const RANGES: usize = 16;
const ALL_RANGES: usize = 32;
/// Pages of a range that are read before those of the ranges before it.
const RANGE_PAGES: usize = 4;

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
) -> Result<BTreeMap<Topic, Besides>> {
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
) -> Result<BTreeMap<Topic, Besides>> {
    let mut waiting: Vec<(Arc<Subject>, Arc<str>)> =
        subjects.into_iter().rev().map(|subject| (subject, "".into())).collect();
    let mut running = JoinSet::new();
    let spare = Arc::new(Semaphore::new(ALL_RANGES));
    let mut besides: BTreeMap<Topic, Besides> = BTreeMap::new();
    loop {
        while running.len() < SIDE_BY_SIDE
            && let Some((subject, directory)) = waiting.pop()
        {
            running.spawn(Visit::new(&pages, (subject, directory), &spare, &found).run());
        }
        let Some(visited) = running.join_next().await else { return Ok(besides) };
        let visited = visited.map_err(internal)??;
        *besides.entry(visited.subject.topic.clone()).or_default() += visited.besides;
        if found.is_closed() {
            return Ok(besides);
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
    /// Ranges that may be listed besides the one that is read.
    spare: Arc<Semaphore>,
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
    besides: Besides,
}

/// A range of keys in a directory.
#[derive(Debug, Default, Clone, Copy)]
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
        (subject, directory): (Arc<Subject>, Arc<str>),
        spare: &Arc<Semaphore>,
        found: &mpsc::Sender<Found>,
    ) -> Visit<P> {
        Visit {
            pages: pages.clone(),
            prefix: subject.directory_prefix(&directory),
            delimiter: subject.default_partition(&directory).is_none(),
            subject,
            directory,
            spare: spare.clone(),
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
        let mut besides = Besides::default();
        for folder in std::mem::take(&mut self.folders).into_values() {
            let (rest, more) = folder.finish();
            besides += more;
            self.send(rest).await;
        }
        let met = self.children.len();
        self.children.retain(|child| !self.subject.is_past(child));
        besides.skipped.older_folders += (met - self.children.len()) as u64;
        Ok(Visited { subject: self.subject, children: self.children, besides })
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
        for pages in 1.. {
            let next = page.next.take();
            let (long, last) = (pages >= LONG && next.is_some(), page.objects.last());
            let split = last.filter(|_| long).and_then(|last| {
                Some((last.key.clone(), Cuts::after(&self.subject, &self.prefix, &page)?))
            });
            let taken = self.take(page, &range).await;
            met |= taken.met;
            match (next, split) {
                (Some(token), Some((last, cuts))) if !taken.end => {
                    let start = Start::Token { token, last };
                    return Ok(met | self.list_split(range, start, cuts).await?);
                }
                (Some(token), None) if !taken.end => {
                    page = self.request(&range, Some(token)).await?;
                }
                _ => break,
            }
        }
        Ok(met)
    }

    /// Lists what is left of a long range, from a start: many ranges side by side, more of
    /// them the longer it gets, since those past its end are listed in vain.
    async fn list_split(
        &mut self,
        range: Range<'_>,
        mut start: Start,
        mut cuts: Cuts,
    ) -> Result<Met> {
        let mut met = false;
        let mut parts: FuturesOrdered<BoxFuture<'_, Result<Part>>> = FuturesOrdered::new();
        // Ranges that held nothing, less those that did.
        let mut in_vain = 0_usize;
        let mut most = 2;
        let mut cutting = true;
        loop {
            while cutting && parts.len() < most {
                let spare = self.spare.clone().try_acquire_owned().ok();
                if spare.is_none() && !parts.is_empty() {
                    break;
                }
                let fits = |cut: &String| {
                    start.is_before(cut) && range.through.is_none_or(|end| cut.as_str() < end)
                };
                let Some(cut) = cuts.next().filter(fits) else {
                    cutting = false;
                    break;
                };
                let start = std::mem::replace(&mut start, Start::After(cut.clone()));
                parts.push_back(self.part(start, cut, spare).boxed());
            }
            let Some(part) = parts.next().await else { break };
            let Part { pages, through, next, last, beyond, _spare } = part?;
            let of_part = Range { through: Some(&through), ..range };
            if let Some(page) = pages.last() {
                cuts.measure(page);
            }
            match pages.iter().any(|page| holds(page, &through)) {
                true => in_vain = in_vain.saturating_sub(1),
                false => in_vain += 1,
            }
            for page in pages {
                met |= self.take(page, &of_part).await.met;
            }
            if last || self.found.is_closed() {
                return Ok(met);
            }
            if let Some(next) = next {
                met |= self.follow(of_part, Some(next)).await?;
            }
            cutting &= beyond.is_none_or(|key| cuts.skip(key)) && in_vain <= ALL_RANGES;
            most = (most * 2).min(RANGES);
        }
        Ok(met
            | match &start {
                Start::Token { token, .. } => self.follow(range, Some(token.clone())).await?,
                Start::After(key) => self.follow(Range { after: Some(key), ..range }, None).await?,
            })
    }

    /// Lists a range, one page after the other.
    async fn follow(&mut self, range: Range<'_>, mut token: Option<String>) -> Result<Met> {
        let mut met = false;
        loop {
            let mut page = self.request(&range, token).await?;
            token = page.next.take();
            let taken = self.take(page, &range).await;
            met |= taken.met;
            if taken.end || token.is_none() {
                return Ok(met);
            }
        }
    }

    /// Reads a range ahead, some pages of it at most.
    fn part(
        &self,
        start: Start,
        through: String,
        spare: Option<OwnedSemaphorePermit>,
    ) -> impl Future<Output = Result<Part>> + Send + use<P> {
        let pages = self.pages.clone();
        let mut request = match start {
            Start::After(key) => self.ask(Some(key), None),
            Start::Token { token, .. } => self.ask(None, Some(token)),
        };
        async move {
            let mut part = Part { through, _spare: spare, ..Part::default() };
            while part.pages.len() < RANGE_PAGES {
                let mut page = pages.page(request.clone()).await?;
                part.next = page.next.take();
                part.beyond = part.first_beyond(&page);
                part.pages.push(page);
                part.last = part.next.is_none() && part.beyond.is_none();
                if part.beyond.is_some() {
                    part.next = None;
                }
                match &part.next {
                    Some(next) => request.token = Some(next.clone()),
                    None => break,
                }
            }
            Ok(part)
        }
    }

    async fn request(&self, range: &Range<'_>, token: Option<String>) -> Result<Page> {
        self.pages.page(self.ask(range.after.map(str::to_owned), token)).await
    }

    fn ask(&self, start_after: Option<String>, token: Option<String>) -> ListPage {
        let (prefix, delimiter) = (self.prefix.clone(), self.delimiter);
        ListPage { prefix, start_after, delimiter, max_keys: None, token }
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
        let ListedKey { key, size, etag, modified } = object;
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
        let Some(value) = folder.read(name, Some(modified)) else { return false };
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

/// Where a range begins.
enum Start {
    /// After this key.
    After(String),
    /// Where a page ended whose last key was this.
    Token { token: String, last: String },
}

impl Start {
    /// Whether a cut lies after it. Only then does a range that ends there, and
    /// one that begins there, hold each key once.
    fn is_before(&self, cut: &str) -> bool {
        match self {
            Start::After(key) | Start::Token { last: key, .. } => key.as_str() < cut,
        }
    }
}

/// A range that was read ahead.
#[derive(Default)]
struct Part {
    pages: Vec<Page>,
    /// Its last key, or what would be.
    through: String,
    /// The token of what was not read of it.
    next: Option<String>,
    /// Whether nothing follows in the directory, in it or after it.
    last: bool,
    /// The first key that was seen after it.
    beyond: Option<String>,
    _spare: Option<OwnedSemaphorePermit>,
}

impl Part {
    fn first_beyond(&self, page: &Page) -> Option<String> {
        let objects = page.objects.iter().map(|object| &object.key);
        let beyond = |key: &&String| key.as_str() > self.through.as_str();
        let (object, folder) =
            (objects.into_iter().find(beyond), page.prefixes.iter().find(beyond));
        object.into_iter().chain(folder).min().cloned()
    }
}

#[derive(Default)]
struct Taken {
    met: Met,
    /// Whether the range ends in this page.
    end: bool,
}

/// Whether a page has a key of a range.
fn holds(page: &Page, through: &str) -> bool {
    let objects = page.objects.iter().map(|object| &object.key);
    objects.chain(&page.prefixes).any(|key| key.as_str() <= through)
}

/// The part of a key after a prefix; none for the markers of folders, which are
/// objects of no bytes whose key is the folder's.
fn name_below<'a>(key: &'a str, prefix: &str) -> Option<&'a str> {
    key.strip_prefix(prefix).filter(|name| !name.is_empty() && !name.ends_with('/'))
}
