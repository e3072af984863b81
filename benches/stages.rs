//! Micro-benchmarks of the pure stages, over one object of emulated records.
//!
//! `cargo bench --bench stages`

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start has nothing to measure")]

use std::hint::black_box;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use pinclean::emulate::{Emulation, Partitioner, emulate};
use pinclean::key::{Extension, Layout, Name, Source, Topic};
use pinclean::pipeline::clean::Cleaner;
use pinclean::pipeline::decode::Decoder;
use pinclean::pipeline::discover::Object;
use pinclean::pipeline::fetch::{Piece, RawBatch};
use pinclean::pipeline::plan::Shard;
use pinclean::pipeline::write::{ShardWriter, Target, table_schema};
use pinclean::spec::{Spec, load};
use pinclean::store::{Output, S3Options, Session, Store};

const ROWS: u64 = 10_000;
const TABLES: [&str; 3] = ["pin", "geo", "user"];
const USER: &str = "bench";

fn main() {
    divan::main();
}

/// One table's records in one object, and what is needed to clean them.
struct Input {
    spec: Spec,
    layout: Layout,
    shard: Arc<Shard>,
    body: Vec<u8>,
    runtime: tokio::runtime::Runtime,
}

impl Input {
    fn new(table: &str) -> Input {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        let session = Session::new(S3Options::default());
        let emulation = Emulation {
            out: runtime.block_on(Store::for_writing(root, &session)).unwrap(),
            user: USER.into(),
            rows: ROWS,
            flush_size: ROWS,
            partitions: 1,
            partitioner: Partitioner::Default,
            gzip: false,
            seed: 1,
            bad_rate: 0.0,
            start_offset: 0,
            topics_dir: "topics".into(),
            file_delim: "+".into(),
            concurrency: 1,
        };
        emulate(&emulation, runtime.handle()).unwrap();
        let source = Source {
            topic: Topic::parse(&format!("{USER}.{table}")).unwrap(),
            directory: "partition=0".into(),
            partition: 0,
        };
        let layout = Layout::default();
        let object =
            Object { start: 0, size: 0, width: 10, extension: Extension::Json, etag: None };
        let body = std::fs::read(folder.path().join(object.key(&source, &layout))).unwrap();
        let shard = Shard {
            source: Arc::new(source),
            table: 0,
            objects: vec![object],
            next_start: None,
            floor: 0,
        };
        let spec = load(None).unwrap().into_iter().find(|spec| spec.table == table).unwrap();
        Input { spec, layout, shard: Arc::new(shard), body, runtime }
    }

    fn raw(&self) -> RawBatch {
        let piece = Piece {
            object: 0,
            range: 0..self.body.len(),
            lines_before: 0,
            records_before: 0,
            cut: None,
            last: true,
            fault: None,
        };
        RawBatch { shard: Arc::clone(&self.shard), bytes: self.body.clone(), pieces: vec![piece] }
    }

    fn target(&self) -> Arc<Target> {
        Arc::new(Target {
            output: Output {
                objects: Arc::new(object_store::memory::InMemory::new()),
                url: "memory".into(),
                refusals: None,
            },
            runtime: self.runtime.handle().clone(),
            layout: self.layout.clone(),
            table: self.spec.table.clone(),
            schema: table_schema(&self.spec),
            spec_hash: self.spec.hash.clone(),
            partition_by: self.spec.partition_by.clone(),
            generation: 0,
            unique_names: false,
            run_id: "bench".into(),
            started: chrono::DateTime::UNIX_EPOCH,
            held: Arc::default(),
        })
    }
}

#[divan::bench]
fn key(bencher: Bencher) {
    let topic = Topic::parse("0a1b2c3d4e5f.pin").unwrap();
    let layout = Layout::default();
    let name = "0a1b2c3d4e5f.pin+0+0000012345.json";
    bencher.bench(|| Name::parse(black_box(name), &topic, &layout));
}

#[divan::bench(args = TABLES)]
fn decode(bencher: Bencher, table: &str) {
    let input = Input::new(table);
    let mut decoder = Decoder::new(&input.spec);
    bencher
        .counter(ItemsCount::new(ROWS))
        .counter(BytesCount::new(input.body.len()))
        .with_inputs(|| input.raw())
        .bench_local_values(|raw| decoder.decode(raw).unwrap());
}

#[divan::bench(args = TABLES)]
fn clean(bencher: Bencher, table: &str) {
    let input = Input::new(table);
    let cleaner = Cleaner::new(&input.spec).unwrap();
    bencher
        .counter(ItemsCount::new(ROWS))
        .with_inputs(|| Decoder::new(&input.spec).decode(input.raw()).unwrap())
        .bench_local_values(|batch| cleaner.clean(batch, &input.layout).unwrap());
}

#[divan::bench(args = TABLES)]
fn encode(bencher: Bencher, table: &str) {
    let input = Input::new(table);
    let batch = Decoder::new(&input.spec).decode(input.raw()).unwrap();
    let clean = Cleaner::new(&input.spec).unwrap().clean(batch, &input.layout).unwrap();
    let target = input.target();
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let mut writer = ShardWriter::new(Arc::clone(&target), Arc::clone(&input.shard));
        writer.append(&clean.frame, &[]).unwrap();
        writer.finish().unwrap()
    });
}
