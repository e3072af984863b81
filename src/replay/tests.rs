//! Runs with a transform that is too strict, then replays with a mended one.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::runtime::Runtime;

use super::*;
use crate::delta::read::FileReader;
use crate::delta::{Change, Log, Requires, arrow_schema};
use crate::key::{Extension, Layout, Source, Topic};
use crate::pipeline::clean::Cleaner;
use crate::pipeline::decode::Decoder;
use crate::pipeline::discover::{Object, Watermark};
use crate::pipeline::fetch::{Piece, RawBatch};
use crate::pipeline::plan::{Following, Shard};
use crate::pipeline::report::run_id;
use crate::pipeline::write::{FileWriter, ShardWriter, quarantine_schema, table_schema};
use crate::spec::parse;
use crate::store::Output;

/// A transform whose numbers end at `max`, with more keys and columns.
fn spec_with(max: u32, keys: &str, column: &str) -> Spec {
    let n = format!("{{ name = 'n', type = 'int32', field = 'n', range = {{ max = {max} }} }}");
    let head = "version = 1\ntable = 't'\ntopics = ['t']";
    parse("t.toml", &format!("{head}\n{keys}\ncolumn = [{n}{column}]\n")).unwrap()
}

fn spec(max: u32) -> Spec {
    spec_with(max, "", "")
}

struct World {
    runtime: Runtime,
    output: Output,
    _folder: Option<tempfile::TempDir>,
}

fn worlds() -> Vec<World> {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let world = |objects: Arc<dyn ObjectStore>, folder| World {
        runtime: tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap(),
        output: Output { objects, url: "out".into(), refusals: None },
        _folder: folder,
    };
    vec![world(Arc::new(InMemory::new()), None), world(Arc::new(local), Some(folder))]
}

/// A reject: its id, its code, and what resolved it.
type Reject = (Option<String>, String, Option<(i64, String)>);

impl World {
    fn table(&self, spec: &Spec) -> DeltaTable {
        DeltaTable::new(&self.output, spec).unwrap()
    }

    fn target(&self, spec: &Spec) -> Arc<Target> {
        Arc::new(Target {
            output: self.output.clone(),
            runtime: self.runtime.handle().clone(),
            layout: Layout::default(),
            table: spec.table.clone(),
            schema: table_schema(spec),
            partition_by: spec.partition_by.clone(),
            spec_hash: spec.hash.clone(),
            generation: 0,
            unique_names: true,
            run_id: run_id(Utc::now()),
            started: Utc::now(),
            held: Arc::default(),
        })
    }

    fn read(&self, spec: &Spec) -> Option<State> {
        self.runtime.block_on(self.table(spec).read()).unwrap()
    }

    /// A run over one object.
    fn run(&self, spec: &Spec, partition: u32, start: u64, lines: &str) {
        let (target, base) = (self.target(spec), self.read(spec));
        let source = source(partition);
        let object = Object { start, size: 0, width: 10, extension: Extension::Json, etag: None };
        let source_of = Arc::new(source.clone());
        let shard = Arc::new(Shard {
            source: source_of,
            table: 0,
            objects: vec![object],
            following: Following::default(),
            floor: 0,
        });
        let piece = Piece {
            object: 0,
            range: 0..lines.len(),
            lines_before: 0,
            records_before: 0,
            cut: None,
            last: true,
            fault: None,
        };
        let bytes = lines.as_bytes().to_vec();
        let raw =
            RawBatch { shard: Arc::clone(&shard), bytes, pieces: vec![piece], sizes: Vec::new() };
        let decoded = Decoder::new(spec).decode(raw).unwrap();
        let batch = Cleaner::new(spec).unwrap().clean(decoded, &target.layout).unwrap();
        let mut writer = ShardWriter::new(Arc::clone(&target), shard);
        writer.append(&batch.frame, &batch.rejects).unwrap();
        let written = writer.finish().unwrap();
        let files = |staged: &[Staged]| staged.iter().map(|staged| staged.file.clone()).collect();
        let watermark = Watermark { start, end: start + 1, last: None };
        let draft = Draft {
            files: files(&written.files),
            rejects: files(&written.rejects),
            reached: [(source, watermark)].into(),
            resolved: None,
            ..draft(spec, &target.run_id)
        };
        let staged = written.files.into_iter().chain(written.rejects).collect();
        self.runtime.block_on(publish(&self.output, staged)).unwrap();
        self.runtime.block_on(self.table(spec).commit(base.as_ref(), draft)).unwrap();
    }

