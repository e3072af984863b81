//! What the benchmarks of the pure stages measure: one object of emulated records.

use std::sync::Arc;

use pinclean::disk::Durability;
use pinclean::emulate::{Emulation, Partitioner, emulate};
use pinclean::key::{Extension, Layout, Source, Topic};
use pinclean::pipeline::discover::Object;
use pinclean::pipeline::fetch::{Piece, RawBatch};
use pinclean::pipeline::plan::{Following, Shard};
use pinclean::pipeline::write::{Target, table_schema};
use pinclean::spec::{Spec, load};
use pinclean::store::{Output, S3Options, Session, Store};

/// Records in the object.
pub const ROWS: u64 = 10_000;
/// The tables that come with pinclean.
pub const TABLES: [&str; 3] = ["pin", "geo", "user"];
const USER: &str = "bench";

/// One table's records in one object, and what is needed to clean them.
pub struct Input {
    pub spec: Spec,
    pub layout: Layout,
    pub shard: Arc<Shard>,
    pub body: Vec<u8>,
    runtime: tokio::runtime::Runtime,
}

impl Input {
    /// The same bytes each time.
    pub fn new(table: &str) -> Input {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let folder = std::env::temp_dir().join(format!("pinclean-{table}-{}", std::process::id()));
        let root = folder.to_str().unwrap();
        let session = Session::new(S3Options::default());
        let emulation = Emulation {
            out: runtime
                .block_on(Store::for_writing(root, &session, Durability::Unsynced))
                .unwrap(),
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
        let body = std::fs::read(folder.join(object.key(&source, &layout))).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let shard = Shard {
            source: Arc::new(source),
            table: 0,
            objects: vec![object],
            following: Following::default(),
            floor: 0,
        };
        let spec = load(None).unwrap().into_iter().find(|spec| spec.table == table).unwrap();
        Input { spec, layout, shard: Arc::new(shard), body, runtime }
    }

    /// All of the object, as one batch.
    pub fn raw(&self) -> RawBatch {
        let piece = Piece {
            object: 0,
            range: 0..self.body.len(),
            lines_before: 0,
            records_before: 0,
            cut: None,
            last: true,
            fault: None,
        };
        RawBatch {
            shard: Arc::clone(&self.shard),
            bytes: self.body.clone(),
            pieces: vec![piece],
            sizes: Vec::new(),
        }
    }

    /// A store in memory.
    pub fn target(&self) -> Arc<Target> {
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
