//! A server with two buckets, a folder, and pinclean as a process in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{isolated, program};
use crate::s3::{ACCESS_KEY, Op, SECRET_KEY, Server};
use crate::table::{Format, Place};

/// The bucket that the sink wrote.
pub const LAKE: &str = "lake";
/// The bucket of the tables.
pub const OUT: &str = "tables";

/// All that a test works with.
pub struct World {
    pub server: Server,
    pub format: Format,
    folder: TempDir,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stderr: String,
    /// Empty if none was written.
    pub report: Value,
    pub time: Duration,
}

impl World {
    /// For tables of the default format.
    pub fn new() -> World {
        World::of(Format::Delta)
    }

    pub fn of(format: Format) -> World {
        let server = Server::start();
        server.create_bucket(LAKE);
        server.create_bucket(OUT);
        World { server, format, folder: tempfile::tempdir().unwrap() }
    }

    /// A path in the test's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Invented records in a folder of the test.
    pub fn emulate(&self, name: &str, args: &[&str]) -> PathBuf {
        let folder = self.path(name);
        let ended = self.pinclean("emulate").arg(&folder).args(args).end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        folder
    }

    /// Invented records in a folder, and the same in the bucket.
    pub fn fill(&self, args: &[&str]) -> PathBuf {
        let folder = self.emulate("bucket", args);
        self.server.load_folder(LAKE, &folder);
        self.server.clear_log();
        folder
    }

    /// A command with credentials for the server and nothing else.
    pub fn pinclean(&self, command: &str) -> Pinclean {
        let home = self.path("home");
        std::fs::create_dir_all(&home).unwrap();
        let mut pinclean = isolated(program(), &home);
        pinclean
            .arg(command)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_ENDPOINT_URL", self.server.endpoint());
        Pinclean { command: pinclean, report: None }
    }

    /// `pinclean run` from the bucket, with a report.
    pub fn run(&self, out: &str) -> Pinclean {
        self.run_from(&["--bucket", LAKE], out)
    }

    /// `pinclean run` from anywhere, with a report.
    pub fn run_from(&self, source: &[&str], out: &str) -> Pinclean {
        let report = self.path(&format!("report-{}.json", fresh()));
        let mut run = self.pinclean("run").args(source).args(["--out", out]);
        run = run.arg("--report").arg(&report).args(["--progress", "never"]);
        run = run.args(self.format.args());
        run.report = Some(report);
        run
    }

    /// The tables of a run from a folder to plain Parquet: what every other run
    /// must give.
    pub fn local(&self, bucket: &Path) -> Place<'_> {
        let out = self.path(&format!("local-{}", fresh()));
        let mut run = self.pinclean("run").args(["--source", bucket.to_str().unwrap()]);
        run = run.arg("--out").arg(&out).args(["--progress", "never"]);
        run.args(Format::Parquet.args()).done();
        Place::Folder(out)
    }

    /// What lies below a prefix of the output's bucket.
    pub fn out(&self, prefix: &str) -> Place<'_> {
        Place::Bucket(&self.server, OUT.to_owned(), prefix.to_owned())
    }

    /// The requests of a kind to a bucket so far.
    pub fn requests(&self, bucket: &str, op: Op) -> usize {
        self.server.log().iter().filter(|r| r.op == op && r.bucket == bucket).count()
    }

    /// Uploads that were begun and neither completed nor aborted.
    pub fn open_uploads(&self) -> usize {
        let log = self.server.log();
        let done = |op| log.iter().filter(|r| r.op == op && is_success(r.status)).count();
        done(Op::CreateUpload) - done(Op::CompleteUpload) - done(Op::AbortUpload)
    }
}

/// Checks cases side by side: a run that tries again waits more than it works. Each
/// has a world of its own.
pub fn at_once<T: Send>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    let check = &check;
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || check(case));
        }
    });
}

fn is_success(status: Option<u16>) -> bool {
    status.is_some_and(|status| (200..300).contains(&status))
}

/// A number that no other call in this process gave.
fn fresh() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A process to be started.
pub struct Pinclean {
    command: Command,
    report: Option<PathBuf>,
}

/// A process that was started.
pub struct Running {
    pub child: Child,
    begin: Instant,
    report: Option<PathBuf>,
}

impl Pinclean {
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Pinclean {
        self.command.arg(arg);
        self
    }

    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Pinclean {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Pinclean {
        self.command.env(name, value);
        self
    }

    pub fn without(mut self, names: &[&str]) -> Pinclean {
        for name in names {
            self.command.env_remove(name);
        }
        self
    }

    pub fn start(mut self) -> Running {
        let command = self.command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        Running { child, begin: Instant::now(), report: self.report }
    }

    pub fn end(self) -> Ended {
        self.start().end()
    }

    /// Runs it, and wants it to succeed.
    pub fn done(self) -> Ended {
        let ended = self.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended
    }

    /// Runs it, wants it to fail, and gives its last words.
    pub fn failed(self, code: i32) -> String {
        let ended = self.end();
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        ended.stderr
    }
}

impl Running {
    /// Sends `INT`, `TERM`, …
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    pub fn end(self) -> Ended {
        let Running { child, begin, report } = self;
        let output = child.wait_with_output().unwrap();
        let report = report.and_then(|file| std::fs::read(file).ok());
        Ended {
            code: output.status.code(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            report: report.map(|text| serde_json::from_slice(&text).unwrap()).unwrap_or_default(),
            time: begin.elapsed(),
        }
    }
}

impl Ended {
    /// A number in the report.
    pub fn number(&self, pointer: &str) -> u64 {
        let found = self.report.pointer(pointer).and_then(Value::as_u64);
        found.unwrap_or_else(|| panic!("no {pointer} in {:#}", self.report))
    }
}
