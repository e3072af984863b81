//! An S3 server in the process, for tests and benchmarks: the real protocol and
//! real signatures over a store in memory, with faults on demand.
//!
//! ```ignore
//! let server = Server::start();
//! server.create_bucket("bucket");
//! server.put("bucket", "a/b.json", "{}");
//! server.faults().add(Rule::new(Fault::SlowDown).on(Op::Get).every(3));
//! // … a client at server.endpoint() with ACCESS_KEY and SECRET_KEY …
//! assert_eq!(server.count(Op::List), 1);
//! ```

// Each user of the module takes only some of it.
#![allow(dead_code, unused_imports)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod front;
mod gate;
mod list;
mod log;
mod service;
mod store;
mod uploads;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};

pub use self::faults::{Fault, Faults, Rule};
pub use self::log::{Op, Request};
pub use self::store::{BucketOptions, Store};

/// The access key that the server knows.
pub const ACCESS_KEY: &str = "AKIAPINCLEANTEST";
/// The secret key that goes with it.
pub const SECRET_KEY: &str = "pinclean/test/secret/key";
/// Where a bucket is, unless its options say otherwise.
pub const REGION: &str = "us-east-1";

/// Enough for every connection that a test opens at once.
const BACKLOG: u32 = 4096;
const THREADS: usize = 2;

/// What the parts of the server share.
struct State {
    store: Arc<Store>,
    log: log::Log,
    faults: Faults,
}

/// A running server, on threads of its own. Dropping it closes it.
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    runtime: Option<Runtime>,
}

impl Server {
    /// Listens on a free port of 127.0.0.1, with no bucket.
    ///
    /// # Panics
    /// If no port can be bound.
    pub fn start() -> Server {
        let name = "s3-server";
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name(name)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = {
            let _inside = runtime.enter();
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
            socket.listen(BACKLOG).expect("a listener")
        };
        let address = listener.local_addr().expect("an address");
        let (store, log) = (Arc::new(Store::default()), log::Log::default());
        let state = Arc::new(State { store, log, faults: Faults::default() });
        let mut builder = S3ServiceBuilder::new(service::Service(Arc::clone(&state.store)));
        builder.set_auth(gate::Keys);
        builder.set_access(gate::Gate(Arc::clone(&state)));
        let front = front::Front { state: Arc::clone(&state), service: builder.build() };
        runtime.spawn(front.serve(listener));
        Server { address, state, runtime: Some(runtime) }
    }

    /// `http://127.0.0.1:<port>`, for path-style requests.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A private bucket in [`REGION`]. One that is there stays as it is.
    pub fn create_bucket(&self, name: &str) {
        self.create_bucket_with(name, BucketOptions::default());
    }

    /// A bucket that differs from a plain one.
    pub fn create_bucket_with(&self, name: &str, options: BucketOptions) {
        self.state.store.create(name, options);
    }

    /// Past the protocol, like the four below: neither logged nor met by faults.
    ///
    /// # Panics
    /// If there is no such bucket.
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Bytes>) {
        self.state.store.put(bucket, key, body);
    }

    /// What the object holds; `None` without the object or the bucket.
    pub fn get(&self, bucket: &str, key: &str) -> Option<Bytes> {
        self.state.store.get(bucket, key)
    }

    /// False if there was no such object.
    pub fn delete(&self, bucket: &str, key: &str) -> bool {
        self.state.store.delete(bucket, key)
    }

    /// The keys that start with `prefix`, in byte order.
    pub fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        self.state.store.keys(bucket, prefix)
    }

    /// Puts every file under `folder`; its path in the folder is the key.
    ///
    /// # Panics
    /// If a file cannot be read, or there is no such bucket.
    pub fn load_folder(&self, bucket: &str, folder: &Path) {
        let mut folders = vec![folder.to_path_buf()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(&next).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let below = path.strip_prefix(folder).expect("a path in the folder");
                let names: Vec<_> = below.iter().map(|name| name.to_string_lossy()).collect();
                self.put(bucket, &names.join("/"), std::fs::read(&path).expect("a file"));
            }
        }
    }

    /// All requests so far, in the order of arrival.
    pub fn log(&self) -> Vec<Request> {
        self.state.log.requests()
    }

    /// The requests of one kind so far, retries and refusals among them.
    pub fn count(&self, op: Op) -> usize {
        self.state.log.count(op)
    }

    /// The most requests that were served at one time.
    pub fn peak_in_flight(&self) -> usize {
        self.state.log.peak()
    }

    /// The connections that were opened so far.
    pub fn connections(&self) -> usize {
        self.state.log.connections()
    }

    /// Forgets the requests, the peak and the connections.
    pub fn clear_log(&self) {
        self.state.log.clear();
    }

    /// What goes wrong, from the next request on.
    pub fn faults(&self) -> &Faults {
        &self.state.faults
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Waiting is not allowed where a test drops the server: in a runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
