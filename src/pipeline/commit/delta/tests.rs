use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::*;
use crate::delta::Log;
use crate::key::{Extension, Source, Topic};
use crate::pipeline::commit::Counts;
use crate::pipeline::discover::{LastObject, Watermark};

mod columns;

/// A store in memory and one on a disk.
struct World {
    output: Output,
    _folder: Option<tempfile::TempDir>,
}

fn worlds() -> Vec<World> {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let output =
        |objects: Arc<dyn ObjectStore>| Output { objects, url: "out".into(), refusals: None };
    vec![
        World { output: output(Arc::new(InMemory::new())), _folder: None },
        World { output: output(Arc::new(local)), _folder: Some(folder) },
    ]
}

impl World {
    fn table(&self) -> DeltaTable {
        let specs = crate::spec::load(None).unwrap();
        DeltaTable::new(&self.output, specs.iter().find(|spec| spec.table == "geo").unwrap())
            .unwrap()
    }
}

fn source(partition: u32) -> Source {
    let directory = format!("partition={partition}");
    Source { topic: Topic::parse("a.geo").unwrap(), directory: directory.into(), partition }
}

fn file(path: &str) -> DataFile {
    DataFile {
        path: path.into(),
        rows: 1,
        bytes: 10,
        partition: Vec::new(),
        stats: r#"{"numRecords":1}"#.into(),
    }
}

fn draft(run: &str, partition: u32, start: u64) -> Draft {
    let watermark = Watermark { start, end: start + 1, last: None };
    Draft {
        run_id: run.into(),
        committed_at: "2024-01-01T00:00:00Z".into(),
        source: "s3://b".into(),
        spec_hash: "abc".into(),
        schema: Vec::new(),
        mode: Mode::Append,
        reached: [(source(partition), watermark)].into(),
        files: vec![file(&format!("{run}.parquet"))],
        rejects: Vec::new(),
        resolved: None,
        counts: Counts { read: 1, written: 1, ..Counts::default() },
    }
}

