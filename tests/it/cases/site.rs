//! Where a run reads and writes, and what it did.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{isolated, program};
use crate::s3::{ACCESS_KEY, Fault, Op, Rule, SECRET_KEY, Server};
use crate::table::{Format, Place, files};

/// A source and an output, both empty, and a home with nothing of the user's.
pub struct Site {
    pub home: TempDir,
    pub format: Format,
    backend: Backend,
}

enum Backend {
    Folder,
    /// The number in the names of its two buckets.
    Buckets(u32),
}

impl Site {
    /// One of each kind.
    pub fn all() -> Vec<Site> {
        let both = |format| [Site::folder(format), Site::buckets(format)];
        Format::BOTH.into_iter().flat_map(both).collect()
    }

    /// Two folders.
    pub fn folder(format: Format) -> Site {
        let home = tempfile::tempdir().unwrap();
        let site = Site { home, format, backend: Backend::Folder };
        fs::create_dir(site.home.path().join("in")).unwrap();
        site
    }

    /// Two buckets.
    pub fn buckets(format: Format) -> Site {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let home = tempfile::tempdir().unwrap();
        let site = Site { home, format, backend: Backend::Buckets(number) };
        server().create_bucket(&format!("in-{number}"));
        server().create_bucket(&format!("out-{number}"));
        // As `aws configure` leaves it: nothing is in the environment.
        let aws = site.home.path().join(".aws");
        fs::create_dir(&aws).unwrap();
        let keys = format!(
            "[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
        );
        fs::write(aws.join("credentials"), keys).unwrap();
        site
    }

    pub fn put(&self, key: &str, body: impl Into<Vec<u8>>) {
        match self.backend {
            Backend::Folder => write(&self.home.path().join("in").join(key), &body.into()),
            Backend::Buckets(n) => server().put(&format!("in-{n}"), key, body.into()),
        }
    }

    /// Puts what is below a folder.
    pub fn load(&self, folder: &Path) {
        for key in files(folder) {
            self.put(&key, fs::read(folder.join(&key)).unwrap());
        }
    }

    /// What is in the output, below a folder of it: keys relative to the output.
    pub fn out_keys(&self, below: &str) -> Vec<String> {
        self.out().list(below)
    }

    /// The output.
    pub fn out(&self) -> Place<'_> {
        match self.backend {
            Backend::Folder => Place::Folder(self.out_folder()),
            Backend::Buckets(n) => {
                Place::Bucket(server(), format!("out-{n}"), "tables/".to_owned())
            }
        }
    }

    pub fn in_folder(&self) -> PathBuf {
        self.home.path().join("in")
    }

    pub fn out_folder(&self) -> PathBuf {
        self.home.path().join("out/tables")
    }

    /// Records of the emulator, in the source.
    pub fn emulate(&self, args: &[&str]) {
        let mut command = self.binary();
        let (source, _, s3) = self.urls();
        command.args(["emulate", &source, "--quiet"]).args(s3).args(args);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// A delay of each request for an object of the source; none for a folder.
    pub fn slow_down(&self, delay: Duration) {
        if let Backend::Buckets(n) = self.backend {
            let rule = Rule::new(Fault::Delay(delay)).on(Op::Get).in_bucket(&format!("in-{n}"));
            server().faults().add(rule);
        }
    }

    /// Lets no report be saved beside the tables.
    pub fn refuse_reports(&self) {
        match self.backend {
            // A file where a folder has to be.
            Backend::Folder => write(&self.out_folder().join("_runs"), b"not a folder"),
            Backend::Buckets(n) => {
                let rule = Rule::new(Fault::AccessDenied).on(Op::Put);
                server().faults().add(rule.in_bucket(&format!("out-{n}")).under("tables/_runs/"));
            }
        }
    }

    /// Empties the output.
    pub fn clear_out(&self) {
        self.out_keys("").iter().for_each(|key| self.out().remove(key));
    }

    /// A run of this source to this output.
    pub fn run(&self, args: &[&str]) -> Ran {
        _ = fs::remove_file(self.home.path().join("report.json"));
        self.ran(self.command(args).output().unwrap())
    }

    /// The same, as the command's caller likes it.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.binary();
        command.arg("run").args(self.places()).args(args);
        command
    }

    /// Source, output, format and report as options.
    pub fn places(&self) -> Vec<String> {
        let (source, out, s3) = self.urls();
        let report = ["--report".to_owned(), "report.json".to_owned()];
        let places = ["--source".to_owned(), source, "--out".to_owned(), out];
        let format = self.format.args().iter().map(ToString::to_string);
        places.into_iter().chain(report).chain(s3).chain(format).collect()
    }

    /// Source, output, and how to reach them.
    fn urls(&self) -> (String, String, Vec<String>) {
        let Backend::Buckets(n) = self.backend else {
            return ("in".to_owned(), "out/tables".to_owned(), Vec::new());
        };
        let s3 = ["--endpoint-url", &server().endpoint(), "--path-style", "--region=us-east-1"];
        (format!("s3://in-{n}"), format!("s3://out-{n}/tables"), s3.map(str::to_owned).to_vec())
    }

    /// The binary, in the home, with an environment that says nothing else.
    pub fn binary(&self) -> Command {
        self.tame(program())
    }

    /// A command in the home that says what it says to the test alone.
    pub fn tame(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = isolated(program, self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn ran(&self, output: Output) -> Ran {
        let report = fs::read(self.home.path().join("report.json")).ok();
        Ran {
            code: output.status.code(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            report: report.map(|text| serde_json::from_slice(&text).unwrap()),
        }
    }
}

/// One server for all tests: a bucket each is enough to keep them apart.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

pub fn write(path: &Path, body: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, body).unwrap();
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    /// `None` if a signal killed it.
    pub code: Option<i32>,
    pub stderr: String,
    /// What `--report` wrote.
    pub report: Option<Value>,
}

impl Ran {
    /// The run, which ended well.
    #[track_caller]
    pub fn done(self) -> Ran {
        self.exited(0)
    }

    /// The run, which ended so.
    #[track_caller]
    pub fn exited(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// The run, which said this.
    #[track_caller]
    pub fn said(self, text: &str) -> Ran {
        assert!(self.stderr.contains(text), "{text:?} is not in:\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub fn report(&self) -> &Value {
        self.report.as_ref().unwrap_or_else(|| panic!("no report: {self:#?}"))
    }

    /// Read, written, quarantined, duplicate; of all tables together. They add up.
    #[track_caller]
    pub fn counts(&self) -> [u64; 4] {
        let tables = self.report()["tables"].as_object().unwrap();
        let names = ["read", "written", "quarantined", "duplicate"];
        let sum = |name: &str| {
            let key = format!("records_{name}");
            tables.values().map(|table| table[&key].as_u64().unwrap()).sum::<u64>()
        };
        let counts = names.map(sum);
        let [read, rest @ ..] = counts;
        assert_eq!(read, rest.iter().sum::<u64>(), "{:#}", self.report());
        counts
    }

    /// Rejects by code, of all tables together.
    pub fn codes(&self) -> Vec<(String, u64)> {
        let tables = self.report()["tables"].as_object().unwrap();
        let mut codes = Vec::new();
        for (code, by_column) in
            tables.values().flat_map(|table| table["rejects"].as_object().unwrap())
        {
            let count = by_column.as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
            codes.push((code.clone(), count));
        }
        codes
    }
}
