use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::remote::Pages;
use super::topics::Chosen;
use super::*;
use crate::key::Name;
use crate::pipeline::plan::{Shard, ShardLimits, plan};
use crate::spec::{Spec, TopicGlob, Unknown};
use crate::store::{ListPage, ListedKey, Page, S3Options, Session, Store};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

fn glob(pattern: &str) -> TopicGlob {
    let matcher = globset::Glob::new(pattern).unwrap().compile_matcher();
    TopicGlob { pattern: pattern.into(), matcher }
}

fn spec(table: &str, pattern: &str) -> Spec {
    Spec {
        table: table.into(),
        description: String::new(),
        topics: vec![glob(pattern)],
        columns: Vec::new(),
        unknown: Unknown::Count,
        ignore: Vec::new(),
        partition_by: Vec::new(),
        unique_by: Vec::new(),
        slots: Vec::new(),
        examples: Vec::new(),
        hash: String::new(),
        file: format!("{table}.toml"),
    }
}

fn topic(name: &str) -> Topic {
    Topic::parse(name).unwrap()
}

fn source(name: &str, directory: &str, partition: u32) -> Source {
    Source { topic: topic(name), directory: directory.into(), partition }
}

/// A run's input, with the settings that tests change.
struct World {
    folder: TempDir,
    store: Store,
    layout: Layout,
    specs: Vec<Spec>,
    globs: Vec<TopicGlob>,
    watermarks: Vec<Watermarks>,
    full: bool,
    lookback: Option<Lookback>,
    exact_sizes: bool,
}

impl World {
    /// A folder with these files, each of as many bytes as its key.
    fn new(keys: &[&str]) -> World {
        let folder = tempfile::tempdir().unwrap();
        for key in keys {
            write(folder.path(), key);
        }
        let url = folder.path().to_str().unwrap();
        let session = Session::new(S3Options::default());
        let store = RUNTIME.block_on(Store::open(url, &session)).unwrap();
        World {
            folder,
            store,
            layout: Layout::default(),
            specs: vec![spec("pin", "*.pin"), spec("geo", "*.geo")],
            globs: Vec::new(),
            watermarks: vec![Watermarks::new(); 2],
            full: false,
            lookback: None,
            exact_sizes: false,
        }
    }

    fn commit(&mut self, source: Source, start: u64, end: u64) {
        self.watermarks[0].insert(source, Watermark { start, end, last: None });
    }

    fn input(&self) -> Listing<'_> {
        Listing {
            store: &self.store,
            layout: &self.layout,
            specs: &self.specs,
            topic_globs: &self.globs,
            watermarks: &self.watermarks,
            full: self.full,
            lookback: self.lookback,
            exact_sizes: self.exact_sizes,
            runtime: RUNTIME.handle(),
        }
    }

    fn local(&self) -> Result<(Discovered, Vec<String>)> {
        let mut keys = Vec::new();
        let discovered = discover(&self.input(), |found| {
            keys.extend(self.keys(&found));
            ControlFlow::Continue(())
        })?;
        Ok((discovered, keys))
    }

    fn lists(&self) -> u64 {
        self.store.requests().snapshot().list
    }

    /// Lists topic `u.pin` as S3 would list it.
    fn remote(&self, fake: &Arc<Fake>) -> (Skipped, Vec<String>) {
        let (besides, keys) = self.remotely(fake);
        (besides.skipped, keys)
    }

    fn remotely(&self, fake: &Arc<Fake>) -> (Besides, Vec<String>) {
        let chosen = Chosen { topic: topic("u.pin"), table: 0 };
        let subjects = vec![Arc::new(Subject::new(chosen, &self.input()))];
        let mut keys = Vec::new();
        let mut ended = HashSet::new();
        let mut emit = |found: Found| {
            assert!(!ended.contains(&*found.source), "{:?} goes on after its end", found.source);
            if found.last {
                ended.insert((*found.source).clone());
            }
            keys.extend(self.keys(&found));
            ControlFlow::Continue(())
        };
        let mut besides = remote::run(fake.clone(), subjects, RUNTIME.handle(), &mut emit).unwrap();
        (besides.remove(&topic("u.pin")).unwrap(), keys)
    }

    fn keys(&self, found: &Found) -> Vec<String> {
        found.objects.iter().map(|o| o.key(&found.source, &self.layout)).collect()
    }
}

fn write(root: &Path, key: &str) {
    let path = root.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, key).unwrap();
    fs::File::open(path).unwrap().set_modified(written(key).into()).unwrap();
}

