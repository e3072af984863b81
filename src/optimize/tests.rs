use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::runtime::Runtime;

use super::*;
use crate::delta::read::FileReader;
use crate::delta::{Action, Description, Property, Transaction, begin, struct_type};
use crate::pipeline::write::{FileWriter, publish};
use crate::store::Output;

/// The table `pin`, partitioned by `c`, in memory or on a disk.
struct World {
    runtime: Runtime,
    log: Log,
    stop: Stop,
    _folder: Option<tempfile::TempDir>,
}

fn world(objects: Arc<dyn ObjectStore>, folder: Option<tempfile::TempDir>) -> World {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let output = Output { objects, url: "out".into(), refusals: None };
    let log = Log::new(&output, Path::from("pin"));
    let world = World { runtime, log, stop: Stop::default(), _folder: folder };
    let table = struct_type(&schema(), &[("n", "A number")].into()).unwrap();
    let description = Description {
        name: "pin",
        text: "Pins",
        schema: &table,
        partition_by: &["c".to_owned()],
        properties: vec![(Property::Table, "pin".to_owned())],
    };
    let mut actions = begin(&description, "a-b").unwrap();
    actions.push(Action::Txn(Transaction::new("pinclean/pin/x", 7)));
    world.commit("begin", None, actions);
    world
}

fn worlds() -> [World; 2] {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    [world(Arc::new(InMemory::new()), None), world(Arc::new(local), Some(folder))]
}

fn schema() -> Schema {
    let field = |name, ty| Field::new(name, ty, true);
    Schema::new(vec![field("n", DataType::Int64), field("c", DataType::Utf8View)])
}

impl World {
    fn optimizer<'a>(&'a self, id: &'a str) -> Optimizer<'a> {
        let (runtime, stop) = (self.runtime.handle(), &self.stop);
        Optimizer { runtime, stop, id, target_size: 1 << 20, memory: 256 << 20 }
    }

    fn pack(&self, id: &str) -> Result<Option<Packed>> {
        self.optimizer(id).pack(&self.log, "pin", None, 0)
    }

    fn commit(&self, id: &str, base: Option<&State>, actions: Vec<Action>) {
        let change = Change {
            id: id.into(),
            operation: "WRITE",
            parameters: json!({}),
            note: json!({}),
            actions,
            requires: Requires::default(),
        };
        self.runtime.block_on(self.log.commit(base, &change)).unwrap();
    }

    /// One more file of a partition; published, and not committed.
    fn file(&self, name: &str, c: &str, numbers: impl IntoIterator<Item = i64>) -> DataFile {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers));
        let batch = RecordBatch::try_from_iter_with_nullable([("n", numbers, true)]).unwrap();
        let sink = FileSink {
            output: self.log.output().clone(),
            runtime: self.runtime.handle().clone(),
            table: "pin".into(),
            spec_hash: None,
            held: Arc::default(),
        };
        let path = format!("c={c}/{name}.parquet");
        let mut file = FileWriter::open(&sink, self.log.file_path(&path), &batch).unwrap();
        file.write(&batch).unwrap();
        let mut staged = file.finish().unwrap();
        staged.file.path = path;
        staged.file.partition = vec![("c".to_owned(), Some(c.to_owned()))];
        let file = staged.file.clone();
        self.runtime.block_on(publish(&sink.output, vec![staged])).unwrap();
        file
    }

    fn append(&self, name: &str, c: &str, numbers: impl IntoIterator<Item = i64>) {
        let file = self.file(name, c, numbers);
        self.commit(name, Some(&self.state()), same_rows(&[], &[file]));
    }

    fn state(&self) -> State {
        self.runtime.block_on(self.log.read()).unwrap().unwrap()
    }

    fn files(&self) -> Vec<LiveFile> {
        let mut files = self.runtime.block_on(self.log.files(&self.state())).unwrap();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    }

    /// The rows of a file, in order.
    fn rows(&self, file: &LiveFile) -> Vec<i64> {
        let schema = Arc::new(schema().project(&[0]).unwrap());
        let batches = async {
            let path = self.log.file_path(&file.path);
            let reader = FileReader::open(self.log.output(), &path).await?;
            reader.read(&schema, &file.partition)?.try_collect::<Vec<_>>().await
        };
        let batch = concat_batches(&schema, &self.runtime.block_on(batches).unwrap()).unwrap();
        batch.column(0).as_primitive::<Int64Type>().values().to_vec()
    }

    fn all_rows(&self) -> Vec<(String, i64)> {
        let of = |file: &LiveFile| {
            let c = file.partition["c"].clone().unwrap();
            self.rows(file).into_iter().map(move |n| (c.clone(), n)).collect::<Vec<_>>()
        };
        let mut rows: Vec<_> = self.files().iter().flat_map(of).collect();
        rows.sort();
        rows
    }

    /// What is in the store, but for the log.
    fn stored(&self) -> Vec<String> {
        let listed = self.log.output().objects.list(None).try_collect::<Vec<_>>();
        let listed = self.runtime.block_on(listed).unwrap().into_iter();
        let mut paths: Vec<String> = listed.map(|object| object.location.into()).collect();
        paths.retain(|path| !path.contains("_delta_log"));
        paths.sort();
        paths
    }
}