    /// What would land, and what it was planned from.
    fn clean(&self, spec: &Spec) -> (Planned, Cleaned) {
        let planned = Planned {
            table: self.table(spec),
            target: self.target(spec),
            base: self.read(spec).unwrap(),
            stop: Stop::default(),
        };
        let quarantine = self.runtime.block_on(planned.table.quarantine().read()).unwrap().unwrap();
        let cleaned = planned.replay(spec).clean(&quarantine).unwrap();
        (planned, cleaned)
    }

    fn land(&self, spec: &Spec, (planned, cleaned): (Planned, Cleaned)) -> Result<Option<Landed>> {
        self.runtime.block_on(planned.replay(spec).land(&planned.base, cleaned))
    }

    fn replay(&self, spec: &Spec) -> (Counts, Option<Landed>) {
        let (planned, cleaned) = self.clean(spec);
        let counts = cleaned.counts.clone();
        (counts, self.land(spec, (planned, cleaned)).unwrap())
    }

    /// The rows of a table, as texts, sorted.
    fn rows(&self, spec: &Spec) -> Vec<String> {
        let log = Log::new(&self.output, Path::from("t"));
        let mut rows = Vec::new();
        for batch in self.batches(&log, spec) {
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().map(|column| shown(column, row));
                rows.push(cells.collect::<Vec<_>>().join(" "));
            }
        }
        rows.sort();
        rows
    }

    fn rejects(&self, spec: &Spec) -> Vec<Reject> {
        let mut rejects = Vec::new();
        for batch in self.batches(self.table(spec).quarantine(), spec) {
            let text = |name: &str, row: usize| {
                let column = batch.column_by_name(name).unwrap().as_string_view();
                column.is_valid(row).then(|| column.value(row).to_owned())
            };
            let at = batch.column_by_name("resolved_at").unwrap();
            let at = at.as_primitive::<TimestampMicrosecondType>();
            for row in 0..batch.num_rows() {
                assert_eq!(at.is_valid(row), text("resolved_by", row).is_some());
                let resolved = text("resolved_by", row).map(|by| (at.value(row), by));
                rejects.push((text("id", row), text("code", row).unwrap(), resolved));
            }
        }
        rejects.sort();
        rejects
    }

    /// The codes of the rejects that are open, and how many are resolved.
    fn open(&self, spec: &Spec) -> (Vec<String>, usize) {
        let (open, resolved): (Vec<_>, Vec<_>) =
            self.rejects(spec).into_iter().partition(|reject| reject.2.is_none());
        let mut codes: Vec<String> = open.into_iter().map(|reject| reject.1).collect();
        codes.sort();
        (codes, resolved.len())
    }

    fn batches(&self, log: &Log, spec: &Spec) -> Vec<RecordBatch> {
        self.read(spec);
        let read = async {
            let state = log.read().await.unwrap().unwrap();
            let schema = arrow_schema(&state.schema()).unwrap();
            let mut batches = Vec::new();
            for file in log.files(&state).await.unwrap() {
                let reader = FileReader::open(&self.output, &log.file_path(&file.path)).await;
                let read = reader.unwrap().read(&schema, &file.partition).unwrap();
                batches.extend(read.try_collect::<Vec<_>>().await.unwrap());
            }
            batches
        };
        self.runtime.block_on(read)
    }

    /// The keys of all Parquet files.
    fn files(&self) -> Vec<String> {
        let listed = self.output.objects.list(None).try_collect::<Vec<_>>();
        let keys = self.runtime.block_on(listed).unwrap().into_iter();
        let mut keys: Vec<String> = keys.map(|object| object.location.to_string()).collect();
        keys.retain(|key| key.ends_with(".parquet"));
        keys.sort();
        keys
    }

    /// Takes the latest commit of the quarantine away, as if the process had
    /// been killed before it.
    fn forget_latest(&self, spec: &Spec) {
        let log = self.table(spec).quarantine().clone();
        let forget = async {
            let version = log.read().await.unwrap().unwrap().version();
            let path = log.folder().clone().join("_delta_log").join(format!("{version:020}.json"));
            self.output.objects.delete(&path).await.unwrap();
        };
        self.runtime.block_on(forget);
    }
}