/// When an object was written, as these tests have it: at the second of its offset.
fn written(key: &str) -> DateTime<Utc> {
    let name = key.rsplit('+').next().unwrap_or(key);
    at(name.split('.').next().and_then(|offset| offset.parse().ok()).unwrap_or(0))
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

/// A bucket that answers LIST as S3 does: keys in the order of their bytes,
/// folders rolled up, in pages.
struct Fake {
    keys: BTreeSet<String>,
    page: usize,
    requests: Mutex<Vec<ListPage>>,
    in_flight: AtomicUsize,
    /// The most requests that were under way at once.
    peak: AtomicUsize,
}

impl Fake {
    fn new<S: Into<String>>(keys: impl IntoIterator<Item = S>, page: usize) -> Arc<Fake> {
        let keys = keys.into_iter().map(Into::into).collect();
        let (requests, in_flight, peak) = Default::default();
        Arc::new(Fake { keys, page, requests, in_flight, peak })
    }

    fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

impl Pages for Fake {
    async fn page(&self, request: ListPage) -> Result<Page> {
        self.requests.lock().unwrap().push(request.clone());
        self.peak.fetch_max(self.in_flight.fetch_add(1, SeqCst) + 1, SeqCst);
        tokio::task::yield_now().await;
        self.in_flight.fetch_sub(1, SeqCst);
        let ListPage { prefix, start_after, delimiter, token, .. } = request;
        let mut page = Page { objects: Vec::new(), prefixes: Vec::new(), next: None };
        for key in self.keys.iter().filter(|key| key.starts_with(&prefix)) {
            let folder = match key[prefix.len()..].find('/') {
                Some(at) if delimiter => Some(&key[..prefix.len() + at + 1]),
                _ => None,
            };
            let entry = folder.unwrap_or(key);
            let seen = match (&token, &start_after) {
                (Some(token), _) => entry <= token.as_str(),
                (None, Some(after)) => key <= after,
                (None, None) => false,
            };
            if seen || page.prefixes.last().is_some_and(|last| last == entry) {
                continue;
            }
            if page.objects.len() + page.prefixes.len() == self.page {
                let last = |entries: Option<&String>| entries.cloned().unwrap_or_default();
                let object = last(page.objects.last().map(|o| &o.key));
                page.next = Some(object.max(last(page.prefixes.last())));
                break;
            }
            match folder {
                Some(folder) => page.prefixes.push(folder.to_owned()),
                None => {
                    let (key, size) = (key.clone(), key.len() as u64);
                    let modified = written(&key);
                    page.objects.push(ListedKey {
                        key,
                        size,
                        etag: Some("\"e\"".into()),
                        modified,
                    });
                }
            }
        }
        Ok(page)
    }
}

/// One topic with all partitioners, and all that lies beside values.
const BUCKET: &[&str] = &[
    "topics/u.pin/partition=0/u.pin+0+0000000000.json",
    "topics/u.pin/partition=0/u.pin+0+0000000000.keys.avro",
    "topics/u.pin/partition=0/u.pin+0+0000000000.headers.json",
    "topics/u.pin/partition=0/u.pin+0+0000000003.json.gz",
    "topics/u.pin/partition=0/_SUCCESS",
    "topics/u.pin/partition=0/u.geo+0+0000000003.json",
    "topics/u.pin/partition=10/u.pin+10+0000000000.json",
    "topics/u.pin/partition=1/u.pin+1+0000000000.json",
    "topics/u.pin/partition=1/u.pin+1+0000000000.json.gz",
    "topics/u.pin/country=Côte d'Ivoire/a%2Fb=100%/u.pin+0+0000000005.json",
    "topics/u.pin/year=2024/month=01/day=31/u.pin+0+0000000006.json",
    "topics/u.pin/year=2024/month=01/day=31/u.pin+2+0000000001.json",
    "topics/u.pin/year=2024/month=01/day=31/hour=23/u.pin+0+0000000007.json",
    "topics/u.pin/schema_name=x/partition=0/u.pin+0+0000000008.json",
    "topics/u.pin/partition=0/schema_name=x/u.pin+0+0000000009.json",
    "topics/u.pin/u.pin+0+0000000010.json",
    "topics/u.pin/tombstone/u.pin+0+0000000011.keys.json",
    "topics/u.pin/tombstone/u.pin+0+0000000012.keys.json",
];

fn is_value(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap();
    matches!(Name::parse(name, &topic("u.pin"), &Layout::default()), Name::Value(_))
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort_unstable();
    keys
}

fn values() -> Vec<String> {
    sorted(BUCKET.iter().filter(|key| is_value(key)).map(|&key| key.to_owned()).collect())
}

fn bucket_skipped() -> Skipped {
    let stray = |key: &str| Strays { count: 1, examples: vec![key.into()] };
    Skipped {
        sidecars: 2,
        tombstones: 2,
        foreign: stray("topics/u.pin/partition=0/u.geo+0+0000000003.json"),
        other: stray("topics/u.pin/partition=0/_SUCCESS"),
        behind: Strays::default(),
        older_folders: 0,
    }
}

#[test]
fn a_folder_gives_the_objects_of_all_partitioners_and_counts_the_rest() {
    let (discovered, keys) = World::new(BUCKET).local().unwrap();
    assert_eq!(sorted(keys), values());
    let pin = &discovered.topics[&topic("u.pin")];
    assert_eq!(pin.skipped, bucket_skipped());
    let bytes = values().iter().map(|key| key.len() as u64).sum();
    assert_eq!(pin.new, Total { objects: 12, bytes });
    let day = source("u.pin", "year=2024/month=01/day=31", 2);
    assert_eq!(discovered.sources[&day].objects, 1);
}

#[test]
fn a_bucket_gives_the_same_as_a_folder_whatever_the_size_of_its_pages() {
    for page in [1, 2, 3, 1000] {
        let (skipped, keys) = World::new(&[]).remote(&Fake::new(BUCKET.iter().copied(), page));
        assert_eq!(sorted(keys), values(), "pages of {page}");
        assert_eq!(skipped, bucket_skipped(), "pages of {page}");
    }
}

#[test]
fn only_what_is_past_the_watermarks_is_found() {
    let mut world = World::new(BUCKET);
    world.commit(source("u.pin", "partition=0", 0), 0, 3);
    world.commit(source("u.pin", "year=2024/month=01/day=31", 0), 6, 7);
    // That there are folders below this partition is known.
    world.commit(source("u.pin", "partition=0/schema_name=x", 0), 8, 9);
    let old = [
        "topics/u.pin/partition=0/u.pin+0+0000000000.json",
        "topics/u.pin/year=2024/month=01/day=31/u.pin+0+0000000006.json",
    ];
    let new: Vec<String> =
        values().into_iter().filter(|key| !old.contains(&key.as_str())).collect();
    let (discovered, keys) = world.local().unwrap();
    assert_eq!(sorted(keys), new);
    assert_eq!(discovered.topics[&topic("u.pin")].skipped.sidecars, 0);
    let (skipped, keys) = world.remote(&Fake::new(BUCKET.iter().copied(), 1));
    assert_eq!(sorted(keys), new);
    assert_eq!(skipped.sidecars, 0);

    world.full = true;
    assert_eq!(sorted(world.local().unwrap().1), values());
}

#[test]
fn a_run_with_nothing_new_makes_two_requests_and_one_for_each_directory() {
    let key = |p: u32, start: u64| format!("topics/u.pin/partition={p}/u.pin+{p}+{start:010}.json");
    let keys: Vec<String> = (0..3).flat_map(|p| (0..2500).map(move |s| key(p, s))).collect();
    let mut world = World::new(&keys.iter().map(String::as_str).collect::<Vec<_>>()[2490..2510]);
    for p in 0..3 {
        world.commit(source("u.pin", &format!("partition={p}"), p), 2499, 2500);
    }
    assert!(world.local().unwrap().1.is_empty());
    assert_eq!(world.lists(), 2 + 2);

    let fake = Fake::new(keys, 1000);
    assert!(RUNTIME.block_on(remote::survey(&*fake, "topics/")).is_ok());
    assert!(world.remote(&fake).1.is_empty());
    assert_eq!(fake.requests(), 2 + 3);
}

#[test]
fn a_directory_of_many_partitions_costs_one_request_more_for_each_that_was_committed() {
    let key = |p: u32, start: u64| format!("topics/u.pin/day=1/u.pin+{p}+{start:010}.json");
    let keys: Vec<String> = (0..3).flat_map(|p| (0..700).map(move |s| key(p, s))).collect();
    let mut world = World::new(&[]);
    for p in 0..3 {
        world.commit(source("u.pin", "day=1", p), 699, 700);
    }
    for (page, expected) in [(1000, 1 + 1 + 3), (10_000, 1 + 1)] {
        let fake = Fake::new(keys.clone(), page);
        assert!(world.remote(&fake).1.is_empty());
        assert_eq!(fake.requests(), expected);
    }
    // What is new is found between: a partition, and a folder.
    let new = [key(1, 700), key(10, 0), "topics/u.pin/day=1/hour=1/u.pin+0+0000000000.json".into()];
    let fake = Fake::new(keys.into_iter().chain(new.clone()), 1000);
    assert_eq!(sorted(world.remote(&fake).1), sorted(new.to_vec()));
}

#[test]
fn a_source_that_went_back_to_smaller_offsets_is_told() {
    let key = |start: u64| format!("topics/u.pin/partition=0/u.pin+0+{start:010}.json");
    // What is there, and whether it is behind the watermark.
    let cases: &[(&[u64], bool)] =
        &[(&[0, 1], true), (&[0, 7], false), (&[0, 8], false), (&[8], false), (&[], false)];
    for (starts, behind) in cases {
        let keys: Vec<String> = starts.iter().map(|&start| key(start)).collect();
        let mut world = World::new(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        fs::create_dir_all(world.folder.path().join("topics/u.pin")).unwrap();
        world.commit(source("u.pin", "partition=0", 0), 7, 8);
        let local = world.local().unwrap().0.topics[&topic("u.pin")].skipped.behind.clone();
        assert_eq!(local.count, u64::from(*behind), "{starts:?} in a folder");
        let (remote, _) = world.remote(&Fake::new(keys, 1000));
        assert_eq!(remote.behind, local, "{starts:?} in a bucket");
        if *behind {
            assert_eq!(local.examples, ["topics/u.pin/partition=0/u.pin+0+"]);
        }
    }
}

#[test]
fn a_committed_object_that_is_gone_costs_one_request_and_hides_nothing() {
    let key = |start: u64| format!("topics/u.pin/partition=0/u.pin+0+{start:010}.json");
    let mut world = World::new(&[]);
    world.commit(source("u.pin", "partition=0", 0), 7, 8);
    let fake = Fake::new([key(8), key(9)], 1000);
    assert_eq!(world.remote(&fake).1, [key(8), key(9)]);
    assert_eq!(fake.requests(), 1 + 2);
}

#[test]
fn markers_of_folders_are_no_objects() {
    // Some stores list them with the slash, some clients without.
    let keys = [
        "topics/u.pin/",
        "topics/u.pin/partition=0",
        "topics/u.pin/partition=0/",
        "topics/u.pin/partition=0/u.pin+0+0000000000.json",
    ];
    let (skipped, found) = World::new(&[]).remote(&Fake::new(keys, 1000));
    assert_eq!(found, keys[3..]);
    // Only the one that looks like a file of the topic's folder is counted.
    assert_eq!(skipped.other.count, 1);
}

#[test]
fn topics_are_sorted_out_by_transform_and_by_the_operator() {
    let keys = [
        "topics/u.pin/partition=0/u.pin+0+0000000000.json",
        "topics/v.pin/partition=0/v.pin+0+0000000000.json",
        "topics/u.geo/partition=0/u.geo+0+0000000000.json",
        "topics/u.log/partition=0/u.log+0+0000000000.json",
        "topics/not a topic/x.json",
        "topics/README",
    ];
    let mut world = World::new(&keys);
    let (discovered, found) = world.local().unwrap();
    assert_eq!(sorted(found), sorted(keys[..3].iter().map(|&k| k.to_owned()).collect()));
    assert_eq!(discovered.without_transform, [topic("u.log")]);
    assert_eq!(discovered.strays.examples, ["topics/not a topic/", "topics/README"]);
    assert_eq!(discovered.topics[&topic("u.geo")].table, 1);

    world.globs = vec![glob("u.*")];
    assert_eq!(world.local().unwrap().1.len(), 2);
}

#[test]
fn a_matched_topic_without_objects_is_fine() {
    let world = World::new(&[]);
    fs::create_dir_all(world.folder.path().join("topics/u.pin")).unwrap();
    let (discovered, found) = world.local().unwrap();
    assert!(found.is_empty());
    assert_eq!(discovered.topics[&topic("u.pin")], TopicFound::default());
}

#[test]
fn the_latest_objects_are_those_of_the_greatest_offsets_and_of_the_watermarks() {
    let of = |directory: &str, start: u64| format!("topics/u.pin/{directory}/u.pin+0+{start:010}");
    let json = |directory: &str, start| of(directory, start) + ".json";
    let keys = [
        json("partition=0", 7),
        json("partition=0", 12),
        json("partition=0", 9),
        json("day=1", 20),
        of("day=1", 90) + ".keys.json",
        json("day=2", 4),
    ];
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let marks = |marks: &[(&str, u64)]| {
        let mark = |start| Watermark { start, end: start + 1, last: None };
        let marks = marks.iter().map(|&(directory, at)| (source("u.pin", directory, 0), mark(at)));
        vec![marks.collect(), Watermarks::new()]
    };
    let cases: [(&[(&str, u64)], Option<i64>); 4] = [
        (&[], None),
        (&[("partition=0", 9)], Some(9)),
        (&[("partition=0", 7), ("day=1", 20), ("day=2", 4)], Some(20)),
        // The object is gone.
        (&[("partition=0", 11)], None),
    ];
    for (committed, expected) in cases {
        let mut world = World::new(&keys);
        world.watermarks = marks(committed);
        let expected = Latest { listed: Some(at(20)), committed: expected.map(at) };
        let (discovered, _) = world.local().unwrap();
        assert_eq!(discovered.topics[&topic("u.pin")].latest, expected, "{committed:?}");
        for page in [1, 1000] {
            let besides = world.remotely(&Fake::new(keys.iter().copied(), page)).0;
            assert_eq!(besides.latest, expected, "{committed:?} in pages of {page}");
        }
    }
}

#[test]
fn a_topic_that_two_tables_claim_is_a_usage_error_that_names_both() {
    let mut world = World::new(BUCKET);
    world.specs.push(spec("everything", "u.*"));
    let Err(Error::Usage(message)) = world.local() else { panic!("no usage error") };
    for name in ["u.pin", "pin.toml", "everything.toml"] {
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn when_no_topic_matches_the_error_says_what_is_there() {
    let log = "topics/u.log/partition=0/u.log+0+0000000000.json";
    let pin = "u.pin/partition=0/u.pin+0+0000000000.json";
    let cases: [(&str, &[&str], &str, &[&str]); 8] = [
        ("topics", &[log], "", &["topics u.log", "*.pin, *.geo"]),
        ("topics", BUCKET, "x*", &["--topic x*", "u.pin"]),
        ("topics", &[pin], "", &["nothing in topics/", "u.pin", "--topics-dir \"\""]),
        ("topics", &["raw/u.pin/x.json"], "", &["nothing in topics/", "raw", "--topics-dir"]),
        ("topics", &[], "", &["no folders"]),
        ("", &[log], "", &["no transform is for the topics topics", "--topics-dir topics"]),
        ("topics", &["topics/a b/x.json"], "", &["cannot be topics: topics/a b/"]),
        ("topics", &["topics/x.json"], "", &["files and no folders: topics/x.json"]),
    ];
    for (topics_dir, keys, only, parts) in cases {
        let mut world = World::new(keys);
        world.layout = Layout::new(topics_dir, "+").unwrap();
        world.globs = [only].iter().filter(|o| !o.is_empty()).map(|o| glob(o)).collect();
        let Err(Error::NothingMatched { found, .. }) = world.local() else {
            panic!("something matched in {keys:?}")
        };
        for part in parts {
            assert!(found.contains(part), "{part:?} is not in {found:?}");
        }
    }
}

#[test]
fn sizes_are_estimated_only_in_a_folder_of_very_many_small_files() {
    // Files, bytes of most, bytes of each tenth, whether they must be exact →
    // the size of a plan's objects, if it is one.
    for (count, most, tenth, exact_sizes, expected) in [
        (5000, 2, 12, false, Some(3)),
        (5000, 2, 12, true, None),
        (5000, 2000, 9000, false, None),
        (4000, 2, 12, false, None),
        (5000, 0, 0, false, Some(0)),
    ] {
        let mut world = World::new(&[]);
        let folder = world.folder.path().join("topics/u.pin/partition=0");
        fs::create_dir_all(&folder).unwrap();
        let size = |start: u64| if start.is_multiple_of(10) { tenth } else { most };
        for start in 0..count {
            let name = format!("u.pin+0+{start:010}.json");
            fs::write(folder.join(name), vec![b' '; size(start)]).unwrap();
        }
        world.exact_sizes = exact_sizes;
        let limits = ShardLimits { objects: 3000, ..ShardLimits::default() };
        let shards = planned(&world, limits);
        assert_eq!(shards.iter().map(|s| s.objects.len()).max(), Some(3000));
        let objects: Vec<&Object> = shards.iter().flat_map(|shard| &shard.objects).collect();
        assert!(objects.iter().map(|o| o.start).eq(0..count), "{count} {most} {tenth}");
        for object in objects {
            let expected = expected.unwrap_or(size(object.start) as u64);
            assert_eq!(object.size, expected, "{count} {most} {tenth} {exact_sizes}");
        }
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_once() {
    use std::os::unix::fs::symlink;
    let key = "topics/u.pin/partition=0/u.pin+0+0000000000.json";
    let world = World::new(&[key, "elsewhere/u.pin+1+0000000000.json", "file"]);
    let topic = world.folder.path().join("topics/u.pin");
    let root = world.folder.path();
    symlink(&topic, topic.join("circle")).unwrap();
    symlink("partition=0", topic.join("a-second-name")).unwrap();
    symlink(root.join("elsewhere"), topic.join("partition=1")).unwrap();
    symlink(root.join("file"), topic.join("partition=0/u.pin+0+0000000001.json")).unwrap();
    symlink("nowhere", topic.join("partition=0/u.pin+0+0000000002.json")).unwrap();
    let (discovered, found) = world.local().unwrap();
    let expected = [
        "topics/u.pin/partition=0/u.pin+0+0000000000.json",
        "topics/u.pin/partition=0/u.pin+0+0000000001.json",
        "topics/u.pin/partition=1/u.pin+1+0000000000.json",
    ];
    assert_eq!(sorted(found), expected);
    let pin = discovered.topics.values().next().unwrap();
    assert_eq!(pin.skipped.other.count, 1);
    let linked = &source("u.pin", "partition=0", 0);
    assert_eq!(discovered.sources[linked].bytes, key.len() as u64 + 4);
}

/// Days from 2024-01-25 to 2024-02-08, one object each, below these folders.
fn days(above: &str, spell: fn(&str) -> String) -> Vec<String> {
    let january = (25..=31).map(|day| format!("2024-01-{day:02}"));
    let february = (1..=8).map(|day| format!("2024-02-{day:02}"));
    let key = |(start, day): (usize, String)| {
        format!("topics/u.pin/{above}{}/u.pin+0+{start:010}.json", spell(&day))
    };
    january.chain(february).enumerate().map(key).collect()
}

#[test]
fn folders_before_the_lookback_are_not_listed_in_a_folder_or_a_bucket() {
    let named = |day: &str| {
        let parts: Vec<&str> = day.split('-').collect();
        format!("year={}/month={}/day={}", parts[0], parts[1], parts[2])
    };
    // Of a level each, the folders that are too old: days, or a month and days.
    let cases: [(&str, fn(&str) -> String, u64); 5] = [
        ("", named, 1),
        ("country=A/", named, 1),
        ("", |day| day.replace('-', "/"), 1),
        ("", |day| format!("dt={day}"), 7),
        ("", |day| format!("date={day}/schema_name=x"), 7),
    ];
    for (above, spell, older) in cases {
        let keys = days(above, spell);
        let place = &keys[0];
        let mut world = World::new(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        let (span, now) = (Duration::from_secs(6 * 86_400), "2024-06-01T00:00:00Z");
        world.lookback = Some(Lookback { span, now: now.parse().unwrap() });
        let fake = Fake::new(keys.clone(), 1000);
        assert_eq!(world.remote(&fake).1.len(), 15, "a first run: {place}");
        for key in &keys[..14] {
            let directory = key["topics/u.pin/".len()..].rsplit_once('/').unwrap().0;
            // Committed, but nothing of it: all that is listed is new.
            world.commit(source("u.pin", directory, 9), 0, 1);
        }
        // The newest that was committed is 2024-02-07, and six days before is
        // 2024-02-01: January is past.
        let (skipped, found) = world.remote(&fake);
        assert_eq!(sorted(found), keys[7..], "{place}");
        assert_eq!(skipped.older_folders, older, "{place}");
        let (discovered, found) = world.local().unwrap();
        assert_eq!(sorted(found), keys[7..], "{place}");
        assert_eq!(discovered.topics[&topic("u.pin")].skipped, skipped, "{place}");
        world.full = true;
        assert_eq!(world.remote(&fake).1.len(), 15, "--full: {place}");
    }
}

fn planned(world: &World, limits: ShardLimits) -> Vec<Shard> {
    let mut shards = Vec::new();
    plan(&world.input(), limits, |shard| {
        shards.push(shard);
        ControlFlow::Continue(())
    })
    .unwrap();
    shards
}

#[test]
fn a_plan_knows_what_lies_before_and_after_each_shard() {
    let mut world = World::new(&[
        "topics/u.pin/partition=0/u.pin+0+0000000000.json",
        "topics/u.pin/partition=0/u.pin+0+0000000010.json",
        "topics/u.pin/partition=0/u.pin+0+0000000020.json",
        "topics/u.pin/year=2024/u.pin+0+0000000030.json",
        "topics/u.pin/year=2024/u.pin+0+0000000040.json",
    ]);
    world.commit(source("u.pin", "partition=0", 0), 0, 12);
    world.commit(source("u.pin", "year=2024", 0), 30, 33);
    let one = ShardLimits { objects: 1, ..ShardLimits::default() };
    let shards: Vec<_> = planned(&world, one)
        .iter()
        .map(|s| (s.source.directory.to_string(), s.objects[0].start, s.next_start(), s.floor))
        .collect();
    let day = |start| ("year=2024".to_owned(), start, None, 0);
    let partition = |start, next| ("partition=0".to_owned(), start, next, 12);
    assert_eq!(shards, [partition(10, Some(20)), partition(20, None), day(40)]);

    world.full = true;
    let floors: Vec<u64> = planned(&world, one).iter().map(|s| s.floor).collect();
    assert_eq!(floors, [0; 5]);
}

#[test]
fn a_plan_that_nobody_listens_to_ends() {
    let world = World::new(BUCKET);
    let mut emitted = 0;
    let planned = plan(&world.input(), ShardLimits::default(), |_| {
        emitted += 1;
        ControlFlow::Break(())
    });
    assert!(planned.is_ok());
    assert_eq!(emitted, 1);
}

/// Start offsets around the numbers where names get longer.
fn start() -> impl Strategy<Value = u64> {
    let around = |edge: u64| edge - 3..edge + 3;
    prop_oneof![
        0..30u64,
        around(100_000),
        around(1_000_000_000),
        around(2_000_000_000),
        around(9_000_000_000),
        around(10_000_000_000),
        around(20_000_000_000),
        around(100_000_000_000),
    ]
}

/// The directories of a topic, and the Kafka partitions that each may hold.
const DIRECTORIES: &[(&str, &[u32])] = &[
    ("partition=0", &[0]),
    ("partition=10", &[10]),
    ("partition=2/schema_name=a", &[2]),
    ("schema_name=a/partition=1", &[1]),
    ("", &[0, 1, 2, 10]),
    ("year=2024", &[0, 1, 2, 10, 11]),
    ("year=2024/month=01", &[0, 1, 2, 10, 11]),
];

proptest! {
    #[test]
    fn the_listing_of_a_bucket_is_exactly_what_is_past_the_watermarks(
        objects in prop::collection::btree_set((0..DIRECTORIES.len(), 0..5usize, start()), 0..60),
        committed in prop::collection::vec((0..DIRECTORIES.len(), 0..5usize, start()), 0..6),
        also in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        width in prop::sample::select(vec![1usize, 5, 10, 10, 10, 12, 20]),
        page in prop::sample::select(vec![1usize, 2, 5, 1000]),
    ) {
        let resolve = |&(directory, partition, start): &(usize, usize, u64)| {
            let (directory, partitions) = DIRECTORIES[directory];
            (source("u.pin", directory, partitions[partition % partitions.len()]), start)
        };
        let objects: Vec<_> = objects.iter().collect();
        let mut world = World::new(&[]);
        // Watermarks at any offset, and at objects that are there.
        let there = also.iter().filter(|_| !objects.is_empty()).map(|i| objects[i.index(objects.len())]);
        for (source, start) in committed.iter().chain(there).map(resolve) {
            world.commit(source, start, start + 1);
        }
        let mut keys = BTreeSet::new();
        let mut expected = BTreeSet::new();
        for (source, start) in objects.into_iter().map(resolve) {
            let name = format!("u.pin+{}+{start:0width$}.json", source.partition);
            let key = source.prefix(&world.layout) + &name;
            let watermark = world.watermarks[0].get(&source);
            if watermark.is_none_or(|watermark| start > watermark.start) {
                expected.insert(key.clone());
            }
            keys.insert(key);
        }
        let found = world.remote(&Fake::new(keys, page)).1;
        prop_assert_eq!(found.len(), expected.len());
        prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn the_objects_of_a_source_come_in_the_order_of_their_offsets(
        starts in prop::collection::btree_set(start(), 0..60),
        width in prop::sample::select(vec![1usize, 5, 10, 12, 20]),
        committed in prop::option::of(start()),
        page in prop::sample::select(vec![1usize, 3, 1000]),
    ) {
        let mut world = World::new(&[]);
        if let Some(start) = committed {
            world.commit(source("u.pin", "partition=0", 0), start, start + 1);
        }
        let key = |start: &u64| format!("topics/u.pin/partition=0/u.pin+0+{start:0width$}.json");
        let new = |start: &&u64| committed.is_none_or(|committed| **start > committed);
        let expected: Vec<String> = starts.iter().filter(new).map(key).collect();
        let found = world.remote(&Fake::new(starts.iter().map(key), page)).1;
        prop_assert_eq!(found, expected);
    }
}

/// Keys of runs of offsets, each a run's first offset, its step and how many.
fn runs(partition: u32, runs: &[(u64, u64, u64)]) -> BTreeSet<String> {
    let starts = runs.iter().flat_map(|&(first, step, n)| (0..n).map(move |i| first + i * step));
    let key = |start: u64| {
        format!("topics/u.pin/partition={partition}/u.pin+{partition}+{start:010}.json")
    };
    starts.map(key).collect()
}

#[test]
fn names_that_do_not_sort_as_they_count_are_not_cut_without_end() {
    // As text all of the second run come after 1000000000 and before 15.
    let starts = (10..16).chain(1_000_000_000..1_000_000_040);
    let key = |start: u64| format!("topics/u.pin/partition=0/u.pin+0+{start}.json");
    let keys: BTreeSet<String> = starts.map(key).collect();
    let fake = Fake::new(keys.clone(), 3);
    let (_, found) = World::new(&[]).remote(&fake);
    assert_eq!(sorted(found), keys.into_iter().collect::<Vec<_>>());
    assert!(fake.requests() < 100, "{}", fake.requests());
}

#[test]
fn a_long_listing_is_split_and_takes_few_requests_more() {
    // Runs of offsets → requests at most, the topic's own folder among them.
    let cases: &[(&[(u64, u64, u64)], usize)] = &[
        (&[(0, 1, 350)], 1 + 4 + 2),
        (&[(0, 1, 10_000)], 1 + 100 + 30),
        (&[(0, 1000, 10_000)], 1 + 100 + 30),
        (&[(7, 3, 2000), (9_000_000_000, 1, 2000)], 1 + 40 + 60),
        (&[(0, 1_000_000, 500), (600_000_000, 1, 5000)], 1 + 55 + 60),
        (&[(0, 1, 5000), (10_000, 100_000, 5000)], 1 + 100 + 60),
        (&[(9_999_990_000, 1, 10_000)], 1 + 100 + 30),
    ];
    for (case, most) in cases {
        let expected = runs(0, case);
        let fake = Fake::new(expected.clone(), 100);
        let (_, found) = World::new(&[]).remote(&fake);
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{case:?}");
        assert!(fake.requests() <= *most, "{case:?}: {} requests", fake.requests());
        let peak = fake.peak.load(SeqCst);
        assert!((2..=remote::RANGES).contains(&peak), "{case:?}: {peak} at a time");
        assert_eq!(peak == remote::RANGES, expected_pages(case) >= 100, "{case:?}: {peak}");
    }
}

fn expected_pages(case: &[(u64, u64, u64)]) -> u64 {
    case.iter().map(|(_, _, n)| n / 100).sum()
}

proptest! {
    #[test]
    fn a_listing_that_is_split_gives_each_object_once_and_in_order(
        pieces in prop::collection::vec((start(), 1..2000u64, 1..120u64), 1..6),
        strays in prop::collection::vec(prop::sample::select(vec![
            "a.json", "u.pin", "u.pin+0+", "u.pin+0+00000.json", "u.pin+1+0000000100.json", "zz",
            "u.pin+0+0000000100.headers.avro", "x=1/u.pin+0+0000000007.json", "u.pin+0+0000000050",
        ]), 0..4),
        sidecars in any::<bool>(),
        committed in prop::option::of(0..3000u64),
        flat in any::<bool>(),
        page in 2..12usize,
    ) {
        let directory = if flat { "partition=0" } else { "day=1" };
        let mut world = World::new(&[]);
        if let Some(start) = committed {
            world.commit(source("u.pin", directory, 0), start, start + 1);
        }
        let starts: BTreeSet<u64> =
            pieces.iter().flat_map(|&(first, step, n)| (0..n).map(move |i| first + i * step)).collect();
        let name = |start: &u64| format!("topics/u.pin/{directory}/u.pin+0+{start:010}");
        let mut keys: BTreeSet<String> = starts.iter().map(|start| name(start) + ".json").collect();
        let all = keys.clone();
        if sidecars {
            keys.extend(starts.iter().map(|start| name(start) + ".headers.json"));
        }
        keys.extend(strays.iter().map(|stray| format!("topics/u.pin/{directory}/{stray}")));
        // As one page gives them, which is never split.
        let (skipped, expected) = world.remote(&Fake::new(keys.clone(), usize::MAX));
        let fake = Fake::new(keys.clone(), page);
        let (split_skipped, found) = world.remote(&fake);
        let of_starts = |found: &[String]| -> Vec<String> {
            found.iter().filter(|key| all.contains(*key)).cloned().collect()
        };
        prop_assert_eq!(of_starts(&found), of_starts(&expected));
        prop_assert_eq!(sorted(found), sorted(expected));
        prop_assert_eq!(split_skipped.sidecars, skipped.sidecars);
        prop_assert_eq!(split_skipped.other.count, skipped.other.count);
        let needed = keys.len().div_ceil(page);
        prop_assert!(fake.requests() <= 3 * needed + 80, "{} for {needed}", fake.requests());
    }
}

#[test]
#[ignore = "a measurement"]
fn listing_60_000_files_is_quick() {
    let world = World::new(&[]);
    let folder = world.folder.path().join("topics/u.pin/partition=0");
    fs::create_dir_all(&folder).unwrap();
    for start in 0..60_000 {
        fs::write(folder.join(format!("u.pin+0+{start:010}.json")), "{}").unwrap();
    }
    let started = std::time::Instant::now();
    let shards = planned(&world, ShardLimits::default());
    eprintln!("{} shards in {:?}", shards.len(), started.elapsed());
}