async fn paths(log: &Log) -> Vec<String> {
    let state = log.read().await.unwrap().unwrap();
    let mut paths: Vec<_> =
        log.files(&state).await.unwrap().into_iter().map(|file| file.path).collect();
    paths.sort();
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_reads_back_and_the_next_run_builds_on_it() {
    for world in worlds() {
        let table = world.table();
        assert!(table.read().await.unwrap().is_none());
        assert_eq!(table.commit(None, draft("one", 0, 5)).await.unwrap().version, 0);
        let state = table.read().await.unwrap().unwrap();
        assert_eq!(table.watermarks(&state)[&source(0)].start, 5);
        assert_eq!(property(&state, Property::Source), "s3://b");
        assert!(table.check(&state).unwrap().added.is_empty());

        assert_eq!(table.commit(Some(&state), draft("two", 1, 7)).await.unwrap().version, 1);
        let state = table.read().await.unwrap().unwrap();
        let starts: Vec<_> = table.watermarks(&state).values().map(|w| w.start).collect();
        assert_eq!(starts, [5, 7], "what this run did not read stays");
        assert_eq!(paths(&table.logs.rows).await, ["one.parquet", "two.parquet"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_run_replaces_all_and_forgets_what_it_did_not_reach() {
    for world in worlds() {
        let table = world.table();
        let mut one = draft("one", 0, 5);
        one.reached.extend(draft("one", 1, 6).reached);
        one.rejects.push(file("one-rejects.parquet"));
        table.commit(None, one).await.unwrap();
        let base = table.read().await.unwrap();
        let full = Draft { mode: Mode::Full, ..draft("two", 0, 9) };
        table.commit(base.as_ref(), full).await.unwrap();
        let state = table.read().await.unwrap().unwrap();
        let marks = table.watermarks(&state);
        assert_eq!((marks.len(), marks[&source(0)].start), (1, 9));
        assert_eq!(paths(&table.logs.rows).await, ["two.parquet"]);
        assert!(paths(&table.logs.rejects).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_runs_over_one_key_range_one_commits_and_the_other_is_told() {
    for world in worlds() {
        let table = world.table();
        table.commit(None, draft("one", 0, 5)).await.unwrap();
        let base = table.read().await.unwrap();
        for path in ["two.parquet", "three.parquet"] {
            world.output.objects.put(&Path::from_iter(["geo", path]), "x".into()).await.unwrap();
        }
        table.commit(base.as_ref(), draft("two", 0, 7)).await.unwrap();
        let late = table.commit(base.as_ref(), draft("three", 0, 7)).await;
        assert!(matches!(late, Err(Error::Ahead { .. })), "{late:?}");
        assert_eq!(paths(&table.logs.rows).await, ["one.parquet", "two.parquet"]);
        let stays = world.output.objects.head(&Path::from("geo/two.parquet")).await;
        let gone = world.output.objects.head(&Path::from("geo/three.parquet")).await;
        assert!(stays.is_ok() && gone.is_err(), "what came second is taken away");
        // Another key range does not collide.
        table.commit(base.as_ref(), draft("four", 1, 7)).await.unwrap();
        assert_eq!(paths(&table.logs.rows).await, ["four.parquet", "one.parquet", "two.parquet"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_runs_that_read_the_last_object_anew_one_commits() {
    let anew = |run, size| {
        let last = Some(LastObject { size, extension: Extension::Json });
        let watermark = Watermark { start: 5, end: 5 + size / 10, last };
        Draft { reached: [(source(0), watermark)].into(), ..draft(run, 0, 5) }
    };
    for world in worlds() {
        let table = world.table();
        table.commit(None, anew("one", 10)).await.unwrap();
        let base = table.read().await.unwrap();
        table.commit(base.as_ref(), anew("two", 20)).await.unwrap();
        let late = table.commit(base.as_ref(), anew("three", 20)).await;
        assert!(matches!(late, Err(Error::Ahead { .. })), "{late:?}");
        assert_eq!(paths(&table.logs.rows).await, ["one.parquet", "two.parquet"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_follow_their_rows_even_when_a_crash_comes_between() {
    for world in worlds() {
        let table = world.table();
        let mut base = None;
        for (n, run) in ["one", "two", "three"].into_iter().enumerate() {
            let mut draft = draft(run, 0, n as u64);
            draft.rejects.push(file(&format!("{run}-rejects.parquet")));
            // As if the process had been killed right after the commit.
            let outcome = Outcome::adding(draft.files.clone());
            let change = table.change(base.as_ref(), &draft, &outcome).await.unwrap();
            table.logs.rows.commit(base.as_ref(), &change).await.unwrap();
            base = table.logs.rows.read().await.unwrap();
        }
        assert!(table.logs.rejects.read().await.unwrap().is_none());
        let (a, b) = tokio::join!(table.read(), table.read());
        assert!(a.is_ok() && b.is_ok(), "two runs find it at once: {a:?} {b:?}");
        let all = ["one-rejects.parquet", "three-rejects.parquet", "two-rejects.parquet"];
        assert_eq!(paths(&table.logs.rejects).await, all);
        table.read().await.unwrap();
        assert_eq!(paths(&table.logs.rejects).await, all, "once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_carry_watermarks_on_and_bound_what_is_read() {
    for world in worlds() {
        let table = world.table();
        let mut base = None;
        for n in 0..25 {
            table.commit(base.as_ref(), draft(&format!("r{n:02}"), n % 3, n.into())).await.unwrap();
            base = table.read().await.unwrap();
        }
        let log = Path::from("geo/_delta_log");
        let names = world.output.objects.list_with_delimiter(Some(&log)).await.unwrap();
        let names = names.objects.iter().filter(|o| o.location.as_ref().contains("checkpoint"));
        assert!(names.count() >= 2);
        // Without the commits that the last checkpoint holds, all is known.
        for n in 0..20 {
            let entry = table.logs.rows.entry(n).await.unwrap();
            assert!(entry.is_some());
            let path = log.clone().join(format!("{n:020}.json"));
            world.output.objects.delete(&path).await.unwrap();
        }
        let state = table.read().await.unwrap().unwrap();
        let starts: Vec<_> = table.watermarks(&state).values().map(|w| w.start).collect();
        assert_eq!(starts, [24, 22, 23]);
        assert_eq!(paths(&table.logs.rows).await.len(), 25);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_table_and_a_damaged_log_are_refused() {
    let stranger = json!({ "minReaderVersion": 1, "minWriterVersion": 2 });
    let schema = r#"{"type":"struct","fields":[]}"#;
    let metadata = json!({
        "id": "x", "format": { "provider": "parquet", "options": {} }, "schemaString": schema,
        "partitionColumns": [], "configuration": {}, "createdTime": 0,
    });
    let lines = |protocol: &Value| {
        format!("{}\n{}", json!({ "protocol": protocol }), json!({ "metaData": metadata }))
    };
    let features = json!({
        "minReaderVersion": 3, "minWriterVersion": 7,
        "readerFeatures": ["fromTheFuture"], "writerFeatures": ["fromTheFuture"],
    });
    let cases: [(&str, String, &str); 5] = [
        ("_delta_log/00000000000000000000.json", lines(&stranger), "did not make"),
        ("_delta_log/00000000000000000000.json", lines(&features), "fromTheFuture"),
        ("_delta_log/00000000000000000000.json", "{\"commitInfo\"".into(), "cannot be used"),
        ("_delta_log/00000000000000000004.json", lines(&stranger), "cannot be used"),
        ("_pinclean/0000000001.json", "{}".into(), "--format parquet"),
    ];
    for (name, text, expected) in cases {
        for world in worlds() {
            let path = Path::from(format!("geo/{name}"));
            world.output.objects.put(&path, text.clone().into()).await.unwrap();
            let error = world.table().read().await.unwrap_err().to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_begun_again_loses_no_rejects_to_its_older_quarantine() {
    for world in worlds() {
        let table = world.table();
        let with_rejects = |run: &str, start| {
            let rejects = vec![file(&format!("{run}-rejects.parquet"))];
            Draft { rejects, ..draft(run, 0, start) }
        };
        table.commit(None, with_rejects("one", 5)).await.unwrap();
        world.output.objects.delete(&table.logs.rows.entry_path(0)).await.unwrap();
        let again = world.table();
        assert!(again.read().await.unwrap().is_none());
        again.commit(None, with_rejects("two", 5)).await.unwrap();
        assert_eq!(
            paths(&again.logs.rejects).await,
            ["one-rejects.parquet", "two-rejects.parquet"]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_table_is_no_quarantine() {
    for world in worlds() {
        let table = world.table();
        table.commit(None, draft("one", 0, 5)).await.unwrap();
        let entry = world.output.objects.get(&table.logs.rows.entry_path(0)).await.unwrap();
        let entry = entry.bytes().await.unwrap();
        let there = Path::from("_quarantine/geo/_delta_log/00000000000000000000.json");
        world.output.objects.put(&there, entry.into()).await.unwrap();
        let error = table.logs.quarantine().await.unwrap_err().to_string();
        assert!(error.contains("to be the quarantine"), "{error}");
    }
}
