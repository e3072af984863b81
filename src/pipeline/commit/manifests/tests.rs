use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutPayload, PutResult,
};

use super::*;
use crate::key::{Extension, Source, Topic};
use crate::pipeline::commit::Counts;
use crate::pipeline::discover::Object;
use crate::pipeline::discover::{Watermark, Watermarks};
use crate::pipeline::plan::{Following, Shard};
use crate::pipeline::write::{DataFile, FileName};

/// What goes wrong with the next put of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mishap {
    /// Done, but the answer is an error.
    AnswerLost,
    /// Done, but the answer is that of a second attempt.
    AnswerLostThenRetried,
    /// Not done.
    Refused,
    /// Another run's manifest gets there first.
    Overtaken,
}

#[derive(Debug)]
struct Faulty {
    inner: Arc<dyn ObjectStore>,
    mishaps: Mutex<Vec<Mishap>>,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faulty {}", self.inner)
    }
}

fn failure() -> object_store::Error {
    object_store::Error::Generic { store: "test", source: "connection reset".into() }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        let mishap =
            (options.mode == PutMode::Create).then(|| self.mishaps.lock().unwrap().pop()).flatten();
        match mishap {
            None => self.inner.put_opts(path, payload, options).await,
            Some(Mishap::Refused) => Err(failure()),
            Some(Mishap::AnswerLost) => {
                self.inner.put_opts(path, payload, options).await?;
                Err(failure())
            }
            Some(Mishap::AnswerLostThenRetried) => {
                self.inner.put_opts(path, payload.clone(), options.clone()).await?;
                self.inner.put_opts(path, payload, options).await
            }
            Some(Mishap::Overtaken) => {
                let text = serde_json::to_vec(&Manifest::following(None, draft("other"))).unwrap();
                self.inner.put_opts(path, text.into(), options.clone()).await?;
                self.inner.put_opts(path, payload, options).await
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        self.inner.get_opts(path, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

fn source(directory: &str) -> Source {
    Source { topic: Topic::parse("a.pin").unwrap(), directory: directory.into(), partition: 0 }
}

/// The name of a file for objects that start at `first` and at `last`.
fn name(directory: &str, first: u64, last: u64, generation: u64) -> String {
    let object =
        |start| Object { start, size: 1, width: 10, extension: Extension::Json, etag: None };
    let shard = Shard {
        source: Arc::new(source(directory)),
        table: 0,
        objects: vec![object(first), object(last)],
        following: Following::default(),
        floor: 0,
    };
    FileName::of(&shard, "hash", generation).to_string()
}

fn draft(run: &str) -> Draft {
    Draft {
        run_id: run.into(),
        committed_at: "2024-01-01T00:00:00Z".into(),
        source: "s3://bucket".into(),
        spec_hash: "hash".into(),
        schema: vec![Field { name: "a".into(), ty: "int32".into() }],
        mode: Mode::Append,
        reached: Watermarks::new(),
        files: vec![],
        rejects: vec![],
        resolved: None,
        counts: Counts::default(),
    }
}

impl Draft {
    fn full(mut self) -> Draft {
        self.mode = Mode::Full;
        self
    }

    fn reaching(mut self, directory: &str, start: u64, files: &[&str]) -> Draft {
        self.reached.insert(source(directory), Watermark { start, end: start + 1, last: None });
        self.files.extend(files.iter().map(|path| DataFile {
            path: (*path).into(),
            rows: 1,
            bytes: 1,
            partition: Vec::new(),
            stats: String::new(),
        }));
        self
    }
}

/// The same cases over memory and over a folder.
fn stores(mishaps: &[Mishap]) -> Vec<(tempfile::TempDir, ManifestLog)> {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let inners: [Arc<dyn ObjectStore>; 2] = [Arc::new(InMemory::new()), Arc::new(local)];
    inners
        .into_iter()
        .zip([tempfile::tempdir().unwrap(), folder])
        .map(|(inner, folder)| {
            let mishaps = Mutex::new(mishaps.iter().rev().copied().collect());
            let objects = Arc::new(Faulty { inner, mishaps });
            (folder, ManifestLog::new(Output { objects, url: "out".into(), refusals: None }, "pin"))
        })
        .collect()
}

impl ManifestLog {
    async fn put_file(&self, path: &str) {
        self.output.objects.put(&Path::from(path), "x".into()).await.unwrap();
    }

    async fn names(&self) -> HashSet<String> {
        let listed: Vec<_> = self.output.objects.list(None).try_collect().await.unwrap();
        let paths = listed.into_iter().map(|meta: ObjectMeta| meta.location.to_string());
        paths.filter(|path| !path.contains("_pinclean")).collect()
    }
}

fn set(paths: &[&str]) -> HashSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

#[tokio::test]
async fn a_manifest_reads_back_and_the_next_one_builds_on_it() {
    for (_folder, log) in stores(&[]) {
        assert_eq!(log.read_latest().await.unwrap(), None);
        let one = draft("one").reaching("partition=0", 5, &["f1"]).reaching("x=ä /y", 7, &["f2"]);
        let one = log.commit(None, one).await.unwrap();
        assert_eq!(one.place, "out/pin/_pinclean/0000000001.json");
        assert_eq!(log.read_latest().await.unwrap().as_ref(), Some(&one.latest));

        let two = draft("two").reaching("partition=0", 9, &["f3"]);
        let two = log.commit(Some(&one.latest), two).await.unwrap().latest;
        assert_eq!(log.read_latest().await.unwrap().as_ref(), Some(&two));
        assert_eq!(two.number, 2);
        let starts: Vec<_> = two.manifest.watermarks.values().map(|w| w.start).collect();
        assert_eq!(starts, [9, 7], "what this run did not read stays");
        assert_eq!(two.manifest.live.files, 3);
    }
}

#[tokio::test]
async fn after_any_error_the_log_decides() {
    use Mishap::{AnswerLost, AnswerLostThenRetried, Overtaken, Refused};
    let cases: [(&[Mishap], Option<&str>); 8] = [
        (&[], None),
        (&[AnswerLost], None),
        (&[AnswerLostThenRetried], None),
        (&[Refused], None),
        (&[Refused, Refused], None),
        (&[Refused, Refused, Refused], Some("cannot write out/pin/_pinclean/0000000001.json")),
        (&[Overtaken], Some("another run is ahead")),
        (&[Refused, Overtaken], Some("another run is ahead")),
    ];
    for (mishaps, failure) in cases {
        for (_folder, log) in stores(mishaps) {
            let result = log.commit(None, draft("ours")).await;
            let latest = log.read_latest().await.unwrap();
            let by = latest.as_ref().map(|latest| latest.manifest.run_id.as_str());
            match failure {
                None => {
                    assert_eq!(Some(result.unwrap().latest), latest, "{mishaps:?}");
                    assert_eq!(by, Some("ours"));
                }
                Some(failure) => {
                    let error = result.unwrap_err().to_string();
                    assert!(error.contains(failure), "{mishaps:?}: {error}");
                    assert_ne!(by, Some("ours"));
                }
            }
        }
    }
}

#[tokio::test]
async fn of_two_racers_one_commits_and_the_other_is_told() {
    for (_folder, log) in stores(&[]) {
        let (a, b) = tokio::join!(log.commit(None, draft("a")), log.commit(None, draft("b")));
        let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
        assert!(matches!(lost, Err(Error::Ahead { .. })), "{lost:?}");
        assert_eq!(log.read_latest().await.unwrap(), Some(won.unwrap().latest));
    }
}

#[tokio::test]
async fn left_overs_at_or_below_the_watermark_are_swept_and_nothing_else() {
    let directory = "partition=0";
    let (ours, crashed) = (name(directory, 0, 9, 0), name(directory, 5, 9, 0));
    let (later, elsewhere) = (name(directory, 10, 19, 0), name("partition=0/b", 0, 9, 0));
    let rebuilding = name(directory, 0, 9, 2);
    for (_folder, log) in stores(&[]) {
        let stay = [
            format!("pin/{ours}"),
            format!("pin/{later}"),
            format!("pin/{elsewhere}"),
            format!("pin/{rebuilding}"),
            "pin/foreign.parquet".to_owned(),
            "pin/README.md".to_owned(),
            format!("geo/{crashed}"),
        ];
        let go = [format!("pin/{crashed}"), format!("_quarantine/pin/{ours}")];
        for path in stay.iter().chain(&go) {
            log.put_file(path).await;
        }
        let commit = draft("one").reaching(directory, 9, &[&ours]);
        let committed = log.commit(None, commit).await.unwrap();
        assert_eq!(committed.removed, 2);
        assert_eq!(log.names().await, stay.into_iter().collect());
    }
}

#[tokio::test]
async fn files_of_earlier_commits_stay_when_a_later_one_sweeps() {
    let directory = "partition=0";
    let (one, two) = (name(directory, 0, 9, 0), name(directory, 10, 19, 0));
    let crashed = name(directory, 0, 3, 0);
    for (_folder, log) in stores(&[]) {
        log.put_file(&format!("pin/{one}")).await;
        let first = draft("one").reaching(directory, 9, &[&one]);
        let base = log.commit(None, first).await.unwrap().latest;
        log.put_file(&format!("pin/{two}")).await;
        log.put_file(&format!("pin/{crashed}")).await;
        let second = draft("two").reaching(directory, 19, &[&two]);
        assert_eq!(log.commit(Some(&base), second).await.unwrap().removed, 1);
        assert_eq!(log.names().await, set(&[&format!("pin/{one}"), &format!("pin/{two}")]));
    }
}

#[tokio::test]
async fn a_full_run_replaces_all_files_even_of_sources_that_are_gone() {
    let (one, gone) = (name("partition=0", 0, 9, 0), name("partition=1", 0, 9, 0));
    let rebuilt = name("partition=0", 0, 9, 2);
    for (_folder, log) in stores(&[]) {
        log.put_file(&format!("pin/{one}")).await;
        log.put_file(&format!("pin/{gone}")).await;
        let first = draft("one").reaching("partition=0", 9, &[&one]);
        let first = first.reaching("partition=1", 9, &[&gone]);
        let base = log.commit(None, first).await.unwrap().latest;
        log.put_file(&format!("pin/{rebuilt}")).await;
        log.put_file("pin/foreign.parquet").await;
        let full = draft("two").full().reaching("partition=0", 9, &[&rebuilt]);
        let committed = log.commit(Some(&base), full).await.unwrap();
        assert_eq!(committed.removed, 2);
        assert_eq!(committed.latest.manifest.live.files, 1);
        let stay = [format!("pin/{rebuilt}"), "pin/foreign.parquet".to_owned()];
        assert_eq!(log.names().await, stay.into_iter().collect());
    }
}

#[tokio::test]
async fn the_run_that_was_second_removes_its_files_but_none_that_is_listed() {
    let directory = "partition=0";
    let (shared, theirs) = (name(directory, 0, 4, 0), name(directory, 5, 9, 0));
    let (ours, beyond) = (name(directory, 5, 7, 0), name(directory, 10, 12, 0));
    for (_folder, log) in stores(&[]) {
        for file in [&shared, &theirs, &ours, &beyond] {
            log.put_file(&format!("pin/{file}")).await;
        }
        let winner =
            Manifest::following(None, draft("theirs").reaching(directory, 9, &[&shared, &theirs]));
        log.put(1, &winner).await.unwrap();
        let second = draft("ours").reaching(directory, 12, &[&shared, &ours, &beyond]);
        let error = log.commit(None, second).await.unwrap_err();
        assert!(matches!(error, Error::Ahead { .. }), "{error}");
        // A third run may commit what lies beyond the watermark, under this name.
        let stay = [&shared, &theirs, &beyond].map(|file| format!("pin/{file}"));
        assert_eq!(log.names().await, stay.into_iter().collect());
    }
}

#[tokio::test]
async fn nothing_is_swept_when_an_older_manifest_is_gone() {
    let directory = "partition=0";
    let (one, two) = (name(directory, 0, 9, 0), name(directory, 10, 19, 0));
    for (_folder, log) in stores(&[]) {
        log.put_file(&format!("pin/{one}")).await;
        log.put_file(&format!("pin/{}", name(directory, 1, 9, 0))).await;
        let base = Latest { number: 1, manifest: Manifest::following(None, draft("one")) };
        let second = draft("two").reaching(directory, 19, &[&two]);
        assert_eq!(log.commit(Some(&base), second).await.unwrap().removed, 0);
        assert_eq!(log.names().await.len(), 2);
    }
}

#[tokio::test]
async fn other_columns_are_refused_unless_the_run_is_full() {
    for (_folder, log) in stores(&[]) {
        let base = log.commit(None, draft("one")).await.unwrap().latest;
        let mut changed = draft("two");
        changed.schema[0].ty = "int64".into();
        let refused = log.commit(Some(&base), changed.clone()).await;
        assert!(matches!(refused, Err(Error::SchemaChanged { .. })), "{refused:?}");
        assert_eq!(log.read_latest().await.unwrap().unwrap().number, 1);
        assert_eq!(log.commit(Some(&base), changed.full()).await.unwrap().latest.number, 2);
    }
}

#[tokio::test]
async fn a_damaged_manifest_is_named_and_foreign_files_in_the_log_are_not_read() {
    for (_folder, log) in stores(&[]) {
        log.put_file("pin/_pinclean/notes.json").await;
        log.put_file("pin/_pinclean/3.json").await;
        assert_eq!(log.read_latest().await.unwrap(), None);
        log.put_file("pin/_pinclean/0000000003.json").await;
        let error = log.read_latest().await.unwrap_err();
        let Error::BadManifest { place, .. } = &error else { panic!("{error}") };
        assert_eq!(place, "out/pin/_pinclean/0000000003.json");
    }
}
