//! Objects a second from a bucket whose every request takes 30 ms: listed and
//! fetched, not decoded. The server is in this process, on threads of its own.
//!
//! `cargo bench --bench s3` prints a table; `-- --short` takes less time for it.
//! `-- serve COUNT` waits with a bucket of COUNT objects for other clients.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start has nothing to measure")]

#[path = "../tests/support/s3/mod.rs"]
mod s3;

use std::ops::ControlFlow;
use std::process::Command;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use pinclean::key::Layout;
use pinclean::pipeline::discover::{Listing, Watermarks};
use pinclean::pipeline::fetch::{FetchLimits, Fetcher, RawBatch, fetch};
use pinclean::pipeline::plan::{Shard, ShardLimits, plan};
use pinclean::spec::{Spec, load};
use pinclean::store::{S3Options, Session, Store};
use s3::{ACCESS_KEY, Fault, Op, REGION, Rule, SECRET_KEY, Server};

const LATENCY: Duration = Duration::from_millis(30);
const PARTITIONS: usize = 3;
const WORKERS: usize = 2;
const BUCKET: &str = "lake";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if std::env::var("AWS_ACCESS_KEY_ID").as_deref() != Ok(ACCESS_KEY) {
        // The credentials are looked for where every run looks for them.
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        std::process::exit(again.args(args).status().unwrap().code().unwrap_or(1));
    }
    if let Some(at) = args.iter().position(|arg| arg == "serve") {
        return serve(args[at + 1].parse().unwrap());
    }
    let seconds = if args.iter().any(|arg| arg == "--short") { 1 } else { 4 };
    println!("at a time  refused   objects/s  of the possible  µs/GET here  at the server");
    for most in [16, 64, 256, 512] {
        for refused in [0, 10] {
            let possible = most as f64 / LATENCY.as_secs_f64();
            let objects = (possible.min(8000.0) * f64::from(seconds)) as usize;
            let setting = Setting { most, refused, objects };
            let Measured { rate, client, server } = measure(&setting);
            let share = 100.0 * rate / possible;
            println!(
                "{most:>9}  {refused:>6}%  {rate:>10.0}  {share:>14.0}%  {client:>11.0}  {server:>13.0}"
            );
        }
    }
}

/// How requests are sent and answered.
struct Setting {
    /// The most at a time.
    most: usize,
    /// Of a hundred GETs, how many are refused.
    refused: u64,
    objects: usize,
}

struct Measured {
    /// Objects a second.
    rate: f64,
    /// Processor time for an object, in µs.
    client: f64,
    server: f64,
}

/// A server with objects of one record each.
fn filled(objects: usize) -> Server {
    let server = Server::start();
    server.create_bucket(BUCKET);
    for n in 0..objects {
        let (partition, offset) = (n % PARTITIONS, n / PARTITIONS);
        let key = format!("topics/u.geo/partition={partition}/u.geo+{partition}+{offset:010}.json");
        server.put(BUCKET, &key, format!("{{\"ind\":{n},\"country\":\"Chad\"}}\n").repeat(6));
    }
    server
}

fn serve(objects: usize) {
    let server = filled(objects);
    server.create_bucket("tables");
    for op in [Op::Get, Op::List] {
        server.faults().add(Rule::new(Fault::Delay(LATENCY)).on(op).in_bucket(BUCKET));
    }
    println!(
        "AWS_ENDPOINT_URL={} AWS_ACCESS_KEY_ID={ACCESS_KEY} AWS_SECRET_ACCESS_KEY={SECRET_KEY}",
        server.endpoint()
    );
    loop {
        std::thread::park();
    }
}

fn measure(setting: &Setting) -> Measured {
    let server = filled(setting.objects);
    server.faults().delay(Op::Get, LATENCY);
    server.faults().delay(Op::List, LATENCY);
    if let Some(each) = 100_u64.checked_div(setting.refused) {
        server.faults().add(Rule::new(Fault::SlowDown).on(Op::Get).every(each));
    }
    let reader = Reader::new(&server, setting.most);
    let (begin, before) = (Instant::now(), processor_time());
    assert_eq!(reader.read(), setting.objects);
    let (time, after) = (begin.elapsed(), processor_time());
    let each = |t: Duration| t.as_secs_f64() * 1e6 / setting.objects as f64;
    Measured {
        rate: setting.objects as f64 / time.as_secs_f64(),
        client: each(after.0 - before.0),
        server: each(after.1 - before.1),
    }
}

/// Lists and fetches as a run does.
struct Reader {
    runtime: tokio::runtime::Runtime,
    fetcher: Fetcher,
    specs: Vec<Spec>,
    watermarks: Vec<Watermarks>,
}

impl Reader {
    fn new(server: &Server, most: usize) -> Reader {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let options = S3Options {
            endpoint_url: Some(server.endpoint()),
            region: Some(REGION.into()),
            ..S3Options::default()
        };
        let session = Session::new(options);
        let store = runtime.block_on(Store::open(&format!("s3://{BUCKET}"), &session)).unwrap();
        let limits = FetchLimits { concurrency: most, ..FetchLimits::default() };
        let layout = Layout { topics_dir: "topics".into(), file_delim: "+".into() };
        let fetcher = Fetcher::new(store, layout, limits, runtime.handle().clone());
        let specs = load(None).unwrap();
        let watermarks = vec![Watermarks::new(); specs.len()];
        Reader { runtime, fetcher, specs, watermarks }
    }

    /// Reads everything; how many objects it was.
    fn read(&self) -> usize {
        let (sender, shards) = mpsc::sync_channel(2);
        let shards = Mutex::new(shards);
        std::thread::scope(|scope| {
            let workers: Vec<_> =
                (0..WORKERS).map(|_| scope.spawn(|| self.work(&shards))).collect();
            self.plan(&sender);
            drop(sender);
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        })
    }

    fn plan(&self, shards: &mpsc::SyncSender<Shard>) {
        let listing = Listing {
            store: &self.fetcher.store,
            layout: &self.fetcher.layout,
            specs: &self.specs,
            topic_globs: &[],
            watermarks: &self.watermarks,
            full: false,
            lookback: None,
            runtime: self.runtime.handle(),
            exact_sizes: false,
        };
        plan(&listing, ShardLimits::default(), |shard| {
            shards.send(shard).unwrap();
            ControlFlow::Continue(())
        })
        .unwrap();
    }

    fn work(&self, shards: &Mutex<mpsc::Receiver<Shard>>) -> usize {
        let mut objects = 0;
        loop {
            let Ok(shard) = shards.lock().unwrap().recv() else { return objects };
            for batch in fetch(&self.fetcher, Arc::new(shard)) {
                let batch: RawBatch = batch.unwrap();
                objects += batch.pieces.iter().filter(|piece| piece.last).count();
            }
        }
    }
}

/// What this process has used of the processor: here, and in the server.
fn processor_time() -> (Duration, Duration) {
    let (mut here, mut server) = (Duration::ZERO, Duration::ZERO);
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
        let Some((name, rest)) = stat.rsplit_once(')') else { continue };
        // proc_pid_stat(5): fields 14 and 15, in hundredths of a second.
        let ticks = rest.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok());
        let time = Duration::from_millis(ticks.sum::<u64>() * 10);
        match name.contains("(s3-server") {
            true => server += time,
            false => here += time,
        }
    }
    (here, server)
}
