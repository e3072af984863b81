use std::fs;

use chrono::Utc;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::*;
use crate::key::{Extension, Layout, Topic};
use crate::pipeline::discover::Object;
use crate::pipeline::fetch::FetchLimits;
use crate::pipeline::write::table_schema;
use crate::progress::Progress;
use crate::settings::{LogFormat, ProgressMode, Ui};
use crate::signals::Stop;
use crate::spec::parse;
use crate::store::Output;
use crate::store::{S3Options, Session, Store};

const TRANSFORMS: &str = "version = 1\ntable = \"t\"\ntopics = [\"t\"]\n\
    [[column]]\nname = \"i\"\ntype = \"int32\"\nfield = \"i\"\n";

/// Works a shard of objects with these start offsets and bodies.
fn work(objects: &[(u64, &str)]) -> Done {
    work_before(objects, &[])
}

/// The same, where other objects follow the shard.
fn work_before(objects: &[(u64, &str)], following: &[(u64, &str)]) -> Done {
    let (folder, runtime) = (TempDir::new().unwrap(), Runtime::new().unwrap());
    let url = folder.path().to_str().unwrap();
    let session = Session::new(S3Options::default());
    let store = runtime.block_on(Store::open(url, &session)).unwrap();
    let topic = Topic::parse("t").unwrap();
    let source = Source { topic, directory: "partition=0".into(), partition: 0 };
    let object = |&(start, body): &(u64, &str)| Object {
        start,
        size: body.len() as u64,
        width: 10,
        extension: Extension::Json,
        etag: None,
    };
    let layout = Layout::default();
    fs::create_dir_all(folder.path().join("topics/t/partition=0")).unwrap();
    let all = || objects.iter().chain(following);
    for (listed, (_, body)) in all().map(object).zip(all()) {
        fs::write(folder.path().join(listed.key(&source, &layout)), body).unwrap();
    }
    let spec = parse("t.toml", TRANSFORMS).unwrap();
    let target = Target {
        output: Output::new(&store),
        runtime: runtime.handle().clone(),
        layout: layout.clone(),
        table: "t".into(),
        schema: table_schema(&spec),
        spec_hash: spec.hash.clone(),
        partition_by: spec.partition_by.clone(),
        generation: 0,
        unique_names: false,
        run_id: "run".into(),
        started: Utc::now(),
        held: Arc::default(),
    };
    let limits = FetchLimits::default();
    let fetcher = Fetcher::new(store, layout, limits, runtime.handle().clone());
    let shard = Shard {
        source: Arc::new(source),
        table: 0,
        objects: objects.iter().map(object).collect(),
        following: Following { objects: following.iter().map(object).collect(), more: false },
        floor: 0,
    };
    let ui =
        Ui { progress: ProgressMode::Never, log: LogFormat::Text, quiet: true, verbose: false };
    let (stop, progress) = (Stop::default(), Progress::start(&ui));
    let watch = Watch::new(&stop, &progress);
    Line::new(&spec, Arc::new(target)).unwrap().work(&fetcher, shard, &watch).unwrap()
}

fn counts(done: &Done) -> (u64, u64, u64, u64) {
    let ShardCounts { read, written, quarantined, duplicate, .. } = done.counts;
    (read, written, quarantined, duplicate)
}

#[test]
fn what_the_sink_delivered_again_is_dropped() {
    let two = "{\"i\":1}\n{\"i\":2}\n";
    let done = work(&[(0, two), (1, "{\"i\":2}\n{\"i\":3}\n")]);
    assert_eq!(counts(&done), (4, 3, 0, 1));
    assert_eq!((done.reached.start, done.reached.end), (1, 3));
}

#[test]
fn messages_of_several_lines_lose_none() {
    let done = work(&[
        (0, "{\"i\":1}\n{\"i\":2}\n{\"i\":3}\n"),
        (1, "{\"i\":4}\n{\"i\":5}\n"),
        (2, "{\"i\":6}\nnonsense\n"),
    ]);
    assert_eq!(counts(&done), (7, 6, 1, 0));
    assert_eq!(done.written.files[0].file.rows, 6);
    // The next object is not taken for one that was delivered again.
    assert_eq!((done.reached.start, done.reached.end), (2, 3));
}

#[test]
fn what_a_stale_object_does_not_hold_is_kept() {
    let lines = |range: std::ops::Range<u64>| -> String {
        range.map(|i| format!("{{\"i\":{i}}}\n")).collect()
    };
    let long = lines(0..10);
    let stale = lines(4..6);
    let done = work(&[(0, &long), (4, &stale), (10, &lines(10..11))]);
    assert_eq!(counts(&done), (13, 11, 0, 2));
    assert_eq!((done.reached.start, done.reached.end), (10, 11));
    // If nothing follows, the source is read as far as the longer object reaches.
    let done = work(&[(0, &long), (4, &stale)]);
    assert_eq!(counts(&done), (12, 10, 0, 2));
    assert_eq!((done.reached.start, done.reached.end), (4, 10));
    // In the next shard, the stale object proves what it holds and nothing else.
    let done = work_before(&[(0, &long)], &[(4, &stale), (10, &lines(10..11))]);
    assert_eq!(counts(&done), (10, 8, 0, 2));
    assert_eq!((done.reached.start, done.reached.end), (0, 10));
}

#[test]
fn messages_of_several_lines_lose_none_where_shards_meet() {
    let done = work_before(&[(0, "{\"i\":1}\n{\"i\":2}\n{\"i\":3}\n")], &[(1, "{\"i\":4}\n")]);
    assert_eq!(counts(&done), (3, 3, 0, 0));
    assert!(!done.has_offsets);
}

#[test]
fn the_first_reject_of_each_kind_is_kept_as_an_example() {
    let done = work(&[
        (0, "{\"i\":1}\n{\"i\":\"x\"}\n{\"i\":\"y\"}\nnonsense\n"),
        (4, "{\"i\":\"z\"}\n{\"i\":99999999999}\n"),
    ]);
    assert_eq!(counts(&done), (6, 1, 5, 0));
    let examples = done.counts.examples.iter();
    let told: Vec<String> = examples
        .map(|((code, column), example)| {
            let name = example.object.rsplit('/').next().unwrap();
            format!("{} {code} {name} {}", column.as_deref().unwrap_or("-"), example.line)
        })
        .collect();
    assert_eq!(
        told,
        [
            "- invalid_json t+0+0000000000.json 4",
            "i type t+0+0000000000.json 2",
            "i overflow t+0+0000000004.json 2",
        ]
    );
    assert!(done.counts.rejects.keys().eq(done.counts.examples.keys()));
}
