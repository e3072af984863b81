//! The commands of a table's life, and what it holds after each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use pinclean::query::Catalog;
use pinclean::show::{Form, render};
use pinclean::store::{S3Options, Session};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::disk::Disk;
use super::record::{self, Event};
use crate::command::{pinclean, said};
use crate::table::Format;

/// A command, and the objects that come before it.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub name: &'static str,
    /// How many objects there are by then.
    pub objects: usize,
    pub args: &'static [&'static str],
}

const RUN: &[&str] = &["run", "--source", "in", "--out", "out", "--transforms", "strict"];
const OVERWRITE: &[&str] =
    &["run", "--source", "in", "--out", "out", "--transforms", "strict", "--mode", "overwrite"];
const OPTIMIZE: &[&str] = &["optimize", "--tables", "out"];
const REPLAY: &[&str] = &["replay", "--tables", "out", "--transforms", "mended"];
const VACUUM: &[&str] = &["vacuum", "--tables", "out", "--retain", "0s", "--force"];

/// In the order of their time. The last run of a Delta table makes its tenth version,
/// which gets a checkpoint.
pub fn steps(format: Format) -> Vec<Step> {
    let step = |name, objects, args| Step { name, objects, args };
    let both = [
        step("first run", 2, RUN),
        step("increment", 3, RUN),
        step("overwrite", 4, OVERWRITE),
        step("second increment", 5, RUN),
    ];
    let delta = [
        step("optimize", 5, OPTIMIZE),
        step("replay", 5, REPLAY),
        step("vacuum", 5, VACUUM),
        step("third increment", 6, RUN),
        step("checkpoint", 7, RUN),
    ];
    match format {
        Format::Delta => both.into_iter().chain(delta).collect(),
        Format::Parquet => both.to_vec(),
    }
}

/// An object: good records of two kinds, records that only the mended transform takes,
/// and one that is none.
fn object(number: usize) -> String {
    let first = number * 10;
    let record = |n: usize, at: &str| format!("{{\"n\":{n},\"kind\":{},\"at\":\"{at}\"}}\n", n % 3);
    let good = (first..first + 4).map(|n| record(n, "2024-01-31T10:00:00"));
    let mended = (first + 4..first + 6).map(|n| record(n, "31.01.2024 11:00"));
    good.chain(mended).chain(["{\"n\":".to_owned(), "\n".to_owned()]).collect()
}

fn transform(format: Format, formats: &str) -> String {
    let partitioned = match format {
        Format::Delta => "partition_by = [\"kind\"]\n",
        Format::Parquet => "",
    };
    format!(
        "version = 1\ntable = \"geo\"\ntopics = [\"*.geo\"]\n{partitioned}column = [\n\
         {{ name = \"n\", type = \"int32\", field = \"n\" }},\n\
         {{ name = \"kind\", type = \"int32\", field = \"kind\" }},\n\
         {{ name = \"at\", type = \"timestamp\", field = \"at\", formats = [{formats}] }},\n]\n"
    )
}

/// A folder with objects and transforms, and the tables in `out`.
pub struct Home {
    folder: TempDir,
    pub format: Format,
}

impl Home {
    pub fn new(format: Format) -> Home {
        let folder = tempfile::tempdir().unwrap();
        let strict = "\"%Y-%m-%dT%H:%M:%S\"";
        for (name, formats) in
            [("strict", strict.to_owned()), ("mended", format!("{strict}, \"%d.%m.%Y %H:%M\""))]
        {
            fs::create_dir(folder.path().join(name)).unwrap();
            let file = folder.path().join(name).join("geo.toml");
            fs::write(file, transform(format, &formats)).unwrap();
        }
        fs::create_dir_all(folder.path().join("in/topics/u.geo/partition=0")).unwrap();
        Home { folder, format }
    }

    /// Without the links that the system puts into the paths of temporary folders.
    pub fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    /// The command of a step, to be started.
    pub fn command(&self, step: Step) -> Command {
        for number in 0..step.objects {
            let name = format!("in/topics/u.geo/partition=0/u.geo+0+{:010}.json", number * 10);
            let path = self.path().join(name);
            if !path.exists() {
                fs::write(path, object(number)).unwrap();
            }
        }
        let mut command = pinclean(&self.path(), step.args);
        if step.args[0] == "run" {
            command.args(self.format.args());
        }
        command
    }

    /// Does a step, and returns what it did to the disk.
    #[track_caller]
    pub fn does(&self, step: Step) -> Vec<Event> {
        self.does_with(step, &[])
    }

    /// As [`does`](Self::does), with more arguments.
    #[track_caller]
    pub fn does_with(&self, step: Step, args: &[&str]) -> Vec<Event> {
        let file = self.path().join("record.jsonl");
        _ = fs::remove_file(&file);
        let mut command = self.command(step);
        succeeded(command.args(args).env("PINCLEAN_DISK_RECORD", &file), step.name);
        record::read(&file)
    }

    /// What the tables hold, or why they cannot be read.
    pub fn content(&self) -> Result<Content, String> {
        Content::of(&self.path().join("out"))
    }
}

/// Runs a command, which must end well.
#[track_caller]
pub fn succeeded(command: &mut Command, about: &str) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{about}: {}", said(&output));
    output
}

/// The rows of the table and what its quarantine holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub rows: String,
    pub rejects: String,
}

impl Content {
    fn of(out: &Path) -> Result<Content, String> {
        static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
        let session = Session::new(S3Options::default());
        let catalog = RUNTIME
            .block_on(Catalog::open(out.to_str().unwrap(), None, &session))
            .map_err(|e| e.to_string())?;
        let ask = |sql: &str| -> Result<String, String> {
            let frame = catalog.answer(sql).map_err(|e| e.to_string())?;
            render(&frame, Form::Csv).map_err(|e| e.to_string())
        };
        Ok(Content {
            rows: ask("SELECT n, kind, at FROM geo ORDER BY n")?,
            rejects: ask(
                "SELECT object, line, code, resolved_by IS NULL AS open FROM quarantine_geo \
                 ORDER BY object, line",
            )?,
        })
    }
}

/// A life without a power cut.
pub struct Life {
    pub home: Home,
    /// The disk before each step, what the step did to it, and what the tables held
    /// before and after.
    pub steps: Vec<Lived>,
}

pub struct Lived {
    pub step: Step,
    pub disk: Disk,
    pub events: Vec<Event>,
    /// Nothing before the first run.
    pub before: Option<Content>,
    pub after: Content,
}

impl Life {
    /// Each command with these arguments too.
    pub fn of(format: Format, args: &[&str]) -> Life {
        let home = Home::new(format);
        let mut disk = Disk::new(&home.path());
        let mut before = None;
        let mut lived = Vec::new();
        for step in steps(format) {
            let events = home.does_with(step, args);
            let after = home.content().unwrap();
            let next = events.iter().fold(disk.clone(), |mut disk, event| {
                disk.apply(event);
                disk
            });
            lived.push(Lived { step, disk, events, before, after: after.clone() });
            (disk, before) = (next, Some(after));
        }
        Life { home, steps: lived }
    }
}
