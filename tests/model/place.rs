//! Where the runs of one seed read and write: a folder and a store in memory, or
//! two buckets of the server.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use pinclean::store::{S3Options, Session, Store};
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::s3::{BucketOptions, Server};

/// The bucket that the sink wrote.
pub const LAKE: &str = "lake";
/// The bucket of the tables.
pub const OUT: &str = "tables";

/// What the stores of a seed are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Memory,
    S3,
}

/// The stores of one seed after the other.
pub struct Place {
    pub source: Store,
    /// The tables' store, in which nothing goes wrong but what a server does.
    pub out: Arc<dyn ObjectStore>,
    /// Knows why the server refused.
    pub refusals: Option<Store>,
    pub server: Option<Server>,
    /// The most objects of a shard.
    pub shard_objects: usize,
    folder: Option<TempDir>,
}

impl Place {
    pub fn new(kind: Kind, runtime: &Handle) -> Place {
        match kind {
            Kind::Memory => Place::in_memory(runtime),
            Kind::S3 => Place::in_buckets(runtime),
        }
    }

    fn in_memory(runtime: &Handle) -> Place {
        let memory = PathBuf::from("/dev/shm");
        let within = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let folder = tempfile::tempdir_in(within).unwrap();
        let session = Session::new(S3Options::default());
        let url = folder.path().to_str().unwrap();
        let source = runtime.block_on(Store::open(url, &session)).unwrap();
        let out = Arc::new(InMemory::new());
        Place { source, out, refusals: None, server: None, shard_objects: 1, folder: Some(folder) }
    }

    fn in_buckets(runtime: &Handle) -> Place {
        let server = Server::start();
        for bucket in [LAKE, OUT] {
            let options = BucketOptions { public: true, ..BucketOptions::default() };
            server.create_bucket_with(bucket, options);
        }
        let session = Session::new(S3Options {
            region: Some(crate::s3::REGION.to_owned()),
            endpoint_url: Some(server.endpoint()),
            no_sign_request: true,
            ..S3Options::default()
        });
        let open = |bucket| runtime.block_on(Store::open(&format!("s3://{bucket}"), &session));
        let (source, out) = (open(LAKE).unwrap(), open(OUT).unwrap());
        let objects = out.object_store();
        Place {
            source,
            out: objects,
            refusals: Some(out),
            server: Some(server),
            shard_objects: 1,
            folder: None,
        }
    }

    /// Empties both stores, for the next seed.
    pub fn clear(&mut self) {
        if let Some(server) = &self.server {
            server.faults().clear();
            server.clear_log();
            for bucket in [LAKE, OUT] {
                for key in server.keys(bucket, "") {
                    server.delete(bucket, &key);
                }
            }
        }
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder.path().join("topics"));
            self.out = Arc::new(InMemory::new());
        }
    }

    /// What the sink does.
    pub fn put(&self, key: &str, body: Vec<u8>) {
        if let Some(server) = &self.server {
            server.put(LAKE, key, body);
        } else if let Some(folder) = &self.folder {
            let path = folder.path().join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, body).unwrap();
        }
    }
}