#[test]
fn small_files_become_one_in_each_partition_and_the_rest_of_the_table_stays() {
    for world in worlds() {
        for n in 0..12 {
            let c = if n % 3 == 0 { "a%2Fb" } else { "d" };
            world.append(&format!("f{n:02}"), c, [n, n + 100]);
        }
        // Hard to compress, and of more than three quarters of the target.
        world.append("large", "d", (0..110_000_i64).map(|n| n.wrapping_mul(0x1E37_79B9_7F4A_7C15)));
        let (before, rows) = (world.state(), world.all_rows());
        let packed = world.pack("one").unwrap().unwrap();
        assert_eq!((packed.files, packed.into_files, packed.rows), (12, 2, 24));
        let files = world.files();
        let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        let [a, large, d] = paths[..] else { panic!("{paths:?}") };
        assert!(a.starts_with("c=a%2Fb/packed-one-0") && d.starts_with("c=d/packed-"), "{paths:?}");
        assert_eq!(large, "c=d/large.parquet");
        assert_eq!(world.rows(&files[0]), [0, 100, 3, 103, 6, 106, 9, 109], "in their order");
        assert_eq!(world.all_rows(), rows);

        let after = world.state();
        assert_eq!(after.version(), before.version() + 1);
        assert_eq!((after.txns(), after.schema()), (before.txns(), before.schema()));
        let entry = world.runtime.block_on(world.log.entry(after.version())).unwrap().unwrap();
        for action in entry {
            match action {
                Action::Add(add) => assert!(!add.data_change && add.stats.is_some()),
                Action::Remove(remove) => assert!(!remove.data_change),
                Action::CommitInfo(info) => assert_eq!(info.operation.unwrap(), "OPTIMIZE"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(world.pack("two").unwrap(), None, "nothing is left to pack");
    }
}

#[test]
fn what_was_planned_before_and_after_does_not_collide_with_appends() {
    for world in worlds() {
        world.append("one", "a", [1]);
        world.append("two", "a", [2]);
        let planned = world.state();
        let packing = |state: State| {
            let groups = plan::packs(world.files(), 1 << 20);
            Packing { log: &world.log, table: "pin", state, sort: None, groups }
        };
        let optimizer = world.optimizer("x");
        let packing = packing(planned.clone());
        let new = optimizer.write(&packing).unwrap();
        world.append("three", "a", [3]);
        optimizer.commit(packing, &new).unwrap();
        let late = world.file("four", "a", [4]);
        world.commit("four", Some(&planned), same_rows(&[], &[late]));
        let rows = [1, 2, 3, 4].map(|n| ("a".to_owned(), n));
        assert_eq!(world.all_rows(), rows);
        assert_eq!(world.files().len(), 3);
    }
}

#[test]
fn of_two_at_once_one_wins_and_the_other_leaves_nothing() {
    for world in worlds() {
        for n in 0..4 {
            world.append(&format!("f{n}"), "a", [n]);
        }
        let (state, groups) = (world.state(), plan::packs(world.files(), 1 << 20));
        let slow = Packing { log: &world.log, table: "pin", state, sort: None, groups };
        let new = world.optimizer("slow").write(&slow).unwrap();
        world.pack("fast").unwrap().unwrap();
        let stored = world.stored();
        assert!(stored.iter().any(|path| path.contains("packed-slow")));
        let error = world.optimizer("slow").commit(slow, &new).unwrap_err();
        assert!(matches!(error, Error::Ahead { .. }), "{error}");
        let left: Vec<_> = stored.into_iter().filter(|path| !path.contains("slow")).collect();
        assert_eq!(world.stored(), left);
        assert_eq!(world.all_rows(), [0, 1, 2, 3].map(|n| ("a".to_owned(), n)));
    }
}

#[test]
fn a_file_that_is_gone_is_named_and_nothing_changes() {
    for world in worlds() {
        for (name, c) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")] {
            world.append(name, c, [1]);
        }
        let gone = world.log.file_path("c=b/b2.parquet");
        world.runtime.block_on(world.log.output().objects.delete(&gone)).unwrap();
        let (version, stored) = (world.state().version(), world.stored());
        let error = world.pack("x").unwrap_err();
        assert!(error.to_string().starts_with("out/pin/c=b/b2.parquet is gone"), "{error}");
        assert_eq!((world.state().version(), world.stored()), (version, stored));
    }
}

#[test]
fn sorted_files_are_written_anew_and_few_files_stay() {
    let [world, _] = worlds();
    world.append("one", "a", [5, 1, 9]);
    world.append("two", "a", [4, 8, 0]);
    world.append("three", "b", [2, 1]);
    let optimizer = world.optimizer("x");
    assert_eq!(optimizer.pack(&world.log, "pin", None, 3).unwrap(), None);
    let packed = optimizer.pack(&world.log, "pin", Some("n"), 3).unwrap().unwrap();
    assert_eq!((packed.files, packed.into_files), (3, 2));
    let rows: Vec<_> = world.files().iter().map(|file| world.rows(file)).collect();
    assert_eq!(rows, [vec![0, 1, 4, 5, 8, 9], vec![1, 2]]);
}

#[test]
fn a_table_that_is_not_there_has_nothing_to_pack() {
    let [world, _] = worlds();
    let none = Log::new(world.log.output(), Path::from_iter(["_quarantine", "pin"]));
    assert_eq!(world.optimizer("x").pack(&none, "none", None, 0).unwrap(), None);
}