/// A replay under way.
struct Planned {
    table: DeltaTable,
    target: Arc<Target>,
    base: State,
    stop: Stop,
}

impl Planned {
    fn replay<'a>(&'a self, spec: &'a Spec) -> Replay<'a> {
        let Planned { table, target, stop, .. } = self;
        Replay { table, spec, target, workers: 2, stop }
    }
}

fn source(partition: u32) -> Source {
    let directory = format!("partition={partition}");
    Source { topic: Topic::parse("t").unwrap(), directory: directory.into(), partition }
}

fn draft(spec: &Spec, run_id: &str) -> Draft {
    Draft {
        run_id: run_id.into(),
        committed_at: rfc3339(Utc::now()),
        source: "s3://b".into(),
        spec_hash: spec.hash.clone(),
        schema: Vec::new(),
        mode: Mode::Append,
        reached: Watermarks::new(),
        files: Vec::new(),
        rejects: Vec::new(),
        resolved: None,
        counts: commit::Counts::default(),
    }
}

fn shown(column: &arrow::array::ArrayRef, row: usize) -> String {
    match column.data_type() {
        _ if column.is_null(row) => "null".to_owned(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        _ => column.as_string_view().value(row).to_owned(),
    }
}

/// Records alone and wrapped, good and bad: 3 are good, 4 more are so up to 99.
const LINES: &str = r#"{"n":1}
{"n":10}
{"records":[{"value":{"n":2}},{"value":{"n":20}},{"value":{"n":200}}]}
"{\"n\":\n30}"
{"n":"x"}
{"value":"{\"n\":40}"}
{"n":3}
{"n":
"#;

#[test]
fn what_passes_now_lands_once_as_a_run_would_have_landed_it() {
    let k = ", { name = 'k', type = 'string', field = 'k' }";
    for (keys, column) in [("", ""), ("unique_by = ['n']", ""), ("partition_by = ['k']", k)] {
        let (strict, mended) = (spec_with(9, keys, column), spec_with(99, keys, column));
        for (world, fresh) in worlds().into_iter().zip(worlds()) {
            for (partition, start) in [(0, 0), (3, 70), (0, 100)] {
                world.run(&strict, partition, start, LINES);
                fresh.run(&mended, partition, start, LINES);
            }
            if keys != "unique_by = ['n']" {
                assert_eq!(world.rows(&strict).len(), 9);
            }
            let before = world.rejects(&strict);
            let ids: BTreeSet<_> = before.iter().map(|r| &r.0).collect();
            assert_eq!((before.len(), ids.len()), (21, 21), "each has an id of its own");

            let (counts, landed) = world.replay(&mended);
            assert_eq!((counts.open, counts.landed, counts.rows), (21, 12, 12));
            let stayed = [("invalid_json", ""), ("range", "n"), ("type", "n")];
            let stayed = stayed.map(|(code, column)| ((code.to_owned(), column.to_owned()), 3));
            assert_eq!(counts.codes, BTreeMap::from(stayed));
            assert!(landed.is_some());
            assert_eq!(world.rows(&mended), fresh.rows(&mended));

            let (open, resolved) = world.open(&mended);
            assert_eq!(open, ["invalid_json", "range", "type"].map(|code| [code; 3]).concat());
            assert_eq!(resolved, 12);
            let after = world.rejects(&mended);
            let by: BTreeSet<_> = after.iter().filter_map(|r| r.2.clone()).collect();
            assert_eq!(by.len(), 1, "one time, one run: {by:?}");

            let (counts, landed) = world.replay(&mended);
            assert_eq!((counts.open, counts.landed, landed), (9, 0, None));
            assert_eq!(world.rows(&mended), fresh.rows(&mended));
            assert_eq!(world.rejects(&mended), after);
        }
    }
}

#[test]
fn later_replays_and_runs_go_on_from_there() {
    for world in worlds() {
        world.run(&spec(9), 0, 0, "{\"n\":10}\n{\"n\":100}\n");
        world.replay(&spec(99));
        world.run(&spec(99), 0, 50, "{\"n\":100}\n{\"n\":5}\n");
        let (counts, _) = world.replay(&spec(999));
        assert_eq!((counts.open, counts.landed), (2, 2));
        assert_eq!(world.rows(&spec(999)), ["10", "100", "100", "5"]);
        assert_eq!(world.open(&spec(999)), (vec![], 3));
        let runs: BTreeSet<_> =
            world.rejects(&spec(999)).into_iter().filter_map(|r| Some(r.2?.1)).collect();
        assert_eq!(runs.len(), 2);
        // A column that the table lacks is added.
        let wider = spec_with(999, "", ", { name = 'k', type = 'string', field = 'k' }");
        world.run(&spec(9), 1, 0, "{\"n\":77,\"k\":\"a\"}\n");
        world.replay(&wider);
        assert_eq!(world.rows(&wider).last().unwrap(), "77 a");
        assert_eq!(world.rows(&wider).len(), 5);
    }
}

#[test]
fn a_crash_between_the_two_commits_is_made_good_by_the_next_reading() {
    let (strict, mended) = (spec(9), spec(99));
    for world in worlds() {
        world.run(&strict, 0, 0, LINES);
        world.replay(&mended);
        let whole = world.rejects(&mended);
        world.forget_latest(&mended);
        let table = world.table(&mended);
        let (a, b) = world.runtime.block_on(async { tokio::join!(table.read(), table.read()) });
        assert!(a.is_ok() && b.is_ok(), "two find it at once: {a:?} {b:?}");
        assert_eq!(world.rejects(&mended), whole, "who settles it does not show");
        assert_eq!(world.replay(&mended).0.landed, 0);
    }
}

#[test]
fn a_quarantine_that_was_packed_in_between_is_resolved_all_the_same() {
    let (strict, mended) = (spec(9), spec(99));
    for world in worlds() {
        world.run(&strict, 0, 0, LINES);
        world.replay(&mended);
        let whole = world.rejects(&mended);
        world.forget_latest(&mended);
        let log = world.table(&mended).quarantine().clone();
        let pack = async {
            let state = log.read().await.unwrap().unwrap();
            let files = log.files(&state).await.unwrap();
            let [file] = &files[..] else { panic!("{files:?}") };
            let to = log.file_path("packed.parquet");
            world.output.objects.copy(&log.file_path(&file.path), &to).await.unwrap();
            let mut add = crate::delta::Add {
                path: "packed.parquet".into(),
                size: file.size as i64,
                data_change: false,
                ..Default::default()
            };
            add.stats = Some(file.stats.to_string());
            let change = Change {
                id: "packed".into(),
                operation: "OPTIMIZE",
                parameters: serde_json::json!({}),
                note: serde_json::json!({}),
                actions: vec![file.remove(false).into(), add.into()],
                requires: Requires { files: [file.path.clone()].into(), ..Requires::default() },
            };
            log.commit(Some(&state), &change).await.unwrap();
        };
        world.runtime.block_on(pack);
        assert_eq!(world.rejects(&mended), whole);
    }
}

#[test]
fn of_two_replays_at_once_one_lands_and_the_other_leaves_nothing() {
    let (strict, mended) = (spec(9), spec(99));
    for world in worlds() {
        world.run(&strict, 0, 0, LINES);
        let (first, second) = (world.clean(&mended), world.clean(&mended));
        world.land(&mended, first).unwrap();
        let (rows, rejects, files) = (world.rows(&mended), world.rejects(&mended), world.files());
        let late = world.land(&mended, second);
        assert!(matches!(late, Err(Error::Ahead { .. })), "{late:?}");
        assert_eq!((world.rows(&mended), world.rejects(&mended)), (rows, rejects));
        assert_eq!(world.files(), files, "what came second is taken away");
    }
}

#[test]
fn a_run_with_rejects_in_between_fences_a_replay_and_one_without_does_not() {
    let (strict, mended) = (spec(9), spec(99));
    for (line, fenced) in [("{\"n\":11}\n", true), ("{\"n\":5}\n", false)] {
        for world in worlds() {
            world.run(&strict, 0, 0, "{\"n\":10}\n");
            let planned = world.clean(&mended);
            world.run(&strict, 1, 0, line);
            let landed = world.land(&mended, planned);
            assert_eq!(matches!(landed, Err(Error::Ahead { .. })), fenced, "{landed:?}");
            world.replay(&mended);
            let expected = if fenced { ["10", "11"] } else { ["10", "5"] };
            assert_eq!(world.rows(&mended), expected);
        }
    }
}

#[test]
fn a_reject_of_several_records_lands_as_a_whole_or_not_at_all() {
    let m = |fields: &str| format!(", {{ name = 'm', type = 'int32', field = {fields} }}");
    let (old, new) = (spec_with(99, "", &m("['m', 'id']")), spec_with(99, "", &m("'m'")));
    // The old transform reads `id`, so that these are records by themselves.
    let lines = "{\"id\":\"x\",\"records\":[{\"n\":1},{\"n\":2}]}\n\
                 {\"id\":\"x\",\"records\":[{\"n\":3},{\"n\":400}]}\n";
    for world in worlds() {
        world.run(&old, 0, 0, &format!("{lines}{{\"n\":9}}\n"));
        let (counts, _) = world.replay(&new);
        assert_eq!((counts.open, counts.landed, counts.rows, counts.stayed()), (2, 1, 2, 1));
        assert_eq!(world.rows(&new), ["1 null", "2 null", "9 null"]);
    }
}

#[test]
fn a_column_that_ends_runs_leaves_its_reject_where_it_is() {
    let mut fail = spec(99);
    fail.columns[0].on_error = OnError::Fail;
    for world in worlds() {
        world.run(&spec(9), 0, 0, LINES);
        let (counts, landed) = world.replay(&fail);
        assert_eq!((counts.landed, landed.is_some()), (4, true));
    }
}

#[test]
fn rejects_of_before_there_were_ids_are_counted_and_stay() {
    let (strict, mended) = (spec(9), spec(99));
    for world in worlds() {
        world.run(&strict, 0, 0, "{\"n\":1}\n");
        let (target, base) = (world.target(&strict), world.read(&strict));
        let schema = quarantine_schema();
        let old: Vec<Field> = schema.fields()[..11].iter().map(|f| f.as_ref().clone()).collect();
        let old = Arc::new(Schema::new(old));
        let columns = old.fields().iter().map(|field| match field.name().as_str() {
            "code" => Arc::new(arrow::array::StringArray::from(vec!["range"])) as _,
            "raw" => Arc::new(arrow::array::LargeBinaryArray::from(vec![&b"{\"n\":10}"[..]])) as _,
            _ => arrow::array::new_null_array(field.data_type(), 1),
        });
        let batch = RecordBatch::try_new(Arc::clone(&old), columns.collect()).unwrap();
        let path = Path::from("_quarantine/t/old.parquet");
        let mut file = FileWriter::open(&target.sink(), path, &batch).unwrap();
        file.write(&batch).unwrap();
        let staged = file.finish().unwrap();
        let rejects = vec![staged.file.clone()];
        world.runtime.block_on(publish(&world.output, vec![staged])).unwrap();
        let draft = Draft { rejects, ..draft(&strict, "old") };
        world.runtime.block_on(world.table(&strict).commit(base.as_ref(), draft)).unwrap();
        world.run(&strict, 0, 5, "{\"n\":11}\n");
        let (counts, _) = world.replay(&mended);
        assert_eq!((counts.open, counts.landed, counts.without_id), (2, 1, 1));
        assert_eq!(world.rows(&mended), ["1", "11"]);
        assert_eq!(world.open(&mended), (vec!["range".to_owned()], 1));
    }
}

#[test]
fn a_signal_ends_a_replay_and_leaves_nothing() {
    let (strict, mended) = (spec(9), spec(99));
    for world in worlds() {
        world.run(&strict, 0, 0, LINES);
        let files = world.files();
        let (planned, cleaned) = world.clean(&mended);
        planned.replay(&mended).discard(cleaned);
        planned.stop.request(crate::error::Signal::Terminate);
        let quarantine = world.runtime.block_on(planned.table.quarantine().read()).unwrap();
        let stopped = planned.replay(&mended).clean(&quarantine.unwrap());
        assert!(matches!(stopped, Err(Error::Stopped(_))), "{:?}", stopped.map(|_| ()));
        assert_eq!(world.files(), files);
    }
}
