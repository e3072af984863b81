use std::sync::Arc;
use std::time::{Duration, SystemTime};

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::*;
use crate::disk::Durability;
use crate::key::{Source, Topic};
use crate::pipeline::commit::{Counts, DeltaTable, Draft, Holds, Mode, TableLogs};
use crate::pipeline::discover::Watermark;
use crate::pipeline::write::DataFile;
use crate::settings::{SAFE_RETENTION, Tables};
use crate::store::{Output, S3Options};

const PARTITION: &str = "kind=a%2Fb 100%25";

/// An output in memory or on a disk, with a table `t` by `kind`.
struct World {
    output: Output,
    folder: Option<tempfile::TempDir>,
}

fn worlds() -> Vec<World> {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let output =
        |objects: Arc<dyn ObjectStore>| Output { objects, url: "out".into(), refusals: None };
    vec![
        World { output: output(Arc::new(InMemory::new())), folder: None },
        World { output: output(Arc::new(local)), folder: Some(folder) },
    ]
}

impl World {
    fn table(&self) -> DeltaTable {
        let columns = ["kind", "x"].map(|name| {
            format!("[[column]]\nname = '{name}'\ntype = 'string'\nfield = '{name}'\n")
        });
        let head = "version = 1\ntable = 't'\ntopics = ['t']\npartition_by = ['kind']\n";
        let spec = crate::spec::parse("t.toml", &format!("{head}{}", columns.concat())).unwrap();
        DeltaTable::new(&self.output, &spec).unwrap()
    }

    async fn put(&self, path: &str) {
        let path = Path::parse(path).unwrap();
        self.output.objects.put(&path, "0123456789".into()).await.unwrap();
    }

    /// A run with a file of rows and one of rejects, each named after it.
    async fn run(&self, run: &str, mode: Mode) {
        let (row, reject) = (format!("{PARTITION}/{run}.parquet"), format!("{run}.parquet"));
        self.put(&format!("t/{row}")).await;
        self.put(&format!("_quarantine/t/{reject}")).await;
        let table = self.table();
        let base = table.read().await.unwrap();
        let start = base.as_ref().map_or(0, |state| state.version() + 1);
        let file = |path, partition| DataFile {
            path,
            rows: 1,
            bytes: 10,
            partition,
            stats: r#"{"numRecords":1}"#.into(),
        };
        let topic = Topic::parse("t").unwrap();
        let source = Source { topic, directory: "partition=0".into(), partition: 0 };
        let draft = Draft {
            run_id: run.into(),
            committed_at: "2024-01-01T00:00:00Z".into(),
            source: "s3://b".into(),
            spec_hash: "abc".into(),
            schema: Vec::new(),
            mode,
            reached: [(source, Watermark { start, end: start + 1, last: None })].into(),
            files: vec![file(row, vec![("kind".into(), Some("a/b 100%".into()))])],
            rejects: vec![file(reject, Vec::new())],
            resolved: None,
            counts: Counts::default(),
        };
        table.commit(base.as_ref(), draft).await.unwrap();
    }

    async fn vacuum(&self, settings: &Vacuum) -> Vec<Vacuumed> {
        let logs = TableLogs::new(&self.output, "t");
        let Holds::Table(state) = logs.look().await.unwrap() else { panic!("no table") };
        let mut vacuumed = Vec::new();
        let mut vacuuming = Vacuuming { settings, vacuumed: &mut vacuumed };
        vacuuming.table(&Finished { logs, state }).await.unwrap();
        vacuumed
    }

    /// All that is there but the logs.
    async fn there(&self) -> Vec<String> {
        let listed = self.output.objects.list(None);
        let mut there: Vec<String> = futures::TryStreamExt::try_collect::<Vec<_>>(listed)
            .await
            .unwrap()
            .into_iter()
            .map(|object| object.location.to_string())
            .filter(|path| !path.contains("_delta_log"))
            .collect();
        there.sort();
        there
    }

    async fn versions(&self) -> [u64; 2] {
        let logs = TableLogs::new(&self.output, "t");
        let rows = logs.rows().read().await.unwrap().unwrap();
        [rows.version(), logs.rejects().read().await.unwrap().unwrap().version()]
    }
}

fn settings(retain: Duration, dry_run: bool) -> Vacuum {
    let tables = Tables { url: "out".into(), names: Vec::new(), s3: S3Options::default() };
    let force = retain < SAFE_RETENTION;
    Vacuum { tables, retain, durability: Durability::Synced, dry_run, force }
}

