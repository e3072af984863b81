//! A source, an output, and the program between them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use bytes::Bytes;
use tempfile::TempDir;

use super::content::Content;
use crate::command::{isolated, program, said};
use crate::s3::{ACCESS_KEY, SECRET_KEY, Server};

/// Records of a slice in each topic, of which two fifths are bad.
const ROWS: usize = 20;

/// Objects by their keys.
pub type Objects = BTreeMap<String, Bytes>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Folder,
    S3,
}

/// Where a run reads (`in/`) and writes (`out/`).
pub struct Lake {
    home: TempDir,
    /// Its bucket, if it is one.
    bucket: Option<String>,
}

impl Lake {
    pub fn new(kind: Kind) -> Lake {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let home = tempfile::tempdir().unwrap();
        let bucket = (kind == Kind::S3).then(|| {
            let name = format!("lake-{}", COUNT.fetch_add(1, Ordering::Relaxed));
            server().create_bucket(&name);
            name
        });
        Lake { home, bucket }
    }

    pub fn with(kind: Kind, objects: &Objects) -> Lake {
        let lake = Lake::new(kind);
        lake.put_all(objects);
        lake
    }

    pub fn put(&self, key: &str, body: &Bytes) {
        match &self.bucket {
            Some(bucket) => server().put(bucket, key, body.clone()),
            None => {
                let path = self.home.path().join(key);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, body).unwrap();
            }
        }
    }

    pub fn put_all(&self, objects: &Objects) {
        objects.iter().for_each(|(key, body)| self.put(key, body));
    }

    /// All that there is in source and output.
    pub fn objects(&self) -> Objects {
        match &self.bucket {
            Some(bucket) => {
                let keys = server().keys(bucket, "").into_iter();
                keys.filter_map(|key| Some((key.clone(), server().get(bucket, &key)?))).collect()
            }
            None => ["in", "out"].iter().flat_map(|top| files(self.home.path(), top)).collect(),
        }
    }

    /// What a reader sees.
    pub fn content(&self) -> Content {
        Content::of(&self.objects())
    }

    /// A run, to be started.
    pub fn run(&self) -> Command {
        let place = |below: &str| match &self.bucket {
            Some(bucket) => format!("s3://{bucket}/{below}"),
            None => below.to_owned(),
        };
        let mut command = started_in(self.home.path());
        command.args(["run", "--source", &place("in"), "--out", &place("out")]);
        command.args(["--format", "delta", "--quiet"]);
        if self.bucket.is_some() {
            command
                .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
                .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
                .env("AWS_ENDPOINT_URL", server().endpoint());
        }
        command
    }

    /// A run that nothing disturbs.
    #[track_caller]
    pub fn done(&self) {
        let output = self.run().output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
}

/// The program, to be given arguments and started.
fn started_in(home: &Path) -> Command {
    let mut command = isolated(program(), home);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// One server for all: a bucket each keeps the tests apart.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// What the sink delivers in some turns: records of three topics in two Kafka
/// partitions each, below `in/`.
pub fn slices(range: std::ops::Range<usize>) -> Objects {
    range.flat_map(slice).collect()
}

/// What it delivers in one turn, the same each time: it is made once.
fn slice(number: usize) -> Objects {
    static MADE: Mutex<BTreeMap<usize, Objects>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap();
    made.entry(number).or_insert_with(|| emulated(number)).clone()
}

fn emulated(slice: usize) -> Objects {
    let home = tempfile::tempdir().unwrap();
    let start = (slice * ROWS).to_string();
    let mut command = started_in(home.path());
    command.args(["emulate", "in", "--quiet", "--partitions=2", "--flush-size=5"]);
    command.args(["--bad-rate=40%", "--start-offset", &start, "--rows", &ROWS.to_string()]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    files(home.path(), "in")
}

/// The files below a folder, by their paths from the root. One that goes while
/// it is read is not there.
fn files(root: &Path, below: &str) -> Objects {
    let mut found = Objects::new();
    let mut waiting: Vec<PathBuf> = vec![root.join(below)];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if let Ok(body) = fs::read(&path) {
                let key = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(key, body.into());
            }
        }
    }
    found
}