fn unused(vacuumed: &[Vacuumed]) -> Vec<String> {
    let paths = vacuumed
        .iter()
        .flat_map(|table| table.unused.keys().map(move |path| format!("{}/{path}", table.name)));
    paths.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_used_goes_and_all_else_stays() {
    for world in worlds() {
        world.run("one", Mode::Append).await;
        world.run("two", Mode::Full).await;
        world.run("three", Mode::Append).await;
        let hidden = ["_runs/r.json", "t/_pinclean/1.json", "_pinclean/probe"];
        for path in hidden.into_iter().chain(["t/crash.parquet", "_quarantine/t/crash.parquet"]) {
            world.put(path).await;
        }
        let (before, versions) = (world.there().await, world.versions().await);

        assert!(unused(&world.vacuum(&settings(SAFE_RETENTION, false)).await).is_empty());
        let expected = [
            "t/crash.parquet".to_owned(),
            format!("t/{PARTITION}/one.parquet"),
            "_quarantine/t/crash.parquet".to_owned(),
            "_quarantine/t/one.parquet".to_owned(),
        ];
        let dry = world.vacuum(&settings(Duration::ZERO, true)).await;
        assert_eq!(unused(&dry), expected);
        assert_eq!((world.there().await, world.versions().await), (before.clone(), versions));

        let done = world.vacuum(&settings(Duration::ZERO, false)).await;
        assert_eq!(unused(&done), expected);
        let gone = |path: &&String| !expected.contains(path);
        let left: Vec<String> = before.iter().filter(gone).cloned().collect();
        assert_eq!(world.there().await, left);

        let versions = world.versions().await;
        let again = world.vacuum(&settings(Duration::ZERO, false)).await;
        assert!(unused(&again).is_empty());
        assert_eq!(world.versions().await, versions, "what is gone is not deleted again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_planned_before_a_vacuum_commits_after_it() {
    for world in worlds() {
        world.run("one", Mode::Append).await;
        let (table, logs) = (world.table(), TableLogs::new(&world.output, "t"));
        let base = table.read().await.unwrap();
        world.put("t/crash.parquet").await;
        world.vacuum(&settings(Duration::ZERO, false)).await;
        assert_eq!(world.versions().await[0], 2, "a start and an end");
        let topic = Topic::parse("t").unwrap();
        let source = Source { topic, directory: "partition=0".into(), partition: 0 };
        let draft = Draft {
            run_id: "two".into(),
            committed_at: "2024-01-01T00:00:00Z".into(),
            source: "s3://b".into(),
            spec_hash: "abc".into(),
            schema: Vec::new(),
            mode: Mode::Append,
            reached: [(source.clone(), Watermark { start: 9, end: 10, last: None })].into(),
            files: Vec::new(),
            rejects: Vec::new(),
            resolved: None,
            counts: Counts::default(),
        };
        assert_eq!(table.commit(base.as_ref(), draft).await.unwrap().version, 3);
        let state = logs.rows().read().await.unwrap().unwrap();
        assert_eq!(logs.watermarks(&state)[&source].start, 9);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_that_the_quarantine_has_not_taken_over_stay() {
    for world in worlds() {
        world.run("one", Mode::Append).await;
        world.run("two", Mode::Append).await;
        // As if the process had been killed before the quarantine followed.
        let path = Path::from(format!("_quarantine/t/_delta_log/{:020}.json", 1));
        world.output.objects.delete(&path).await.unwrap();
        for dry_run in [true, false] {
            let vacuumed = world.vacuum(&settings(Duration::ZERO, dry_run)).await;
            assert!(unused(&vacuumed).is_empty(), "{vacuumed:?}");
            assert_eq!(world.versions().await[1], u64::from(!dry_run));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_run_under_way_are_younger_than_the_retention() {
    for world in worlds() {
        let Some(folder) = &world.folder else { continue };
        world.run("one", Mode::Append).await;
        world.run("two", Mode::Full).await;
        let paths = ["t/crash.parquet", "t/running.parquet", "_quarantine/t/running.parquet"];
        for path in paths {
            world.put(path).await;
        }
        let age = |path: &str, days: u64| {
            let file = std::fs::File::options().write(true).open(folder.path().join(path)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
        };
        for path in world.there().await {
            let days = if path.ends_with("running.parquet") { 6 } else { 8 };
            age(&path, days);
        }
        let done = world.vacuum(&settings(SAFE_RETENTION, false)).await;
        assert_eq!(unused(&done), ["t/crash.parquet"], "old files were in use until now");
    }
}

#[test]
fn a_dry_run_lists_what_a_vacuum_counts() {
    let table = |name: &str, unused: &[(&str, u64)]| Vacuumed {
        name: name.into(),
        place: format!("s3://lake/{name}"),
        unused: unused.iter().map(|(path, size)| ((*path).to_owned(), *size)).collect(),
    };
    let tables = [table("pin", &[("a", 1_200_000), ("b", 60_000)]), table("_quarantine/pin", &[])];
    let counted = "\
table            files deleted   MB
pin                          2  1.3
_quarantine/pin              0  0.0
";
    assert_eq!(show(&tables, false), counted);
    let listed = "\
s3://lake/pin/a
s3://lake/pin/b
table            files to delete   MB
pin                            2  1.3
_quarantine/pin                0  0.0
";
    assert_eq!(show(&tables, true), listed);
}
